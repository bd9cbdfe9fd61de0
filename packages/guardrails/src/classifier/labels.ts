/** What the local model looks for. The order is that of the model file. */
export const LABELS = [
  'injection',
  'jailbreak',
  'prompt_leak',
  'toxicity',
  'hate',
  'harassment',
  'self_harm',
  'sexual',
  'violence',
  'illicit',
] as const;

export type Label = (typeof LABELS)[number];

/** The labels that are attacks on the assistant; the others are about content. */
export const ATTACKS: readonly Label[] = ['injection', 'jailbreak', 'prompt_leak'];

/** Shares of ordinary texts that may be flagged, for which each label has a threshold. */
export const FALSE_POSITIVE_RATES = [0.01, 0.001] as const;
export type FalsePositiveRate = (typeof FALSE_POSITIVE_RATES)[number];
