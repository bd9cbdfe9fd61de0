// npm run docs:guardrails: writes docs/guardrails from the schemas of the guardrails.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { NOTES } from './guardrail-docs/notes.mjs';
import { pages } from './guardrail-docs/render.mjs';
import { buildIfNeeded } from './lib/build.mjs';
import { inRoot } from './lib/paths.mjs';

if (!(await buildIfNeeded())) process.exit(1);
const { catalogue, describeDetector } = await import(inRoot('packages/guardrails/dist/index.js'));
const { commonParamsSchema } = await import(inRoot('packages/policy/dist/index.js'));

const folder = inRoot('docs/guardrails');
mkdirSync(folder, { recursive: true });
const written = pages(catalogue.map(describeDetector), NOTES, new Set(Object.keys(commonParamsSchema.shape)));
for (const file of readdirSync(folder)) if (written[file] === undefined) rmSync(`${folder}/${file}`);
for (const [file, text] of Object.entries(written)) writeFileSync(`${folder}/${file}`, text);
console.log(`${Object.keys(written).length} pages in docs/guardrails`);
