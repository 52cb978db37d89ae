import Link from 'next/link';
import { connection } from 'next/server';
import { freshet } from '../freshet';
import { PublishForm } from './publish-form';
import { StreamPanel } from './stream-panel';

const differences = [
  ['After a break', 'goes on after the last id', 'begins anew; what was said meanwhile is gone'],
  ['Who hears a message', 'everybody, at whichever instance', 'who is connected to this process'],
  ['A deployment of the site', 'cuts nobody off', 'cuts everybody off'],
  ['A listener costs this site', 'nothing', 'an open response and three timers'],
  ['On a serverless platform', 'the route is done at once', 'is billed while open, cut off at the limit'],
];

export default async function Page() {
  await connection(); // made for each request: where freshet is, is known when this runs and not when it is built
  // freshet is at another port, and so another origin: it allows ours by --cors-origin. last=10: begin with the last ten.
  const events = `${freshet}/events/nextjs?last=10`;
  return (
    <>
      <h1>Events in Next.js</h1>
      <PublishForm />
      <main>
        <StreamPanel title="Through freshet" url={events} types={['message']} />
        <StreamPanel title="By hand, from a route" url="/api/direct" types={['message', 'status']} />
      </main>
      <p className="hint">Disconnect both, publish something, and connect them again. Or <Link href="/away">leave this page</Link>, and both close.</p>
      <div className="wide">
        <table>
          <thead><tr><th /><th>Through freshet</th><th>By hand</th></tr></thead>
          <tbody>
            {differences.map(([what, ...both]) => (
              <tr key={what}><th>{what}</th>{both.map((text) => <td key={text}>{text}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
