// Whether the program has the console: it is built without where there is no npm or no network.

import { execFileSync } from 'node:child_process';
import { binary } from './env.mjs';

export const hasConsole = /^console$/m.test(execFileSync(binary, ['--version']).toString());
