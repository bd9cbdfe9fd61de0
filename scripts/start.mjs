// npm start: from a fresh clone to a running gateway in one command; from an up-to-date one, without delay.
import { pathToFileURL } from 'node:url';
import { buildIfNeeded } from './lib/build.mjs';
import { installIfNeeded } from './lib/install.mjs';
import { requireSupportedNode } from './lib/node-version.mjs';
import { inRoot } from './lib/paths.mjs';

requireSupportedNode();
if (!(await installIfNeeded())) process.exit(1);
if (!(await buildIfNeeded())) {
  process.stderr.write('The build failed; the lines above say why.\n');
  process.exit(1);
}

// The command line runs in this very process: signals reach it, and no second Node has to start.
const main = inRoot('packages/cli/dist/main.js');
const given = process.argv.slice(2);
process.argv = [process.execPath, main, 'serve', ...(given[0] === '--' ? given.slice(1) : given)];
await import(pathToFileURL(main).href);
