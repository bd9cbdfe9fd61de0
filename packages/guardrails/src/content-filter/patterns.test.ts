import { describe, expect, test } from 'vitest';
import { findPattern, PATTERNS } from './patterns/index.ts';
import { layout } from './patterns/layout.ts';
import { inspect, prebuilt } from '../../test/content-filter.ts';

/** Names of the reference's prebuilt patterns, and of its side versions. */
const REFERENCE_NAMES = (
  'us_ssn us_ssn_no_dash us_phone street_address email passport_us ' +
  'passport_uk passport_germany passport_france passport_netherlands passport_canada passport_india ' +
  'passport_australia passport_china passport_japan passport_singapore nl_bsn_contextual au_tfn ' +
  'au_abn au_medicare visa mastercard amex discover ' +
  'credit_card iban aws_access_key aws_secret_key github_token slack_token ' +
  'generic_api_key ipv4 ipv6 url gender_sexual_orientation race_ethnicity_national_origin ' +
  'religion age_discrimination disability marital_family_status military_status public_assistance ' +
  'weapons_firearms weapons_other explosives violence_threats terrorism self_harm_suicide ' +
  'illegal_activities harassment_hate br_cpf br_cpf_unformatted br_phone_landline br_phone_mobile ' +
  'br_cep br_cnpj br_rg fr_nir eu_iban_enhanced fr_phone ' +
  'eu_vat eu_passport_generic fr_postal_code sg_nric sg_phone sg_postal_code ' +
  'sg_uen sg_bank_account uae_emirates_id uae_phone ca_sin ca_ohip ' +
  'ca_on_drivers_licence ca_immigration_doc ca_bank_account uoft_tcard skywards_number in_pan ' +
  'in_gstin cvv_contextual card_expiry_month_contextual card_expiry_year_contextual payment_card_number_contextual bank_account_number_contextual ' +
  'otp_contextual phone_number_international_contextual mac_address api_key_openai '
)
  .trim()
  .split(' ');

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

test('every pattern has ten positives and ten negatives, and says what it is', () => {
  const thin = PATTERNS.filter(
    (spec) =>
      spec.positives.length < 10 ||
      spec.negatives.length < 10 ||
      [spec.name, spec.display_name, spec.group, spec.description, spec.example].some(
        (text) => text === '',
      ) ||
      spec.regex.length === 0,
  ).map((spec) => spec.name);
  expect(thin).toEqual([]);
});

test('every name of the reference exists', () => {
  const missing = REFERENCE_NAMES.filter((name) => findPattern(name) === null);
  expect(missing).toEqual([]);
});

test('a number without a check digit is never blocked, nor found alone', () => {
  const layoutOnly = PATTERNS.filter(
    (spec) => spec.group.startsWith('PII ') && spec.anchor.kind === 'digit' && spec.validate === undefined,
  );
  expect(layoutOnly.length).toBeGreaterThan(5);
  expect(layoutOnly.filter((spec) => spec.context?.needed !== 'always').map((spec) => spec.name)).toEqual([]);
  expect(layoutOnly.filter((spec) => spec.action === 'BLOCK').map((spec) => spec.name)).toEqual([]);
});

describe('a layout', () => {
  test('says where the first digits stand and how many they are', () => {
    expect(layout('#{3}[ -]#{2}-#{4}')).toEqual({
      regex: '\\d{3}[ -]\\d{2}-\\d{4}',
      leads: [0],
      runs: [3],
      next: ' -',
      letters: true,
      digits: 9,
    });
    expect(layout('@{2} ?#{6}[A-D]')).toMatchObject({ leads: [2, 3], runs: [6], digits: 6 });
    expect(layout('#{3}[ .]?#{3}')).toMatchObject({ runs: [6, 3] });
    expect(layout('#{17}[0-9X]')).toMatchObject({ runs: [18, 17] });
  });
});
