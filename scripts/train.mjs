// npm run train: builds what changed, then trains and measures the local model.
import { pathToFileURL } from 'node:url';
import { buildIfNeeded } from './lib/build.mjs';
import { installIfNeeded } from './lib/install.mjs';
import { inRoot } from './lib/paths.mjs';

if (!(await installIfNeeded()) || !(await buildIfNeeded())) process.exit(1);
await import(pathToFileURL(inRoot('training/dist/main.js')).href);
