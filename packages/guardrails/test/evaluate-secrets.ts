/**
 * Measures credentials, obfuscated values and phrases, and benign traffic on labelled data; how the rows look is said in the
 * README beside the data. Run by `disguises.devdata.ts`.
 */
import path from 'node:path';
import { PATTERNS } from '../src/content-filter/patterns/index.ts';
import { CREDENTIALS } from '../src/content-filter/patterns/spec.ts';
import type { Detector } from '../src/guardrail.ts';
import { filter, inspect, prebuilt } from './content-filter.ts';
import { covers, entities, readRows, type Row, type Span } from './evaluate.ts';

export interface SecretRow extends Row {
  readonly labels: readonly string[];
  readonly rule?: string;
  readonly family?: string;
  readonly category?: string;
  readonly transform?: string;
  readonly tier?: string;
  readonly plain?: string;
  readonly chunks?: readonly string[];
  readonly twin?: boolean;
}

/** How many of how many, and what was on the wrong side. */
export interface Tally {
  right: number;
  all: number;
  readonly wrong: Map<string, SecretRow[]>;
}

export const tally = (): Tally => ({ right: 0, all: 0, wrong: new Map() });

export function count(score: Tally, right: boolean, group: string, row: SecretRow): void {
  score.all += 1;
  if (right) score.right += 1;
  else score.wrong.set(group, [...(score.wrong.get(group) ?? []), row]);
}

export const rate = (score: Tally): number => score.right / Math.max(1, score.all);

export const rows = (folder: string, name: string): SecretRow[] =>
  readRows(path.join(folder, `${name}.jsonl.gz`)) as SecretRow[];

export const credentials = (): Detector =>
  prebuilt(
    PATTERNS.filter((spec) => spec.group === CREDENTIALS || /private_key/.test(spec.name)).map(
      (spec) => spec.name,
    ),
  );

/** Patterns as a careful operator configures them: all but those of low confidence. */
export const everything = (): Detector =>
  prebuilt(PATTERNS.filter((spec) => spec.confidence !== 'low').map((spec) => spec.name));

const touches = (a: Span, b: Span): boolean => Math.min(a.end, b.end) > Math.max(a.start, b.start);

/** Labelled secrets found per part, and rows without a secret that are left alone. */
export function scoreSecrets(all: readonly SecretRow[], detector: Detector): Map<string, Tally> {
  const scores = new Map<string, Tally>();
  for (const row of all) {
    const score = scores.get(row.part ?? '') ?? tally();
    scores.set(row.part ?? '', score);
    const found = entities(detector, row.text);
    const spans = row.spans ?? [];
    const right =
      row.labels.length === 0
        ? found.length === 0
        : spans.length === 0
          ? found.length > 0
          : spans.every((span) => found.some((one) => touches(one, span)));
    count(score, right, row.rule ?? row.category ?? row.family ?? '', row);
  }
  return scores;
}

/** How exact the spans of found secrets are: the share of labelled spans that a finding covers by half or more. */
export function exactness(all: readonly SecretRow[], detector: Detector): Tally {
  const score = tally();
  for (const row of all) {
    const found = entities(detector, row.text);
    for (const span of row.spans ?? [])
      count(
        score,
        found.some((one) => covers(one, span)),
        row.rule ?? row.family ?? '',
        row,
      );
  }
  return score;
}

/** Whether the edits of a text cover all of a labelled span. */
export function masks(detector: Detector, row: SecretRow): boolean {
  const { edits } = inspect(detector, [row.text]);
  return (row.spans ?? []).every((span) => {
    let at = span.start;
    for (const edit of edits) if (edit.start <= at && edit.end > at) at = edit.end;
    return at >= span.end;
  });
}

/** A filter for the phrases under test, as blocked words. */
export function phrases(plain: readonly string[]): Detector {
  return filter({ blocked_words: [...new Set(plain)].map((keyword) => ({ keyword, action: 'MASK' })) });
}
