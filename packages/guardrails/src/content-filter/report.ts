import type { Detection } from '../guardrail.ts';
import type { IntentFacts } from './competitor-intent.ts';
import type { Match, Rule } from './rule.ts';

/** The message of a block or a flag. Names the rule, never the matched text. */
export function message(rule: Rule): string {
  if (rule.kind === 'category' && rule.intent !== null) return rule.intent.message;
  if (rule.kind === 'category')
    return `Content blocked: ${rule.group} category keyword '${rule.name}' detected (severity: ${rule.severity})`;
  if (rule.kind !== 'keyword') return `Content blocked: ${rule.name} pattern detected`;
  const text = `Content blocked: keyword '${rule.name}' detected`;
  return rule.description === null ? text : `${text} (${rule.description})`;
}

/** Details of a block for clients that read the reference's fields. */
export function providerFields(rule: Rule): Readonly<Record<string, unknown>> {
  const error = message(rule);
  if (rule.kind === 'category' && rule.intent !== null) {
    const { intent, confidence, action } = rule.intent;
    return { error, intent, confidence, action_hint: action };
  }
  if (rule.kind === 'category')
    return { error, category: rule.group, keyword: rule.name, severity: rule.severity };
  if (rule.kind !== 'keyword') return { error, pattern: rule.name };
  return { error, keyword: rule.name, description: rule.description };
}

/** One entry of `guardrail_response`, in the reference's shape. */
export function responseEntry(rule: Rule): Readonly<Record<string, unknown>> {
  if (rule.kind === 'category' && rule.intent !== null) return intentEntry(rule.name, rule.intent);
  if (rule.kind === 'category') {
    const { group: category, name: keyword, severity, action } = rule;
    return { type: 'category_keyword', category, keyword, severity, action };
  }
  if (rule.kind !== 'keyword') return { type: 'pattern', pattern_name: rule.name, action: rule.action };
  return { type: 'blocked_word', keyword: rule.name, action: rule.action, description: rule.description };
}

/** The detection of a match at a place. */
export function detection(match: Match, span: Detection['span'], hash: (text: string) => string): Detection {
  const { rule } = match;
  return {
    type: rule.kind === 'keyword' ? 'blocked_word' : rule.kind === 'category' ? rule.group : rule.name,
    span,
    action: rule.action,
    method: methodOf(rule),
    score: rule.kind === 'category' ? (rule.intent?.confidence ?? rule.score) : null,
    category: rule.group,
    severity: rule.severity,
    hash: match.value === '' ? null : hash(match.value),
  };
}

function methodOf(rule: Rule): Detection['method'] {
  if (rule.kind === 'category') return rule.score === null ? 'keyword' : 'model';
  return rule.kind === 'keyword' ? 'keyword' : 'regex';
}

/** `name` is made of words of the configuration, never of the text. */
function intentEntry(name: string, facts: IntentFacts): Readonly<Record<string, unknown>> {
  const words = name.split(' + ');
  return {
    type: 'competitor_intent',
    intent: facts.intent,
    confidence: facts.confidence,
    action_hint: facts.action,
    entities: facts.signals.includes('competitor_named') ? words.slice(0, 1) : [],
    signals: facts.signals,
    evidence: words,
  };
}

/** How a finding that stops the request does so: a soft answer for competitor intent that is to be reframed (E7). */
export function stopOf(rule: Rule): 'block' | 'respond' {
  return rule.kind === 'category' && rule.intent?.action === 'reframe' ? 'respond' : 'block';
}
