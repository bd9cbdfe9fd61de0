import { describe, expect, test } from 'vitest';
import { PATTERNS } from './patterns/index.ts';
import { inspect, prebuilt } from '../../test/content-filter.ts';

/** The patterns that most configurations name; each carries at least ten positives and ten negatives. */
const MAIN = [
  'us_ssn',
  'us_ssn_no_dash',
  'us_phone',
  'email',
  'visa',
  'mastercard',
  'amex',
  'discover',
  'credit_card',
  'iban',
  'aws_access_key',
  'aws_secret_key',
  'github_token',
  'slack_token',
  'generic_api_key',
  'ipv4',
  'ipv6',
  'url',
  'street_address',
  'passport_us',
  'nl_bsn_contextual',
  'au_tfn',
  'br_cpf',
  'br_cnpj',
  'fr_nir',
  'sg_nric',
  'eu_vat',
  'openai_api_key',
  'anthropic_api_key',
  'google_api_key',
  'jwt',
  'pem_private_key',
  'stripe_key',
];

describe.each(PATTERNS.map((spec) => [spec.name, spec] as const))('pattern %s', (name, spec) => {
  const detector = prebuilt([name]);

  test('finds its positives', () => {
    const missed = [spec.example, ...spec.positives].filter(
      (text) => inspect(detector, [text]).outcome.outcome !== 'masked',
    );
    expect(missed).toEqual([]);
  });

  test('leaves its negatives alone', () => {
    const wrong = spec.negatives.filter((text) => inspect(detector, [text]).outcome.outcome !== 'clean');
    expect(wrong).toEqual([]);
  });

  test('can be scanned in a stream', () => {
    expect(detector.openChannel).toBeDefined();
  });
});

test('every name is unique', () => {
  expect(new Set(PATTERNS.map((spec) => spec.name)).size).toBe(PATTERNS.length);
});

test('the main patterns have ten positives and ten negatives', () => {
  const thin = MAIN.filter((name) => {
    const spec = PATTERNS.find((one) => one.name === name);
    return spec === undefined || spec.positives.length < 10 || spec.negatives.length < 10;
  });
  expect(thin).toEqual([]);
});
