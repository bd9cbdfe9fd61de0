/** When a policy's `condition.model` holds for a model name (K1-K3). */
import { RE2JS } from 're2js';
import { LIMITS } from './limits.ts';
import type { ModelCondition } from './schema/policy.ts';

/** Texts that are also a prefix: letters, digits and `. _ : / @ -`, closed by one `*` (K1). */
const PREFIX_FORM = /^[A-Za-z0-9._:/@-]*\*$/;

/** Texts in which no character has a meaning to the expression engine: equality says it all. */
const LITERAL_FORM = /^[A-Za-z0-9_:/@ -]*$/;

/** Whether one model name, already in NFC, satisfies a condition. */
export type ConditionMatcher = (name: string) => boolean;

/**
 * Why a condition's text is refused when written, or `null` when it is fine (K1, K2). A `text` may be a plain name, a
 * prefix or an expression; a `regex` must be an expression.
 */
export function conditionProblem(text: string, form: 'text' | 'regex' = 'text'): string | null {
  if (text.length > LIMITS.regexCharacters) {
    return `a condition's text has at most ${LIMITS.regexCharacters} characters`;
  }
  if (text.normalize('NFC') !== text) return 'a condition must be in Unicode normalisation form NFC';
  if (form === 'text' && PREFIX_FORM.test(text)) return null;
  const expression = parseExpression(text);
  if (typeof expression !== 'string') return null;
  return `not a valid regular expression (${expression}); to match a name literally use {"exact": ...}, to match its beginning {"prefix": ...}`;
}

/** Reads a condition that has passed {@link conditionProblem}. */
export function compileCondition(condition: ModelCondition): ConditionMatcher {
  if (typeof condition === 'string') return matchText(condition);
  if (Array.isArray(condition)) {
    const alternatives = condition.map(matchText);
    return (name) => alternatives.some((matches) => matches(name));
  }
  if ('exact' in condition) {
    const { exact } = condition;
    return (name) => name === exact;
  }
  if ('prefix' in condition) {
    const { prefix } = condition;
    return (name) => name.startsWith(prefix);
  }
  return matchExpression(condition.regex);
}

/** A plain string: equality, prefix form and whole-match expression; any of the alternatives counts (K1). */
function matchText(text: string): ConditionMatcher {
  if (text === '*') return () => true;
  if (LITERAL_FORM.test(text)) return (name) => name === text;
  const expression = matchExpression(text);
  if (!PREFIX_FORM.test(text)) return (name) => name === text || expression(name);
  const prefix = text.slice(0, -1);
  return (name) => name.startsWith(prefix) || expression(name);
}

function matchExpression(text: string): ConditionMatcher {
  const expression = parseExpression(text);
  // Unreachable for checked text; an expression that cannot be read holds for nothing rather than throwing.
  if (typeof expression === 'string') return () => false;
  return (name) => expression.matches(name);
}

/** The compiled expression, or the engine's complaint. The engine runs in linear time, so no text can stall it (K2). */
function parseExpression(text: string): RE2JS | string {
  try {
    return RE2JS.compile(text);
  } catch (problem) {
    return problem instanceof Error ? problem.message.replace(/^error parsing regexp: /, '') : 'unreadable';
  }
}
