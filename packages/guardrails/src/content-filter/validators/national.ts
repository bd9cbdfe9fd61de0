import { luhn, mod97 } from './payment.ts';
import { alphanumericOf, digitsOf, isRepeated, passIf, type Verdict, weighted } from './verdict.ts';

/** US social security number: areas, groups and serials that were never given out, and published sample numbers. */
export function usSsn(text: string): Verdict {
  const digits = digitsOf(text);
  const area = Number(digits.slice(0, 3));
  if (digits.length !== 9 || area === 0 || area === 666 || area >= 900) return 'fail';
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return 'fail';
  if (digits === '078051120' || digits === '219099999' || digits === '123456789') return 'fail';
  return isRepeated(digits) ? 'fail' : 'unknown';
}

/** Area codes of the US and the other NANP countries begin with 2 to 9 and are no N11 service code; so do exchanges. */
export function nanpPhone(text: string): Verdict {
  let digits = digitsOf(text.replace(/(?:x|ext).*$/i, ''));
  if (digits.length === 11 && digits.startsWith('1')) digits = digits.slice(1);
  return /^[2-9](?!11)\d{2}[2-9](?!11)\d{6}$/.test(digits) && !isRepeated(digits) ? 'unknown' : 'fail';
}

/** Dutch citizen service number: the "eleven test" with weights 9 to 2 and -1. */
export function nlBsn(text: string): Verdict {
  const digits = digitsOf(text).padStart(9, '0');
  if (digits.length !== 9 || isRepeated(digits)) return 'fail';
  return passIf(weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0);
}

/** Australian tax file number, 9 digits (weights 1,4,3,7,5,8,6,9,10 mod 11) or the older 8 digits (10,7,8,4,6,3,5,1). */
export function auTfn(text: string): Verdict {
  const digits = digitsOf(text);
  if (isRepeated(digits)) return 'fail';
  if (digits.length === 9) return passIf(weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0);
  return digits.length === 8 ? passIf(weighted(digits, [10, 7, 8, 4, 6, 3, 5, 1]) % 11 === 0) : 'fail';
}

/** Australian business number: first digit less one, weights 10,1,3..19, mod 89. */
export function auAbn(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || digits.startsWith('0')) return 'fail';
  return passIf((weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0);
}

/** Australian Medicare card: first digit 2 to 6, ninth digit is weights 1,3,7,9,1,3,7,9 mod 10. */
export function auMedicare(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[2-6]\d{9,10}$/.test(digits)) return 'fail';
  return passIf(weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8]));
}

/** Brazilian CPF: two check digits, weights 10..2 and 11..2, mod 11. */
export function brCpf(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || isRepeated(digits)) return 'fail';
  const first = mod11Check(weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]));
  const second = mod11Check(weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
  return passIf(digits.slice(9) === `${first}${second}`);
}

/** Brazilian CNPJ, also with the letters that new numbers have from 2026 (value = character code - 48). */
export function brCnpj(text: string): Verdict {
  const value = alphanumericOf(text);
  if (value.length !== 14 || isRepeated(value)) return 'fail';
  const weights = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
  const first = mod11Check(weighted(value, weights.slice(1)));
  const second = mod11Check(weighted(value, weights));
  return passIf(value.slice(12) === `${first}${second}`);
}

/** Brazilian RG as issued in Sao Paulo (weights 2..9 mod 11); other states use other rules, so a failure proves nothing. */
export function brRg(text: string): Verdict {
  const value = alphanumericOf(text);
  if (value.length !== 9) return 'unknown';
  const rest = weighted(value, [2, 3, 4, 5, 6, 7, 8, 9]) % 11;
  const check = (11 - rest) % 11;
  return (check === 10 ? 'X' : String(check)) === value[8] ? 'pass' : 'unknown';
}

function mod11Check(sum: number): number {
  const rest = sum % 11;
  return rest < 2 ? 0 : 11 - rest;
}

/** French NIR: 13 characters and the key 97 - (number mod 97); Corsican departments 2A and 2B count as 19 and 18. */
export function frNir(text: string): Verdict {
  const value = alphanumericOf(text);
  if (value.length !== 15) return 'fail';
  const number = value.slice(0, 13).replace('2A', '19').replace('2B', '18');
  if (!/^\d{13}$/.test(number)) return 'fail';
  const month = Number(number.slice(3, 5));
  if (month === 0 || (month > 12 && month < 20) || (month > 42 && month < 50)) return 'fail';
  return passIf(97 - Number(BigInt(number) % 97n) === Number(value.slice(13)));
}

const NRIC_LETTERS: Readonly<Record<string, string>> = {
  S: 'JZIHGFEDCBA',
  T: 'JZIHGFEDCBA',
  F: 'XWUTRQPNMLK',
  G: 'XWUTRQPNMLK',
  M: 'KLJNPQRTUWX',
};

/** Singapore NRIC and FIN: weights 2,7,6,5,4,3,2; T and G add 4, M adds 3; mod 11 selects the letter. */
export function sgNric(text: string): Verdict {
  const value = alphanumericOf(text);
  const letters = NRIC_LETTERS[value[0] ?? ''];
  if (letters === undefined || !/^.\d{7}[A-Z]$/.test(value)) return 'fail';
  const extra = value.startsWith('M') ? 3 : /^[TG]/.test(value) ? 4 : 0;
  const rest = (weighted(value.slice(1), [2, 7, 6, 5, 4, 3, 2]) + extra) % 11;
  return passIf(letters[value.startsWith('M') ? 10 - rest : rest] === value[8]);
}

/** Canadian social insurance number: Luhn; first digit not 0 or 8. */
export function caSin(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(/^[1-79]\d{8}$/.test(digits) && !isRepeated(digits) && luhn(digits));
}

/** Ontario health number: 10 digits, Luhn. Version letters do not count. */
export function caOhip(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(/^[1-9]\d{9}$/.test(digits) && luhn(digits));
}

/** Emirates id: 784, a plausible birth year, Luhn over the 15 digits. */
export function aeEmiratesId(text: string): Verdict {
  const digits = digitsOf(text);
  const year = Number(digits.slice(3, 7));
  return passIf(digits.length === 15 && year >= 1900 && year <= 2100 && luhn(digits));
}

/** Indian PAN: the fourth letter names the kind of holder. There is no public check digit. */
export function inPan(text: string): Verdict {
  return /^[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]$/i.test(text) ? 'unknown' : 'fail';
}

const BASE36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Indian GSTIN: state code, PAN, and a base-36 check character with alternating weights 1 and 2. */
export function inGstin(text: string): Verdict {
  const value = alphanumericOf(text);
  if (value.length !== 15 || Number(value.slice(0, 2)) > 38 || inPan(value.slice(2, 12)) === 'fail')
    return 'fail';
  let sum = 0;
  for (let i = 0; i < 14; i++) {
    const product = BASE36.indexOf(value[i] ?? '0') * (i % 2 === 0 ? 1 : 2);
    sum += Math.floor(product / 36) + (product % 36);
  }
  return passIf(BASE36[(36 - (sum % 36)) % 36] === value[14]);
}

/**
 * EU VAT numbers by country (VIES layouts). Where a check digit is public it decides; a layout without one is `unknown`.
 */
export function euVat(text: string): Verdict {
  const value = alphanumericOf(text);
  const layout = VAT_LAYOUTS[value.slice(0, 2)];
  if (layout === undefined || !layout.test(value.slice(2))) return 'fail';
  const digits = digitsOf(value.slice(2));
  switch (value.slice(0, 2)) {
    case 'FR': {
      const key = value.slice(2, 4);
      if (!/^\d\d$/.test(key)) return 'unknown';
      return passIf((12 + 3 * (Number(value.slice(4)) % 97)) % 97 === Number(key));
    }
    case 'IT':
      return passIf(luhn(digits));
    case 'BE':
      return passIf(97 - (Number(digits.slice(0, 8)) % 97) === Number(digits.slice(8)));
    case 'PT':
      return passIf(mod11Check(weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2])) === Number(digits[8]));
    case 'PL':
      return passIf(weighted(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === Number(digits[9]));
    case 'DK':
      return passIf(weighted(digits, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0);
    case 'FI':
      return passIf((11 - (weighted(digits, [7, 9, 10, 5, 8, 4, 2]) % 11)) % 11 === Number(digits[7]));
    case 'LU':
      return passIf(Number(digits.slice(0, 6)) % 89 === Number(digits.slice(6)));
    case 'NL':
      return mod97(value) === 1 || nlBsn(digits.slice(0, 9)) === 'pass' ? 'pass' : 'fail';
    default:
      return 'unknown';
  }
}

const VAT_LAYOUTS: Readonly<Record<string, RegExp>> = {
  AT: /^U\d{8}$/,
  BE: /^[01]\d{9}$/,
  BG: /^\d{9,10}$/,
  CY: /^\d{8}[A-Z]$/,
  CZ: /^\d{8,10}$/,
  DE: /^[1-9]\d{8}$/,
  DK: /^\d{8}$/,
  EE: /^\d{9}$/,
  EL: /^\d{9}$/,
  ES: /^[0-9A-Z]\d{7}[0-9A-Z]$/,
  FI: /^\d{8}$/,
  FR: /^[0-9A-HJ-NP-Z]{2}\d{9}$/,
  HR: /^\d{11}$/,
  HU: /^\d{8}$/,
  IE: /^(?:\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])$/,
  IT: /^\d{11}$/,
  LT: /^(?:\d{9}|\d{12})$/,
  LU: /^\d{8}$/,
  LV: /^\d{11}$/,
  MT: /^\d{8}$/,
  NL: /^\d{9}B\d{2}$/,
  PL: /^\d{10}$/,
  PT: /^\d{9}$/,
  RO: /^\d{2,10}$/,
  SE: /^\d{10}01$/,
  SI: /^\d{8}$/,
  SK: /^\d{10}$/,
};
