import Link from 'next/link';

// Another page of the site. Coming here unmounts the panels without loading a page, and what they had open must be closed.
export default function Away() {
  return (
    <>
      <h1>Nothing is open here</h1>
      <p className="hint"><code>/api/connections</code> of freshet counts one listener less. <Link href="/">Back to the events</Link></p>
    </>
  );
}
