#!/usr/bin/env node
import { startSmall } from './heap.ts';

startSmall();
// Loaded now and not before: the young generation would have grown already.
const [{ run }, { makeOutput }] = await Promise.all([import('./cli.ts'), import('./output.ts')]);

// `portcullis validate ... | head` closes the pipe early: that is no fault of anybody.
process.stdout.on('error', () => {});
const code = await run(
  process.argv.slice(2),
  makeOutput(process.stdout, process.stderr, process.stdout.isTTY && process.stdout.hasColors()),
);
// The end of the command is the end of the process, whatever connection is still open, once its output is out.
process.stdout.write('', () => process.exit(code));
