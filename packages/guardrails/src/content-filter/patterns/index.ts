import { AMERICAS_PATTERNS } from './national-americas.ts';
import { ASIA_PACIFIC_PATTERNS } from './national-asia-pacific.ts';
import { ADDRESS_PATTERNS } from './address.ts';
import { BANK_PATTERNS } from './bank.ts';
import { CREDENTIAL_PATTERNS } from './credentials.ts';
import { CRYPTO_PATTERNS } from './crypto.ts';
import { DATE_PATTERNS } from './dates.ts';
import { EUROPE_PATTERNS } from './national-europe.ts';
import { HIDDEN_PATTERNS } from './hidden.ts';
import { NATIONAL_PATTERNS } from './national.ts';
import { NETWORK_PATTERNS } from './network.ts';
import { PAYMENT_PATTERNS } from './payment.ts';
import { PERSON_PATTERNS } from './person.ts';
import { PII_PATTERNS } from './pii.ts';
import { SECRET_PATTERNS } from './secrets/index.ts';
import { CREDENTIALS, entityOf, type PatternSpec } from './spec.ts';
import { WORD_PATTERNS } from './words.ts';

/** All prebuilt patterns, in the order in which lists show them. */
export const PATTERNS: readonly PatternSpec[] = [
  ...PII_PATTERNS,
  ...ADDRESS_PATTERNS,
  ...DATE_PATTERNS,
  ...PERSON_PATTERNS,
  ...EUROPE_PATTERNS,
  ...AMERICAS_PATTERNS,
  ...ASIA_PACIFIC_PATTERNS,
  ...NATIONAL_PATTERNS,
  ...PAYMENT_PATTERNS,
  ...BANK_PATTERNS,
  ...CRYPTO_PATTERNS,
  ...CREDENTIAL_PATTERNS,
  ...SECRET_PATTERNS,
  ...NETWORK_PATTERNS,
  ...WORD_PATTERNS,
  ...HIDDEN_PATTERNS,
];

/** Other names under which configurations of the reference's side versions know a pattern. */
const ALIASES: Readonly<Record<string, string>> = { api_key_openai: 'openai_api_key' };

const BY_NAME: ReadonlyMap<string, PatternSpec> = new Map(PATTERNS.map((spec) => [spec.name, spec]));

/** The prebuilt pattern of this name, or null. */
export function findPattern(name: string): PatternSpec | null {
  return BY_NAME.get(ALIASES[name] ?? name) ?? null;
}

/**
 * The patterns that find personal data and pay for themselves in ordinary traffic: identifiers with a check or a context,
 * contact and payment data. Credentials are a set of their own; words and layouts of low confidence are left out.
 */
export const DEFAULT_PII: readonly PatternSpec[] = PATTERNS.filter(
  (spec) => spec.group !== CREDENTIALS && spec.confidence !== 'low',
);

/** The entity of a detection's type: that of the prebuilt pattern of this name, or the type itself. */
export function entityOfPattern(type: string): string {
  const spec = findPattern(type);
  return spec === null ? type : entityOf(spec);
}
