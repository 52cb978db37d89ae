'use client';

import { useState, type FormEvent } from 'react';

export function PublishForm() {
  const [problem, setProblem] = useState('');

  async function publish(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get('text'));
    form.reset(); // at once, so that nothing is lost of what is typed while this is on its way
    const answer = await fetch('/api/publish', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    }).catch(() => undefined);
    setProblem(answer?.ok ? '' : `“${text}” could not be published.`);
  }

  return (
    <form onSubmit={publish}>
      <input name="text" placeholder="Say something to all" aria-label="Message" maxLength={500} required autoComplete="off" />
      <button>Publish</button>
      <output className="problem">{problem}</output>
    </form>
  );
}
