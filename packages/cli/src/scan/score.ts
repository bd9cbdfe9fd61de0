import { entityOfPattern } from '@portcullis/guardrails';
import type { Scanned } from './scanner.ts';

/** What is known of a text. The format is that of the labelled data described in conformance/guardrails/README.md. */
export interface Labels {
  /** What the text is, for guardrails that judge texts as a whole; empty: nothing may be found. */
  readonly labels: readonly string[];
  readonly spans: readonly { readonly start: number; readonly end: number; readonly type: string }[];
  /** Types that count in this text alone; null for all. */
  readonly scope: readonly string[] | null;
  /** A miss is acceptable. */
  readonly weak: boolean;
}

/** Reads the labels of a line; what is not there says nothing. */
export function labelsOf(fields: Readonly<Record<string, unknown>>): Labels {
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
  const spans = Array.isArray(fields['spans']) ? fields['spans'].filter(isSpan) : [];
  return {
    labels: texts(fields['labels']),
    spans,
    scope: Array.isArray(fields['scope']) ? texts(fields['scope']) : null,
    weak: fields['weak'] === true,
  };
}

function isSpan(value: unknown): value is Labels['spans'][number] {
  const span = value as Partial<Labels['spans'][number]> | null;
  return typeof span?.start === 'number' && typeof span.end === 'number' && typeof span.type === 'string';
}

interface Counts {
  found: number;
  missed: number;
  wrong: number;
}

/** One type. Shares are null where there is nothing to share; intervals hold 95 %. */
export interface TypeReport extends Readonly<Counts> {
  readonly type: string;
  readonly precision: number | null;
  readonly precision_interval: Interval;
  readonly recall: number | null;
  readonly recall_interval: Interval;
  readonly f1: number | null;
  readonly f1_interval: Interval;
}

export interface Report {
  readonly texts: number;
  /** In the order of their names, `all` at the end. */
  readonly types: readonly TypeReport[];
  /** Of the texts in which nothing may be found. */
  readonly false_positives: {
    readonly texts: number;
    readonly flagged: number;
    readonly per_1000: number | null;
    readonly interval: Interval;
  };
  /** Texts that got no verdict: counted neither as found nor as missed. */
  readonly without_verdict: number;
}

type Interval = readonly [number, number];

/** Labels that stand for each other: sources differ in whether a postcode is an address and a bare domain a link. */
const FAMILIES: readonly (readonly string[])[] = [
  ['STREET_ADDRESS', 'ZIP_CODE'],
  ['URL', 'DOMAIN_NAME'],
  ['DATE_TIME', 'DATE_OF_BIRTH'],
  ['PERSON', 'TITLE'],
];
const isSame = (found: string, label: string): boolean =>
  found === label || FAMILIES.some((family) => family.includes(found) && family.includes(label));

/**
 * Counts what a guardrail finds in labelled texts. A labelled span is found when a finding of its type shares at least half
 * of what both cover together; a label without span when anything is found in the text at all.
 */
export class Score {
  readonly #types = new Map<string, Counts[]>();
  #texts = 0;
  #ordinary = 0;
  #flagged = 0;
  #withoutVerdict = 0;

  add({ labels, spans, scope, weak }: Labels, scanned: Scanned): void {
    this.#texts++;
    if (scanned.error !== undefined) {
      this.#withoutVerdict++;
      return;
    }
    const counts = (type: string) => scope === null || scope.some((one) => isSame(type, one));
    const found = scanned.detections
      .map((one) => ({ ...one, type: entityOfPattern(one.type) }))
      .filter(({ type }) => counts(type));
    const says = found.length > 0 || scanned.action === 'block' || scanned.action === 'respond';
    if (labels.length === 0 && spans.length === 0) {
      this.#ordinary++;
      if (says) this.#flagged++;
    }
    const here = new Map<string, Counts>();
    const of = (type: string): Counts => {
      const known = here.get(type) ?? { found: 0, missed: 0, wrong: 0 };
      here.set(type, known);
      return known;
    };
    for (const label of spans) {
      if (!counts(label.type)) continue;
      if (found.some((one) => isSame(one.type, label.type) && covers(one, label))) of(label.type).found++;
      else if (!weak) of(label.type).missed++;
    }
    if (spans.length === 0) {
      for (const label of labels) {
        if (says) of(label).found++;
        else if (!weak) of(label).missed++;
      }
    }
    // In a text that is labelled as a whole, no place of a finding is wrong.
    if (spans.length > 0 || labels.length === 0) {
      for (const one of found) {
        if (!spans.some((label) => isSame(one.type, label.type) && covers(one, label))) of(one.type).wrong++;
      }
    }
    for (const [type, count] of here) {
      const list = this.#types.get(type);
      if (list === undefined) this.#types.set(type, [count]);
      else list.push(count);
    }
  }

  report(): Report {
    const types = [...this.#types]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, texts]) => reportOf(type, texts));
    return {
      texts: this.#texts,
      types: [...types, reportOf('all', [...this.#types.values()].flat())],
      false_positives: {
        texts: this.#ordinary,
        flagged: this.#flagged,
        per_1000: this.#ordinary === 0 ? null : (this.#flagged / this.#ordinary) * 1000,
        interval: scaled(wilson(this.#flagged, this.#ordinary), 1000),
      },
      without_verdict: this.#withoutVerdict,
    };
  }
}

function covers(
  a: { readonly start: number | null; readonly end: number | null },
  b: { readonly start: number; readonly end: number },
): boolean {
  if (a.start === null || a.end === null) return false;
  const both = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return both > 0 && both / (Math.max(a.end, b.end) - Math.min(a.start, b.start)) >= 0.5;
}

function reportOf(type: string, texts: readonly Counts[]): TypeReport {
  const sum = sumOf(texts);
  const { found, missed, wrong } = sum;
  return {
    type,
    ...sum,
    precision: found + wrong === 0 ? null : found / (found + wrong),
    precision_interval: wilson(found, found + wrong),
    recall: found + missed === 0 ? null : found / (found + missed),
    recall_interval: wilson(found, found + missed),
    f1: f1Of(sum),
    f1_interval: bootstrap(texts),
  };
}

function sumOf(texts: readonly Counts[]): Counts {
  const sum = { found: 0, missed: 0, wrong: 0 };
  for (const one of texts) {
    sum.found += one.found;
    sum.missed += one.missed;
    sum.wrong += one.wrong;
  }
  return sum;
}

function f1Of({ found, missed, wrong }: Counts): number | null {
  const all = 2 * found + missed + wrong;
  return all === 0 ? null : (2 * found) / all;
}

/** The interval of Wilson (1927) for a share, at 95 %; everything when nothing was counted. */
function wilson(hits: number, all: number): Interval {
  if (all === 0) return [0, 1];
  const z = 1.96;
  const share = hits / all;
  const middle = (share + z ** 2 / (2 * all)) / (1 + z ** 2 / all);
  const half = (z / (1 + z ** 2 / all)) * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

const scaled = ([low, high]: Interval, by: number): Interval => [low * by, high * by];

const SAMPLES = 500;

/** F1 is no share of anything, so its interval comes from drawing the texts anew (percentile bootstrap, fixed seed). */
function bootstrap(texts: readonly Counts[]): Interval {
  if (texts.length === 0) return [0, 1];
  let state = 0x9e3779b9;
  const random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const values: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const sum = { found: 0, missed: 0, wrong: 0 };
    for (let draw = 0; draw < texts.length; draw++) {
      const one = texts[Math.floor(random() * texts.length)] as Counts;
      sum.found += one.found;
      sum.missed += one.missed;
      sum.wrong += one.wrong;
    }
    values.push(f1Of(sum) ?? 0);
  }
  values.sort((a, b) => a - b);
  return [values[Math.floor(SAMPLES * 0.025)] ?? 0, values[Math.ceil(SAMPLES * 0.975) - 1] ?? 1];
}
