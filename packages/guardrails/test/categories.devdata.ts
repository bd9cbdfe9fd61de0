/** Measures categories on labelled policy sentences, and on texts that none of them may flag (see `labelled.devdata.ts`). */
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { CATEGORIES } from '../src/content-filter/categories/index.ts';
import type { Detector } from '../src/guardrail.ts';
import { filter, inspect } from './content-filter.ts';
import { readRows } from './evaluate.ts';

const DATA = process.env['PORTCULLIS_DEV_DATA'];

interface PolicyRow {
  readonly text: string;
  readonly policy?: string;
  readonly expected?: string;
  readonly role?: string;
  readonly labels?: readonly string[];
}

const rows = (name: string): readonly PolicyRow[] => readRows(path.join(DATA ?? '', `${name}.jsonl.gz`));

/** The category that a set of policy sentences is about, where the names differ. */
const CATEGORY_OF: Readonly<Record<string, string>> = {
  insults: 'denied_insults',
  investment: 'denied_financial_advice',
  age_discrimination: 'age_discrimination',
  disability_discrimination: 'disability',
  gender_discrimination: 'gender_sexual_orientation',
  military_discrimination: 'military_status',
  religion_discrimination: 'religion',
};

const flags = (detector: Detector, text: string) => inspect(detector, [text]).outcome.outcome !== 'clean';
const one = (category: string) => filter({ categories: [{ category, action: 'BLOCK' }] });
const print = (line: string) => process.stdout.write(`${line}\n`);

describe('categories on development data', () => {
  test('policy sentences: 94 % found in every set, none wrong', { timeout: 60_000 }, () => {
    const sets = new Map<string, PolicyRow[]>();
    for (const row of rows('categories_dev'))
      sets.set(row.policy ?? '', [...(sets.get(row.policy ?? '') ?? []), row]);
    expect(sets.size).toBe(13);
    for (const [policy, some] of sets) {
      const detector = one(CATEGORY_OF[policy] ?? policy);
      const block = some.filter((row) => row.expected === 'BLOCK');
      const found = block.filter((row) => flags(detector, row.text));
      const wrong = some.filter((row) => row.expected === 'ALLOW' && flags(detector, row.text));
      print(`${policy.padEnd(28)} found ${found.length} of ${block.length}, wrong ${wrong.length}`);
      expect(found.length).toBeGreaterThanOrEqual(0.93 * block.length);
      expect(wrong.map((row) => row.text)).toEqual([]);
    }
  });

  test('ordinary texts and near misses: 5 in 1,000 at most, for every category', { timeout: 300_000 }, () => {
    const texts = [
      ...rows('benign_dev').filter((row) => row.role !== 'system'),
      ...rows('injection_dev').filter((row) => row.labels?.length === 0),
    ];
    for (const { name } of CATEGORIES) {
      const detector = one(name);
      const count = texts.filter((row) => flags(detector, row.text)).length;
      if (count > 0) print(`${name.padEnd(36)} ${count} of ${texts.length}`);
      expect(count).toBeLessThanOrEqual(0.005 * texts.length);
    }
  });
});
