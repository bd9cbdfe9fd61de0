import { z } from 'zod';
import { ConfigProblem } from '../guardrail.ts';
import type { CategorySpec, WordPair } from './categories/spec.ts';
import { AIRLINES } from './data/airlines.ts';
import type { Severity } from './patterns/spec.ts';
import type { RuleSource } from './program.ts';

const INTENTS = [
  'competitor_comparison',
  'category_ranking',
  'possible_competitor_comparison',
  'log_only',
] as const;
const ACTIONS = ['allow', 'reframe', 'refuse', 'escalate', 'log_only'] as const;

export type Intent = (typeof INTENTS)[number];
type IntentAction = (typeof ACTIONS)[number];

/** What is done about an intent that the configuration's `policy` does not name. */
const POLICY: Readonly<Record<Intent, IntentAction>> = {
  competitor_comparison: 'refuse',
  category_ranking: 'reframe',
  possible_competitor_comparison: 'reframe',
  log_only: 'log_only',
};

/** How sure the words make us. A place in the sentence takes a name's meaning away altogether. */
const CONFIDENCE = { comparison: 0.75, ranking: 0.65, named: 0.55 } as const;

const COMPARISON =
  'better|best|worse|worst|cheaper|cheapest|faster|safer|safest|nicer|superior|inferior|compare|compared|comparison|versus|vs|vs.|instead of|rather than|alternative|alternatives|alternative to|switch to|switch from|switching to|difference between|differ from|recommend|rank|ranking|ranked|rating|rated|top|outperform*|or should i|prefer|preferable|as good as'.split(
    '|',
  );
const AIRLINE_WORDS =
  'airline|airlines|carrier|carriers|flag carrier|business class|first class|premium economy|economy class|frequent flyer program*|frequent flyer programme*|loyalty program*|lounge|lounges'.split(
    '|',
  );

const texts = (most: number) => z.array(z.string().min(1).max(200)).max(most).default([]);
const threshold = (value: number) => z.number().min(0).max(1).default(value);

/** `competitor_intent_config`: questions that compare with others, or ask for a ranking. */
export const competitorIntentSchema = z.strictObject({
  competitor_intent_type: z.enum(['airline', 'generic']).default('generic'),
  brand_self: texts(100),
  competitors: texts(1_000),
  competitor_aliases: z.record(z.string(), z.array(z.string().min(1).max(200))).default({}),
  /** Words that show an ambiguous name to be a place: they shield their sentence. */
  locations: texts(1_000),
  domain_words: texts(200),
  comparison_words: texts(200),
  policy: z.partialRecord(z.enum(INTENTS), z.enum(ACTIONS)).default({}),
  threshold_high: threshold(0.7),
  threshold_medium: threshold(0.45),
  threshold_low: threshold(0.3),
  reframe_message: z.string().min(1).max(2_000).nullish(),
  refuse_message: z.string().min(1).max(2_000).nullish(),
});
type CompetitorIntentConfig = z.infer<typeof competitorIntentSchema>;

/** What a match of competitor intent means, besides the words that were found. */
export interface IntentFacts {
  readonly intent: Intent;
  readonly confidence: number;
  readonly action: Exclude<IntentAction, 'allow'>;
  readonly signals: readonly string[];
  /** What the caller is told when the request does not go on. */
  readonly message: string;
}

/**
 * The rules of a configuration: named entities x intent words, each kind with its confidence. What the confidence means is
 * said by the thresholds, and what happens by `policy`.
 *
 * @throws ConfigProblem when there is nothing to look for, or when the thresholds are not in order.
 */
export function competitorRules(config: CompetitorIntentConfig): RuleSource[] {
  const { threshold_high: high, threshold_medium: medium, threshold_low: low } = config;
  if (!(high >= medium && medium >= low))
    throw problem('threshold_high', 'the thresholds have to be in order: high, medium, low');
  const rivals = rivalNames(config);
  const airline = config.competitor_intent_type === 'airline';
  const domain = [...config.domain_words, ...(airline ? AIRLINE_WORDS : [])];
  if (rivals.length === 0 && domain.length === 0)
    throw problem('competitors', 'name competitors, or domain_words to find rankings by');
  const comparison = config.comparison_words.length > 0 ? config.comparison_words : COMPARISON;
  const intents = (confidence: number): Intent | null =>
    confidence >= high
      ? 'competitor_comparison'
      : confidence >= medium
        ? 'possible_competitor_comparison'
        : confidence >= low
          ? 'log_only'
          : null;
  const sources: RuleSource[] = [];
  const add = (
    intent: Intent | null,
    confidence: number,
    signals: readonly string[],
    pairs: readonly WordPair[],
    names: readonly string[],
  ) => {
    const source = ruleOf(config, intent, confidence, signals, pairs, names);
    if (source !== null) sources.push(source);
  };
  if (rivals.length > 0) {
    const pair = { identifiers: rivals, blocks: [...comparison, ...config.brand_self] };
    add(
      intents(CONFIDENCE.comparison),
      CONFIDENCE.comparison,
      ['competitor_named', 'comparison_words'],
      [pair],
      [],
    );
    add(intents(CONFIDENCE.named), CONFIDENCE.named, ['competitor_named'], [], rivals);
  }
  if (domain.length > 0 && CONFIDENCE.ranking >= medium) {
    const pair = { identifiers: domain, blocks: comparison };
    add('category_ranking', CONFIDENCE.ranking, ['comparison_words', 'domain_words'], [pair], []);
  }
  return sources;
}

function ruleOf(
  config: CompetitorIntentConfig,
  intent: Intent | null,
  confidence: number,
  signals: readonly string[],
  pairs: readonly WordPair[],
  names: readonly string[],
): RuleSource | null {
  if (intent === null) return null;
  const action = config.policy[intent] ?? POLICY[intent];
  if (action === 'allow') return null;
  const spec: CategorySpec = {
    name: 'competitor_intent',
    display_name: 'Competitor intent',
    group: 'Competitor intent',
    description: '',
    action: 'BLOCK',
    keywords: names.map((keyword) => ({ keyword, severity: severityOf(config, confidence) })),
    always: [],
    pairs,
    exceptions: config.locations,
  };
  const brand = config.brand_self[0] ?? 'our own products';
  const message =
    action === 'reframe'
      ? (config.reframe_message ?? `I can help you with ${brand}. What would you like to know?`)
      : (config.refuse_message ?? 'I cannot compare with other providers.');
  return {
    kind: 'category',
    spec,
    threshold: 'low',
    action: action === 'log_only' ? 'LOG' : 'BLOCK',
    replacement: '',
    intent: { intent, confidence, action, signals, message },
  };
}

function severityOf(config: CompetitorIntentConfig, confidence: number): Severity {
  if (confidence >= config.threshold_high) return 'high';
  return confidence >= config.threshold_medium ? 'medium' : 'low';
}

/** The names of competitors with their aliases; one's own brand is none, even when a list holds it. */
function rivalNames(config: CompetitorIntentConfig): string[] {
  const own = new Set(config.brand_self.map((name) => name.toLowerCase()));
  const listed =
    config.competitor_intent_type === 'airline'
      ? AIRLINES.flatMap(({ name, aliases }) =>
          [name, ...aliases].some((one) => own.has(one.toLowerCase())) ? [] : [name, ...aliases],
        )
      : [];
  const given = [...config.competitors, ...Object.entries(config.competitor_aliases).flat(2)];
  return [...new Set([...given, ...listed])].filter((name) => !own.has(name.toLowerCase()));
}

function problem(field: string, message: string): ConfigProblem {
  return new ConfigProblem(['competitor_intent_config', field], message);
}
