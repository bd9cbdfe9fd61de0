import { CREDENTIAL_PATTERNS } from './credentials.ts';
import { NATIONAL_PATTERNS } from './national.ts';
import { NETWORK_PATTERNS } from './network.ts';
import { PAYMENT_PATTERNS } from './payment.ts';
import { PII_PATTERNS } from './pii.ts';
import type { PatternSpec } from './spec.ts';

/** All prebuilt patterns, in the order in which lists show them. */
export const PATTERNS: readonly PatternSpec[] = [
  ...PII_PATTERNS,
  ...NATIONAL_PATTERNS,
  ...PAYMENT_PATTERNS,
  ...CREDENTIAL_PATTERNS,
  ...NETWORK_PATTERNS,
];

/** Other names under which configurations of the reference's side versions know a pattern. */
const ALIASES: Readonly<Record<string, string>> = { api_key_openai: 'openai_api_key' };

const BY_NAME: ReadonlyMap<string, PatternSpec> = new Map(PATTERNS.map((spec) => [spec.name, spec]));

/** The prebuilt pattern of this name, or null. */
export function findPattern(name: string): PatternSpec | null {
  return BY_NAME.get(ALIASES[name] ?? name) ?? null;
}
