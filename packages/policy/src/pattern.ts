import { LIMITS } from './limits.ts';

/** A compiled pattern (M1). `text` is what was written; `prefix` is the text before the final `*`. */
export type Pattern =
  | { readonly kind: 'any'; readonly text: '*' }
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'prefix'; readonly text: string; readonly prefix: string };

/** Why a pattern is refused when written, or `null` when it is fine (M1). */
export function patternProblem(text: string): string | null {
  if (text.length === 0) return 'a pattern must not be empty; use "*" to match everything';
  if (text.length > LIMITS.patternCharacters) {
    return `a pattern has at most ${LIMITS.patternCharacters} characters`;
  }
  if (text.normalize('NFC') !== text) return 'a pattern must be in Unicode normalisation form NFC';
  return null;
}

/** Reads a pattern that has passed {@link patternProblem}. `*` and `?` anywhere but at the end are literal. */
export function parsePattern(text: string): Pattern {
  if (text === '*') return { kind: 'any', text };
  if (text.endsWith('*')) return { kind: 'prefix', text, prefix: text.slice(0, -1) };
  return { kind: 'exact', text };
}

/** Whether `value` is matched. An absent value is matched only by `*` (M2). */
export function matchesPattern(pattern: Pattern, value: string | null): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'exact':
      return value === pattern.text;
    case 'prefix':
      return value?.startsWith(pattern.prefix) ?? false;
  }
}

const ID_FORM = /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{64})$/iu;

/**
 * Whether a text has the form of an id: a UUID or a token hash (64 hexadecimal digits). Only such patterns are compared
 * with ids, and an alias of this form is refused, so that no alias can pose as an id (M9).
 */
export function hasIdForm(text: string): boolean {
  return ID_FORM.test(text);
}
