/**
 * Floors for categories and the local model on sentences of our own, in files that users can also write and read:
 * `conformance/guardrails/*.jsonl`, one JSON object on each line.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { classifierSchema } from '../src/classifier/config.ts';
import { classifier } from '../src/classifier/index.ts';
import { CATEGORIES } from '../src/content-filter/categories/index.ts';
import { filter, inspect, ports } from './content-filter.ts';

function lines<T>(name: string): T[] {
  const file = new URL(`../../../conformance/guardrails/${name}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

interface CategoryCase {
  readonly category: string;
  readonly block: readonly string[];
  readonly allow: readonly string[];
}

describe('categories', () => {
  const cases = lines<CategoryCase>('categories');

  test('every shipped category has its cases', () => {
    expect(cases.map(({ category }) => category).sort()).toEqual(CATEGORIES.map(({ name }) => name).sort());
    expect(cases.filter(({ block, allow }) => block.length < 2 || allow.length < 2)).toEqual([]);
  });

  test.each(cases)(
    '$category finds what it is for, and leaves its near misses alone',
    ({ category, block, allow }) => {
      const detector = filter({ categories: [{ category, action: 'BLOCK' }] });
      const isBlocked = (text: string) => inspect(detector, [text]).outcome.outcome === 'flagged';
      expect(block.filter((text) => !isBlocked(text))).toEqual([]);
      expect(allow.filter(isBlocked)).toEqual([]);
    },
  );
});

describe('all categories together', () => {
  test('ordinary texts pass', () => {
    const general = CATEGORIES.filter(({ group }) => group !== 'Airlines' && group !== 'Advice limits');
    const detector = filter({ categories: general.map(({ name }) => ({ category: name, action: 'BLOCK' })) });
    const flagged = lines<{ text: string }>('ordinary').filter(
      ({ text }) => inspect(detector, [text]).outcome.outcome !== 'clean',
    );
    expect(flagged).toEqual([]);
  });
});

interface LabelledText {
  readonly text: string;
  readonly label: string | null;
}

describe('the local model', () => {
  const detector = classifier.create(
    classifierSchema.parse({ guardrail: 'portcullis_classifier', mode: 'pre_call' }),
    ports,
  );
  const types = (text: string) => inspect(detector, [text]).detections.map(({ type }) => type);

  test('finds at least four in five attacks and harmful texts of our own', () => {
    const positives = lines<LabelledText>('labelled').filter(({ label }) => label !== null);
    const missed = positives.filter(({ text }) => types(text).length === 0);
    expect(positives.length).toBeGreaterThanOrEqual(60);
    expect({ missed: missed.length <= 0.2 * positives.length ? [] : missed }).toEqual({ missed: [] });
  });

  test('leaves at least 97 in 100 near misses and ordinary texts alone', () => {
    const negatives = [
      ...lines<LabelledText>('labelled').filter(({ label }) => label === null),
      ...lines<LabelledText>('ordinary'),
    ];
    const flagged = negatives.filter(({ text }) => types(text).length > 0);
    expect(negatives.length).toBeGreaterThanOrEqual(100);
    expect({ flagged: flagged.length <= 0.03 * negatives.length ? [] : flagged }).toEqual({ flagged: [] });
  });
});
