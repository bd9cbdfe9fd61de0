// Every file of conformance/config is read; the findings beside it say what must be found in it, and nothing else.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../src/config/env.ts';
import { excerptsOf } from '../../src/config/excerpt.ts';
import { readConfig } from '../../src/config/load.ts';
import { testDetectors } from './detectors.ts';
import type { ConfigResult, PlacedFinding } from '../../src/config/types.ts';

const root = fileURLToPath(new URL('../../../../conformance/config/', import.meta.url));
const environment = readEnvironment({ SET_NAME: 'pii', SET_NUMBER: '7', SET_SECRET: 'canary-from-env' });
/** `npm test` never writes; PORTCULLIS_UPDATE=1 writes the findings down for a person to review. */
const update = process.env['PORTCULLIS_UPDATE'] === '1';

/** A secret in a case file contains this, so that it is noticed wherever it turns up. */
const CANARY = 'canary';

const read = (file: string): Promise<ConfigResult> =>
  readConfig(file, readFileSync(root + file), environment, { detectors: testDetectors });

const findingsOf = (result: ConfigResult): readonly PlacedFinding[] =>
  result.ok ? result.config.warnings : result.findings;

const written = (findings: readonly PlacedFinding[]): string =>
  findings
    .map(({ place, severity, code, message }) => {
      const at = place === null ? '-' : `${place.line}:${place.column}`;
      return `${at} ${severity} ${code}: ${message}\n`;
    })
    .join('');

for (const kind of ['valid', 'invalid'] as const) {
  const cases = readdirSync(root + kind).filter((name) => name.endsWith('.yaml'));

  test.each(cases)(`${kind}/%s`, async (name) => {
    const file = `${kind}/${name}`;
    const result = await read(file);
    expect(result.ok).toBe(kind === 'valid');
    const expected = root + file.replace(/\.yaml$/u, '.findings');
    const text = written(findingsOf(result));
    if (update && text !== '') writeFileSync(expected, text);
    expect(text).toBe(existsSync(expected) ? readFileSync(expected, 'utf8') : '');
  });

  test.each(cases)(`no secret of ${kind}/%s is shown`, async (name) => {
    const file = `${kind}/${name}`;
    const source = readFileSync(root + file, 'utf8');
    const excerptOf = excerptsOf(source);
    for (const finding of findingsOf(await read(file))) {
      expect(finding.message).not.toContain(CANARY);
      expect(excerptOf(finding)?.line ?? '').not.toContain(CANARY);
    }
  });
}
