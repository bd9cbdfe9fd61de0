import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withPicture } from '../../scripts/architecture/picture.mjs';
import { readArchitecture, readSources } from '../../scripts/architecture/project.mjs';
import { violations } from '../../scripts/architecture/rules.mjs';

test('every import and every privileged use is one that architecture.json allows', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(0);
  expect(violations(readArchitecture(), sources)).toEqual([]);
});

test('the picture in ARCHITECTURE.md shows architecture.json', () => {
  const document = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  expect(document, 'stale: run `npm run architecture -- --write`').toBe(
    withPicture(readArchitecture(), document),
  );
});
