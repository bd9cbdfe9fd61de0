// npm run architecture: says what breaks the rules. With --write it also redraws the picture in ARCHITECTURE.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { withPicture } from './architecture/picture.mjs';
import { readArchitecture, readSources } from './architecture/project.mjs';
import { violations } from './architecture/rules.mjs';
import { inRoot } from './lib/paths.mjs';

const architecture = readArchitecture();
const problems = violations(architecture, readSources());

const file = inRoot('ARCHITECTURE.md');
const document = readFileSync(file, 'utf8');
const drawn = withPicture(architecture, document);
if (drawn !== document) {
  if (process.argv.includes('--write')) writeFileSync(file, drawn);
  else problems.push('the picture in ARCHITECTURE.md is stale: npm run architecture -- --write');
}

for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? 'The architecture holds.' : `${problems.length} problems.`);
process.exitCode = problems.length === 0 ? 0 : 1;
