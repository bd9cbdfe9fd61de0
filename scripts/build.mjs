// npm run build
import { buildNow } from './lib/build.mjs';

if (!(await buildNow())) process.exitCode = 1;
