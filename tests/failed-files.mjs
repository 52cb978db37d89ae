// A reporter for Node's runner beside the one that people read: the files with a test that failed, a line each; nothing
// at all if one of them failed by a sanitizer's report, because what that tells of is there whether it is met again or not.

import path from 'node:path';

const tellsOfSanitizer = (error) => /[Ss]anitizer/.test(`${error?.message} ${error?.cause?.message}`);

export default async function* failedFiles(events) {
  const files = new Set();
  let certain = false;
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.file) {
      files.add(path.relative(process.cwd(), data.file));
      certain ||= tellsOfSanitizer(data.details?.error);
    }
  }
  yield certain ? '' : [...files].map((file) => `${file}\n`).join('');
}
