import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { findPattern } from '../src/content-filter/patterns/index.ts';
import { entityOf } from '../src/content-filter/patterns/spec.ts';
import {
  accepts,
  covers,
  defaultPatterns,
  entities,
  everyPattern,
  f1,
  isEnglish,
  precision,
  readRows,
  recall,
  type Row,
  type Score,
  sameType,
  scoreIdentifiers,
  scoreRow,
  STRUCTURED,
  withoutUnlabelled,
  wrongVectors,
} from './evaluate.ts';

/** Folder with the labelled development data. It is not part of the sources. */
const DATA = process.env['PORTCULLIS_DEV_DATA'];

const rows = (name: string): Row[] => readRows(path.join(DATA ?? '', `${name}.jsonl.gz`));
const empty = (): Score => ({ found: 0, missed: 0, wrong: 0 });
const print = (line: string) => process.stdout.write(`${line}\n`);
const percent = (part: number, whole: number) => (whole === 0 ? '-' : ((100 * part) / whole).toFixed(1));

describe('the measure itself', () => {
  const row: Row = {
    id: '1',
    text: 'card 4111 1111 1111 1111',
    spans: [{ start: 5, end: 24, type: 'CREDIT_CARD' }],
  };

  test('a finding counts from half of the union on', () => {
    const label = { start: 0, end: 10, type: 'A' };
    expect(covers({ start: 0, end: 5, type: 'A' }, label)).toBe(true);
    expect(covers({ start: 0, end: 4, type: 'A' }, label)).toBe(false);
    expect(covers({ start: 0, end: 21, type: 'A' }, label)).toBe(false);
    expect(covers({ start: 10, end: 12, type: 'A' }, label)).toBe(false);
  });

  test('counts what is found, missed and wrong', () => {
    const score = empty();
    const types = new Set(['CREDIT_CARD', 'PHONE_NUMBER']);
    scoreRow(row, entities(everyPattern(), row.text), types, score);
    scoreRow(row, [], types, score);
    scoreRow(row, [{ start: 0, end: 4, type: 'PHONE_NUMBER' }], types, score);
    expect(score).toEqual({ found: 1, missed: 2, wrong: 1 });
    expect([precision(score), recall(score)]).toEqual([0.5, 1 / 3]);
    expect(f1(score)).toBeCloseTo(0.4);
  });

  test('knows labels that stand for each other', () => {
    expect(sameType('ZIP_CODE', 'STREET_ADDRESS')).toBe(true);
    expect(sameType('ZIP_CODE', 'URL')).toBe(false);
  });

  test('judges a value by expression and validator alone', () => {
    const pesel = findPattern('pl_pesel');
    if (pesel === null) throw new Error('pl_pesel is missing');
    expect(entityOf(pesel)).toBe('PL_PESEL');
    expect([
      accepts(pesel, '49612272041'),
      accepts(pesel, '49612272042'),
      accepts(pesel, '4961227204'),
    ]).toEqual([true, false, false]);
  });
});

describe.skipIf(DATA === undefined)('development data (PORTCULLIS_DEV_DATA names their folder)', () => {
  test('country identifiers: 97 % of the positives, 97 % of the near misses', { timeout: 60_000 }, () => {
    const scores = scoreIdentifiers(rows('pii_dev'), everyPattern());
    const below: string[] = [];
    for (const [entity, score] of [...scores].sort(([a], [b]) => a.localeCompare(b))) {
      const line = `${entity.padEnd(28)} found ${percent(score.hits, score.positives).padStart(5)} %, near misses left alone ${percent(score.quiet, score.negatives).padStart(5)} %, weak ${score.weakHits}/${score.weak}`;
      print(line);
      if (score.hits < 0.97 * score.positives || score.quiet < 0.97 * score.negatives) below.push(line);
    }
    expect(below).toEqual([]);
    expect(scores.size).toBeGreaterThan(70);
  });

  test('validators: every known number and every corrupted one', () => {
    expect(
      wrongVectors(rows('pii_vectors_dev')).map((row) => `${row.entity} ${row.text} ${row.valid}`),
    ).toEqual([]);
  });

  test('structured data in English: precision .98, recall .93', { timeout: 60_000 }, () => {
    const detector = defaultPatterns();
    const total = empty();
    const each = new Map([...STRUCTURED].map((type) => [type, empty()]));
    for (const row of rows('pii_dev')) {
      if (!isEnglish(row)) continue;
      const found = withoutUnlabelled(row, entities(detector, row.text));
      scoreRow(row, found, STRUCTURED, total);
      for (const [type, score] of each) scoreRow(row, found, new Set([type]), score);
    }
    for (const [type, score] of each) print(`${type.padEnd(20)} ${JSON.stringify(score)}`);
    print(`structured: precision ${precision(total).toFixed(4)}, recall ${recall(total).toFixed(4)}`);
    expect(precision(total)).toBeGreaterThanOrEqual(0.98);
    expect(recall(total)).toBeGreaterThanOrEqual(0.93);
  });

  test('all kinds of personal data, without a model: F1 .60', { timeout: 60_000 }, () => {
    const detector = everyPattern();
    const parts = rows('pii_dev').filter((row) => row.part === 'frames' || row.part?.startsWith('presidio'));
    const types = new Set(parts.flatMap((row) => (row.spans ?? []).map((span) => span.type)));
    const total = empty();
    for (const row of parts)
      scoreRow(row, withoutUnlabelled(row, entities(detector, row.text)), types, total);
    print(
      `all kinds: F1 ${f1(total).toFixed(3)}, precision ${precision(total).toFixed(3)}, recall ${recall(total).toFixed(3)}`,
    );
    expect(f1(total)).toBeGreaterThanOrEqual(0.6);
  });

  test('look-alikes: at most 2 flags; ordinary messages: at most 2 in 1,000', { timeout: 60_000 }, () => {
    const detector = defaultPatterns();
    const flagged = (row: Row) => entities(detector, row.text).length > 0;
    const alike = rows('pii_dev')
      .filter((row) => row.part === 'lookalikes')
      .filter(flagged);
    const plain = rows('benign_dev').filter((row) => row.structured_pii_free === true);
    const share = (1_000 * plain.filter(flagged).length) / plain.length;
    print(`look-alikes flagged ${alike.length}, ordinary messages flagged ${share.toFixed(2)} in 1,000`);
    expect(alike.map((row) => row.text).slice(2)).toEqual([]);
    expect(share).toBeLessThanOrEqual(2);
  });
});
