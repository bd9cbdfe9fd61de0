import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { filter, inspect, masked, streamed } from './content-filter.ts';
import { defaultPatterns } from './evaluate.ts';
import {
  count,
  credentials,
  everything,
  exactness,
  masks,
  phrases,
  rate,
  rows,
  scoreSecrets,
  type Tally,
  tally,
} from './evaluate-secrets.ts';

/** Folder with the labelled development data. It is not part of the sources. */
const DATA = process.env['PORTCULLIS_DEV_DATA'];

function print(label: string, score: Tally): void {
  const wrong = [...score.wrong].map(([group, list]) => `${group} ${list.length}`).join(', ');
  process.stdout.write(
    `${label.padEnd(44)} ${(100 * rate(score)).toFixed(2)} % of ${score.all}${wrong === '' ? '' : `; not: ${wrong}`}\n`,
  );
}

describe.skipIf(DATA === undefined)('development data (PORTCULLIS_DEV_DATA names their folder)', () => {
  const evasion = () => rows(DATA ?? '', 'evasion_dev');

  test('values in disguise: 95 % masked; benign twins: at most 1 % flagged', { timeout: 60_000 }, () => {
    const detector = everything();
    const scores = { core: tally(), hard: tally(), twins: tally(), scripts: tally() };
    for (const row of evasion()) {
      const quiet = () => inspect(detector, [row.text]).detections.length === 0;
      const group = row.transform ?? '';
      if (row.family === 'value')
        count(row.tier === 'core' ? scores.core : scores.hard, masks(detector, row), group, row);
      else if (row.family === 'value_benign_twin') count(scores.twins, quiet(), group, row);
      else if (row.family === 'script_benign') count(scores.scripts, quiet(), group, row);
    }
    print('values in disguise', scores.core);
    print('values in disguise, hard', scores.hard);
    print('benign twins left alone', scores.twins);
    print('natural use of scripts left alone', scores.scripts);
    expect(rate(scores.core)).toBeGreaterThanOrEqual(0.95);
    expect(rate(scores.twins)).toBeGreaterThanOrEqual(0.99);
    expect(rate(scores.scripts)).toBe(1);
  });

  test('phrases in disguise: 90 % found; benign twins: at most 1 % flagged', { timeout: 60_000 }, () => {
    const all = evasion();
    const wanted = all.filter((row) => row.family === 'phrase');
    const plain = wanted.map((row) => row.plain ?? '');
    const standard = phrases(plain);
    const deep = filter({
      deobfuscate: 'deep',
      blocked_words: [...new Set(plain)].map((keyword) => ({ keyword, action: 'MASK' })),
    });
    const scores = { core: tally(), hard: tally(), twins: tally() };
    for (const row of wanted) {
      const hard = row.tier !== 'core';
      const found = inspect(hard ? deep : standard, [row.text]).detections.length > 0;
      count(hard ? scores.hard : scores.core, found, row.transform ?? '', row);
    }
    for (const row of all)
      if (row.family === 'phrase_benign_twin')
        count(scores.twins, inspect(deep, [row.text]).detections.length === 0, row.transform ?? '', row);
    print('phrases in disguise', scores.core);
    print('phrases in disguise, hard, deobfuscate: deep', scores.hard);
    print('benign twins left alone', scores.twins);
    expect(rate(scores.core)).toBeGreaterThanOrEqual(0.9);
    expect(rate(scores.twins)).toBeGreaterThanOrEqual(0.99);
  });

  test('streams: masked, and the same in any chunks', { timeout: 60_000 }, () => {
    const detector = everything();
    const score = tally();
    for (const row of evasion()) {
      if (row.family !== 'stream') continue;
      const { text } = streamed(detector, row.chunks ?? []);
      const same = text === streamed(detector, [row.text]).text && text === masked(detector, [row.text])[0];
      count(score, same && masks(detector, row), '', row);
    }
    print('streams', score);
    expect(rate(score)).toBeGreaterThanOrEqual(0.98);
  });

  test('secrets: vendors 98 %, near misses at most 5 %', { timeout: 60_000 }, () => {
    const all = rows(DATA ?? '', 'secrets_dev');
    const scores = scoreSecrets(all, credentials());
    for (const [part, score] of scores) print(`secrets: ${part}`, score);
    print('secrets: spans', exactness(all, credentials()));
    expect(rate(scores.get('vendor') ?? tally())).toBeGreaterThanOrEqual(0.98);
    expect(rate(scores.get('near_miss') ?? tally())).toBeGreaterThanOrEqual(0.95);
    expect(rate(scores.get('generic') ?? tally())).toBeGreaterThanOrEqual(0.6);
    expect(rate(scores.get('private_key') ?? tally())).toBe(1);
  });

  test('ordinary messages: at most 2 in 1,000 flagged, by any pattern of confidence', {
    timeout: 60_000,
  }, () => {
    for (const [label, detector] of [
      ['default patterns', defaultPatterns()],
      ['all patterns', everything()],
    ] as const) {
      const score = tally();
      for (const row of rows(DATA ?? '', 'benign_dev'))
        if (row.structured_pii_free === true)
          count(score, inspect(detector, [row.text]).detections.length === 0, row.family ?? '', row);
      print(`ordinary messages left alone, ${label}`, score);
      expect(rate(score)).toBeGreaterThanOrEqual(0.998);
    }
  });
});
