// npm run bench, npm run bench:policy: builds what changed, then runs one benchmark of bench/src by its name.
import { pathToFileURL } from 'node:url';
import { buildIfNeeded } from './lib/build.mjs';
import { installIfNeeded } from './lib/install.mjs';
import { inRoot } from './lib/paths.mjs';

const [name = 'main', ...rest] = process.argv.slice(2);
if (!(await installIfNeeded()) || !(await buildIfNeeded())) process.exit(1);
const script = inRoot(`bench/dist/${name}.js`);
process.argv = [process.execPath, script, ...rest];
await import(pathToFileURL(script).href);
