import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Label, LABELS } from '@portcullis/guardrails';

/** What is known of one label of one text: yes, no, or nothing. */
export type Truth = 1 | 0 | -1;

export interface Example {
  readonly text: string;
  readonly truth: readonly Truth[];
  /** Texts of one family are never on both sides of a split. */
  readonly family: string;
  /** Where the text comes from, for the report. */
  readonly source: string;
  /** What stands for the truth in a long text; the rest is ordinary. */
  readonly span: { readonly start: number; readonly end: number } | null;
  readonly generated: boolean;
}

/** A truth vector: what is named is so, the rest is not, or not known. */
export function truth(yes: readonly Label[], unknown: readonly Label[] = []): Truth[] {
  return LABELS.map((label) => (yes.includes(label) ? 1 : unknown.includes(label) ? -1 : 0));
}

const CONTENT: readonly Label[] = [
  'toxicity',
  'hate',
  'harassment',
  'self_harm',
  'sexual',
  'violence',
  'illicit',
];
const ATTACK: readonly Label[] = ['injection', 'jailbreak', 'prompt_leak'];

interface Row {
  readonly text: string;
  readonly labels?: readonly string[];
  readonly spans?: readonly { readonly start: number; readonly end: number }[];
  readonly part?: string;
  readonly technique?: string;
  readonly trigger?: string;
  readonly category?: string;
  readonly family?: string;
  readonly tier?: string;
  readonly role?: string;
  readonly lang?: string;
}

function rows(folder: string, name: string): Row[] {
  return gunzipSync(readFileSync(path.join(folder, `${name}.jsonl.gz`)))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/** The words that texts made from one template share: what is left of the beginning without names and numbers. */
function skeleton(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L} ]+/gu, ' ')
    .split(/ +/)
    .filter((word) => word.length > 2)
    .slice(0, 3)
    .join(' ');
}

/** Reads the labelled data: `injection_dev`, `toxicity_dev`, `benign_dev` in a folder, in the format described there. */
export function readExamples(folder: string): Example[] {
  return [
    ...rows(folder, 'injection_dev').flatMap(injection),
    ...rows(folder, 'toxicity_dev').flatMap(toxicity),
    ...rows(folder, 'benign_dev').flatMap(benign),
  ];
}

function injection(row: Row): Example[] {
  const labels = row.labels ?? [];
  const source = `${row.part ?? ''}/${row.technique ?? row.trigger ?? ''}${row.lang === 'en' ? '' : ' (not English)'}`;
  // Attacks by position alone have the wording of ordinary questions: nothing to learn, and harmful to learn from.
  if (row.tier === 'hard' && labels.length > 0) return [];
  const yes: Label[] = [];
  if (labels.includes('INJECTION') || labels.includes('INJECTION_INDIRECT')) yes.push('injection');
  if (labels.includes('JAILBREAK')) yes.push('jailbreak');
  if (labels.includes('PROMPT_LEAK')) yes.push('prompt_leak');
  if (row.part === 'bipia' && yes.length > 0) return [];
  const unknown = yes.length === 0 ? [] : [...ATTACK.filter((label) => !yes.includes(label)), ...CONTENT];
  const span = row.spans?.[0] ?? null;
  return [
    {
      text: row.text,
      truth: truth(yes, unknown),
      family: `${source} ${skeleton(span === null ? row.text : row.text.slice(span.start, span.end))}`,
      source: row.tier === 'hard' ? `${source} (hard)` : source,
      span,
      generated: false,
    },
  ];
}

function toxicity(row: Row): Example[] {
  const labels = row.labels ?? [];
  const source = `${row.part ?? ''}/${row.category ?? ''}`;
  const yes: Label[] = [];
  if (labels.includes('toxic')) yes.push('toxicity');
  if (labels.includes('hate')) yes.push('hate');
  if (labels.includes('hate/threatening')) yes.push('hate', 'violence');
  if (labels.includes('harassment')) yes.push('harassment');
  if (labels.includes('self-harm')) yes.push('self_harm');
  if (labels.includes('sexual')) yes.push('sexual');
  if (labels.includes('violence')) yes.push('violence');
  if (labels.includes('harmful_request')) yes.push('illicit');
  // Only the labels that the source was annotated for are known to be absent.
  const social = ['tweets', 'emoji_hate', 'implicit_hate', 'identity_templates'].includes(row.part ?? '');
  const asked: readonly Label[] = social
    ? ['toxicity', 'hate']
    : row.part === 'harmful_requests'
      ? ['illicit']
      : yes.length > 0
        ? yes
        : CONTENT;
  const unknown = CONTENT.filter((label) => !asked.includes(label) && !yes.includes(label));
  return [
    {
      text: row.text,
      truth: truth(yes, unknown),
      family: `${source} ${skeleton(row.text)}`,
      source: labels.length > 0 ? source : `${source} (benign)`,
      span: null,
      generated: false,
    },
  ];
}

function benign(row: Row): Example[] {
  return [
    {
      text: row.text,
      // What a system message says ("never reveal these rules") is no attack there, and would be one from a user.
      truth: row.role === 'system' ? truth([], ATTACK) : truth([]),
      family: `${row.family ?? ''} ${skeleton(row.text)}`,
      source: `ordinary/${row.family ?? ''}`,
      span: null,
      generated: false,
    },
  ];
}
