// A reporter for Node's runner beside the one that people read: the files with a test that failed, a line each; nothing
// at all if one of them failed by a sanitizer's report, because what that tells of is there whether it is met again or not.
// A test says where test() was called, which may be in a file of helpers; so a file counts when it is told as a whole.

import path from 'node:path';

const tellsOfSanitizer = (error) => /[Ss]anitizer/.test(`${error?.message} ${error?.cause?.message}`);
const isWholeFile = ({ name, file }) => name === file;

export default async function* failedFiles(events) {
  const files = new Set();
  let certain = false;
  for await (const { type, data } of events) {
    if (type === 'test:fail') {
      certain ||= tellsOfSanitizer(data.details?.error);
    } else if (type === 'test:complete' && isWholeFile(data) && !data.details.passed) {
      files.add(path.relative(process.cwd(), data.file));
    }
  }
  yield certain ? '' : [...files].map((file) => `${file}\n`).join('');
}
