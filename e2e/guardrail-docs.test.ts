import { readdirSync, readFileSync } from 'node:fs';
import { catalogue, createRuntime, describeDetector } from '@portcullis/guardrails';
import { commonParamsSchema, guardrailSchema } from '@portcullis/policy';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NOTES } from '../scripts/guardrail-docs/notes.mjs';
import { exampleOf, pages } from '../scripts/guardrail-docs/render.mjs';

const folder = new URL('../docs/guardrails/', import.meta.url);
const kinds = catalogue.map(describeDetector);
const common = new Set(Object.keys(commonParamsSchema.shape));

describe('docs/guardrails', () => {
  test('is what `npm run docs:guardrails` writes from the schemas', () => {
    const expected = pages(kinds, NOTES, common);
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
    for (const [file, text] of Object.entries(expected)) {
      expect([file, readFileSync(new URL(file, folder), 'utf8')]).toEqual([file, text]);
    }
  });

  test('says of every kind what it is for, and of every setting what it does', () => {
    expect(kinds.map(({ ids: [id] }) => id).filter((id) => NOTES[id] === undefined)).toEqual([]);
    const silent = kinds.flatMap(({ ids: [id], settings }) =>
      Object.entries(settings)
        .filter(([name, { schema }]) => !common.has(name) && typeof schema['description'] !== 'string')
        .map(([name]) => `${id}.${name}`),
    );
    expect(silent).toEqual([]);
  });

  test.each(Object.entries(NOTES))('the example of %s can be set up', (id, note) => {
    const { guardrails } = parse(exampleOf(id, note)) as { guardrails: object[] };
    const parsed = guardrails.map((one) => guardrailSchema.parse({ guardrail_id: 'example', ...one }));
    const made = createRuntime(parsed, catalogue, {
      clock: { now: () => 0, monotonic: () => 0 },
      http: { send: () => Promise.reject(new Error('no network in this test')) },
      hash: () => '',
    });
    expect(made.ok ? [] : made.findings).toEqual([]);
    if (made.ok) made.runtime.dispose();
  });
});
