import { alphanumericOf, digitsOf, isRepeated, passIf, type Verdict } from './verdict.ts';

/** Luhn, ISO/IEC 7812-1 annex B. `digits` holds ASCII digits only. */
export function luhn(digits: string): boolean {
  let sum = 0;
  let double = false;
  for (let i = digits.length - 1; i >= 0; i--) {
    let value = digits.charCodeAt(i) - 48;
    if (double) {
      value *= 2;
      if (value > 9) value -= 9;
    }
    sum += value;
    double = !double;
  }
  return digits.length > 0 && sum % 10 === 0;
}

export type CardBrand =
  | 'visa'
  | 'mastercard'
  | 'amex'
  | 'discover'
  | 'diners'
  | 'jcb'
  | 'unionpay'
  | 'maestro'
  | 'mir'
  | 'rupay';

/** Issuer ranges by leading digits, with the lengths in use. The first brand that fits names the card. */
export function cardBrand(digits: string): CardBrand | null {
  const n = digits.length;
  const two = Number(digits.slice(0, 2));
  const three = Number(digits.slice(0, 3));
  const four = Number(digits.slice(0, 4));
  if (digits.startsWith('4') && (n === 13 || n === 16 || n === 19)) return 'visa';
  if (n === 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720))) return 'mastercard';
  if (n === 15 && (two === 34 || two === 37)) return 'amex';
  if (n >= 16 && n <= 19 && (four === 6011 || (three >= 644 && three <= 649) || two === 65))
    return 'discover';
  if (
    n >= 14 &&
    n <= 19 &&
    ((three >= 300 && three <= 305) || four === 3095 || two === 36 || two === 38 || two === 39)
  ) {
    return 'diners';
  }
  if (n >= 16 && n <= 19 && four >= 3528 && four <= 3589) return 'jcb';
  if (n >= 16 && n <= 19 && four >= 2200 && four <= 2204) return 'mir';
  if (n >= 16 && n <= 19 && two === 62) return 'unionpay';
  if (n === 16 && (two === 60 || two === 81 || two === 82 || three === 508)) return 'rupay';
  if (n >= 12 && n <= 19 && (two === 50 || (two >= 56 && two <= 58) || digits.startsWith('6')))
    return 'maestro';
  return null;
}

/** A payment card of any brand: issuer range, length and Luhn. */
export function card(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(!isRepeated(digits) && cardBrand(digits) !== null && luhn(digits));
}

/** A payment card of one brand. */
export function cardOf(brand: CardBrand): (text: string) => Verdict {
  return (text) => {
    const digits = digitsOf(text);
    return passIf(!isRepeated(digits) && cardBrand(digits) === brand && luhn(digits));
  };
}

/** IBAN lengths by country, as in the SWIFT IBAN registry. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** The length an IBAN of this country has, or null for a country without IBAN. */
function ibanLength(country: string): number | null {
  return IBAN_LENGTHS.get(country.toUpperCase()) ?? null;
}

/** ISO 7064 mod 97-10 over letters (A=10 .. Z=35) and digits. */
export function mod97(text: string): number {
  let rest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    rest = code <= 57 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97;
  }
  return rest;
}

/**
 * Length of the IBAN at the beginning of a text that may go on with other words, or 0 when it is none: the country decides
 * how many letters and digits belong to it, and none may follow directly.
 */
export function ibanPrefix(text: string): number {
  let left = ibanLength(text.slice(0, 2)) ?? 0;
  for (let i = 0; i < text.length && left > 0; i++) {
    if (!/[0-9A-Za-z]/.test(text[i] ?? '')) continue;
    left -= 1;
    if (left === 0) return /^[0-9A-Za-z]/.test(text.slice(i + 1)) ? 0 : i + 1;
  }
  return 0;
}

/** IBAN: length by country and mod 97 = 1 (ISO 13616). */
export function iban(text: string): Verdict {
  const value = alphanumericOf(text);
  if (ibanLength(value.slice(0, 2)) !== value.length) return 'fail';
  return passIf(mod97(value.slice(4) + value.slice(0, 4)) === 1);
}
