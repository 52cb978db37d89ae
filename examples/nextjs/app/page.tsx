import { Publish } from './publish';
import { Stream } from './stream';

// Made anew for each request, because the address of freshet is known when the server runs and not when it is built.
export const dynamic = 'force-dynamic';

export default function Page() {
  const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
  return (
    <>
      <h1>Events in Next.js</h1>
      <Publish />
      <main>
        <Stream title="Through freshet" url={`${freshet}/events/nextjs?last=10`} types={['message']} />
        <Stream title="By hand, from a route" url="/api/direct" types={['message', 'status']} />
      </main>
    </>
  );
}
