/**
 * Measures the prebuilt patterns on labelled data: precision and recall per entity (a hit counts when it covers at least
 * half of the union with the labelled span), flags on look-alikes, and flags per 1,000 ordinary messages.
 *
 * The data are lines of JSON, plain or gzipped: `{text, spans?: [{start, end, type}], scope?, not_for?, weak?, part?}`; see
 * `labelled.devdata.ts` for where they are read from.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_PII, findPattern, PATTERNS } from '../src/content-filter/patterns/index.ts';
import { entityOf, type PatternSpec } from '../src/content-filter/patterns/spec.ts';
import type { Detector } from '../src/guardrail.ts';
import { inspect, prebuilt } from './content-filter.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

/** One labelled text. What the fields mean is said in the README beside the data. */
export interface Row {
  readonly id: string;
  readonly text: string;
  readonly spans?: readonly Span[];
  readonly scope?: readonly string[];
  readonly not_for?: readonly string[];
  readonly weak?: boolean;
  readonly part?: string;
  readonly lang?: string;
  readonly structured_pii_free?: boolean;
  readonly entity?: string;
  readonly valid?: boolean;
}

/** Found, missed and wrongly found. */
export interface Score {
  found: number;
  missed: number;
  wrong: number;
}

export const precision = (score: Score): number => score.found / Math.max(1, score.found + score.wrong);
export const recall = (score: Score): number => score.found / Math.max(1, score.found + score.missed);
export const f1 = (score: Score): number => {
  const [p, r] = [precision(score), recall(score)];
  return p + r === 0 ? 0 : (2 * p * r) / (p + r);
};

/** Reads a `.jsonl` or `.jsonl.gz` file. */
export function readRows(file: string): Row[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

export const everyPattern = (): Detector => prebuilt(PATTERNS.map((spec) => spec.name));
export const defaultPatterns = (): Detector => prebuilt(DEFAULT_PII.map((spec) => spec.name));

/** What a detector finds in a text, under the names of entities. */
export function entities(detector: Detector, text: string): Span[] {
  return inspect(detector, [text]).detections.map((found) => {
    const spec = findPattern(found.type);
    return {
      start: found.span?.start ?? 0,
      end: found.span?.end ?? 0,
      type: spec === null ? found.type : entityOf(spec),
    };
  });
}

/** Whether two spans share at least half of what they cover together. */
export function covers(a: Span, b: Span): boolean {
  const both = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return both > 0 && both / (Math.max(a.end, b.end) - Math.min(a.start, b.start)) >= 0.5;
}

/** Labels that stand for each other: sources differ in whether a postcode is an address and a bare domain a link. */
const FAMILIES: readonly (readonly string[])[] = [
  ['STREET_ADDRESS', 'ZIP_CODE'],
  ['URL', 'DOMAIN_NAME'],
  ['DATE_TIME', 'DATE_OF_BIRTH'],
  ['PERSON', 'TITLE'],
];

/** Whether a finding of the type `found` answers a label of the type `label`. */
export function sameType(found: string, label: string): boolean {
  return found === label || FAMILIES.some((family) => family.includes(found) && family.includes(label));
}

/** Scores findings of the given types against the labels of one row; other findings are not looked at. */
export function scoreRow(row: Row, found: readonly Span[], types: ReadonlySet<string>, score: Score): void {
  const labels = row.spans ?? [];
  for (const label of labels) {
    if (!types.has(label.type)) continue;
    if (found.some((span) => sameType(span.type, label.type) && covers(span, label))) score.found += 1;
    else score.missed += 1;
  }
  for (const span of found) {
    if (
      types.has(span.type) &&
      !labels.some((label) => sameType(span.type, label.type) && covers(span, label))
    )
      score.wrong += 1;
  }
}

/** Per entity: its positives that are found, and its near misses that are left alone. Weak positives are counted apart. */
export interface IdentifierScore {
  positives: number;
  hits: number;
  weak: number;
  weakHits: number;
  negatives: number;
  quiet: number;
}

/** Scores rows that test one entity each, in `scope` (a positive) or in `not_for` (a near miss). */
export function scoreIdentifiers(
  rows: readonly Row[],
  detector: Detector,
  report: (kind: 'missed' | 'wrong', entity: string, row: Row) => void = () => undefined,
): Map<string, IdentifierScore> {
  const scores = new Map<string, IdentifierScore>();
  for (const row of rows) {
    if (row.part !== 'identifiers') continue;
    const entity = (row.not_for ?? row.scope)?.[0];
    if (entity === undefined) continue;
    const score = scores.get(entity) ?? {
      positives: 0,
      hits: 0,
      weak: 0,
      weakHits: 0,
      negatives: 0,
      quiet: 0,
    };
    scores.set(entity, score);
    const found = entities(detector, row.text).filter((span) => span.type === entity);
    if (row.not_for !== undefined) {
      score.negatives += 1;
      if (found.length === 0) score.quiet += 1;
      else report('wrong', entity, row);
      continue;
    }
    const label = row.spans?.find((span) => span.type === entity);
    const hit = label !== undefined && found.some((span) => covers(span, label));
    if (row.weak === true) {
      score.weak += 1;
      if (hit) score.weakHits += 1;
    } else {
      score.positives += 1;
      if (hit) score.hits += 1;
      else report('missed', entity, row);
    }
  }
  return scores;
}

/** Whether a pattern's expressions take the whole text and its validator does not refuse it, whatever stands around it. */
export function accepts(spec: PatternSpec, text: string): boolean {
  return spec.regex.some((source) => {
    const match = new RegExp(`^(?:${source})`, spec.ignoreCase === true ? 'i' : '').exec(text);
    if (match === null) return false;
    const value = match[1] ?? match[0];
    const length = spec.trim === undefined ? value.length : spec.trim(value);
    return length === text.length && spec.validate?.(text) !== 'fail';
  });
}

/** Known numbers and corrupted ones, judged by expression and validator alone: the rows that are judged wrongly. */
export function wrongVectors(rows: readonly Row[]): Row[] {
  const byEntity = new Map<string, PatternSpec[]>();
  for (const spec of PATTERNS) byEntity.set(entityOf(spec), [...(byEntity.get(entityOf(spec)) ?? []), spec]);
  return rows.filter((row) => {
    const specs = byEntity.get(row.entity ?? '') ?? [];
    return specs.some((spec) => accepts(spec, row.text)) !== (row.valid === true);
  });
}

/** Values whose layout or check decides; the bar of precision counts these. */
export const STRUCTURED: ReadonlySet<string> = new Set([
  'CREDIT_CARD',
  'EMAIL_ADDRESS',
  'PHONE_NUMBER',
  'US_SSN',
  'IBAN_CODE',
  'IP_ADDRESS',
  'URL',
  'DOMAIN_NAME',
  'ZIP_CODE',
  'US_DRIVER_LICENSE',
]);

/** Rows of English texts with running sentences, forms and logs, whose labels are complete. */
export const isEnglish = (row: Row): boolean =>
  (row.part === 'frames' && row.lang === 'en') || (row.part?.startsWith('presidio') ?? false);

/** Links that carry another value are not labelled in the frames, so links count only where one is labelled. */
export function withoutUnlabelled(row: Row, found: readonly Span[]): readonly Span[] {
  const labelled = (types: readonly string[]) =>
    row.spans?.some((span) => types.includes(span.type)) ?? false;
  return found.filter((span) => {
    if (span.type === 'URL' || span.type === 'DOMAIN_NAME') return labelled(['URL', 'DOMAIN_NAME']);
    if (span.type === 'DATE_OF_BIRTH' || span.type === 'DATE_TIME') return labelled(['DATE_TIME']);
    return true;
  });
}
