// The line that a finding is about, with everything that may be a secret hidden.
import { nearestName } from './suggest.ts';
import type { PlacedFinding } from './types.ts';

export interface Excerpt {
  readonly line: string;
  /** Column of the caret in `line`, 1-based. */
  readonly column: number;
}

const HIDDEN = '[hidden]';
/** A key and its plain value, in block or flow style. */
const PAIR =
  /(?<key>[\w.-]+)(?<gap>["']?\s*:\s+)(?![[{&*|>!])(?<value>"[^"]*"|'[^']*'|[^\s,}\]#][^,}\]#]*)/gu;
/** A key with whatever follows it. */
const KEY_AND_REST = /^(?<key>["']?[^"':]*["']?\s*:\s*)\S.*$/u;
/** Keys of providers, passwords in addresses, and long random texts. */
const SECRETS = [
  /\b(?:sk|pk|rk|ghp|gho|xox[a-z]|AKIA|AIza|eyJ)[-_]?[A-Za-z0-9_.-]{8,}/gu,
  /(?<=:\/\/)[^\s/@]+(?=@)/gu,
  /\b(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{24,}={0,2}/gu,
];
const MAX_WIDTH = 140;
/** Names of secrets, misspelt ones included: hiding too much costs less than showing one. */
const SECRET_WORDS = /key(?!word|s$)|secret|token(?!s$)|passw|pwd|cred|auth|database_url|dsn/iu;
const SECRET_NAMES = [
  'api_key',
  'key',
  'password',
  'secret',
  'token',
  'credentials',
  'authorization',
  'database_url',
];

/** Gives the source line of each finding in `text`; null when it has no place or its line is not there. */
export function excerptsOf(text: string): (finding: PlacedFinding) => Excerpt | null {
  const lines = text.split(/\r\n|\r|\n/u);
  return (finding) => excerptOf(lines, finding);
}

function excerptOf(lines: readonly string[], finding: PlacedFinding): Excerpt | null {
  if (finding.place === null) return null;
  const source = lines[finding.place.line - 1];
  if (source === undefined || source.trim() === '') return null;
  const hideAll = finding.code === 'yaml_syntax';
  const start = finding.place.column - 1;
  const before = hide(source.slice(0, start), hideAll);
  // The value of an unknown key may be anything, a secret too.
  const whole =
    finding.code === 'unknown_key'
      ? before + source.slice(start).replace(KEY_AND_REST, `$<key>${HIDDEN}`)
      : hide(source, hideAll);
  const column = whole.startsWith(before) ? before.length + 1 : finding.place.column;
  const line = whole.length > MAX_WIDTH ? `${whole.slice(0, MAX_WIDTH)}…` : whole;
  return { line: line.replaceAll('\t', ' '), column: Math.min(column, line.length + 1) };
}

function hide(source: string, hideAll: boolean): string {
  let line = source.replace(PAIR, (whole, key: string, gap: string, value: string) => {
    if (value.startsWith('os.environ/')) return whole;
    return hideAll || mayBeSecret(key) ? `${key}${gap}${HIDDEN}` : whole;
  });
  for (const pattern of SECRETS) line = line.replace(pattern, HIDDEN);
  return line;
}

function mayBeSecret(key: string): boolean {
  return SECRET_WORDS.test(key) || nearestName(key, SECRET_NAMES) !== null;
}
