import { at, isDate, mod11 } from './checks.ts';
import { luhn } from './payment.ts';
import { alphanumericOf, digitsOf, isRepeated, passIf, type Verdict, weighted } from './verdict.ts';

/** Numbers of American countries. Each check follows the rule that the issuing authority publishes, as said beside it. */

/** US individual taxpayer number: 9xx with the groups that the IRS has opened. There is no check digit. */
export function usItin(text: string): Verdict {
  const digits = digitsOf(text);
  return /^9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/.test(digits) ? 'unknown' : 'fail';
}

/** US employer number: prefixes of the campuses of the IRS. There is no check digit. */
export function usEin(text: string): Verdict {
  const digits = digitsOf(text);
  const bad = [
    '00',
    '07',
    '08',
    '09',
    '17',
    '18',
    '19',
    '28',
    '29',
    '49',
    '69',
    '70',
    '78',
    '79',
    '89',
    '96',
    '97',
  ];
  return digits.length === 9 && !bad.includes(digits.slice(0, 2)) ? 'unknown' : 'fail';
}

/** US provider identifier: Luhn over the number with 80840 in front (45 CFR 162.406); begins with 1 or 2. */
export function usNpi(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(/^[12]\d{9}$/.test(digits) && luhn(`80840${digits}`));
}

/** US registration for controlled substances: (d1+d3+d5) + 2(d2+d4+d6) ends in the seventh digit. */
export function usDea(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-HJ-NPRSTUX][A-Z9]\d{7}$/.test(value)) return 'fail';
  const sum = weighted(value.slice(2), [1, 2, 1, 2, 1, 2]);
  return passIf(sum % 10 === at(value, 8, 1) && !isRepeated(value.slice(2)));
}

/** US Medicare beneficiary identifier: eleven places of fixed kinds, without S, L, O, I, B, Z. There is no check digit. */
export function usMbi(text: string): Verdict {
  const letter = '[AC-HJKMNP-RT-Y]';
  const either = '[0-9AC-HJKMNP-RT-Y]';
  const shape = `^[1-9]${letter}${either}\\d${letter}${either}\\d${letter}{2}\\d{2}$`;
  return new RegExp(shape).test(alphanumericOf(text)) ? 'unknown' : 'fail';
}

/** US bank routing number: weights 3,7,1, mod 10; the first two digits name a district of the Federal Reserve. */
export function usRouting(text: string): Verdict {
  const digits = digitsOf(text);
  if (
    digits.length !== 9 ||
    isRepeated(digits) ||
    !/^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits)
  )
    return 'fail';
  return passIf(weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0);
}

/** Mexican bank account: weights 3,7,1 with products reduced mod 10. */
export function mxClabe(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 18 || isRepeated(digits)) return 'fail';
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += (at(digits, i, 1) * ([3, 7, 1][i % 3] ?? 0)) % 10;
  return passIf((10 - (sum % 10)) % 10 === at(digits, 17, 1));
}

const CURP_ALPHABET = '0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ';
const MX_STATES =
  'AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE'.split(
    ' ',
  );

/** Mexican population key: base 37 with weights 18 to 2, mod 10; date and state have to exist. */
export function mxCurp(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d$/.test(value)) return 'fail';
  if (!isDate(null, at(value, 6, 2), at(value, 8, 2)) || !MX_STATES.includes(value.slice(11, 13)))
    return 'fail';
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += CURP_ALPHABET.indexOf(value[i] ?? '0') * (18 - i);
  return passIf((10 - (sum % 10)) % 10 === at(value, 17, 1));
}

const RFC_ALPHABET = '0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ \u00d1';

/** Mexican taxpayer number: date, and weights 13 to 2 over the alphabet of the tax service, mod 11, 10 is A. */
export function mxRfc(text: string): Verdict {
  const value = text.replace(/[^0-9A-Za-z&]+/g, '').toUpperCase();
  const parts = /^[A-Z&]{3,4}(\d\d)(\d\d)(\d\d)[0-9A-Z]{2}[0-9A]$/.exec(value);
  if (parts === null || !isDate(null, Number(parts[2]), Number(parts[3]))) return 'fail';
  const padded = value.padStart(13, ' ');
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += RFC_ALPHABET.indexOf(padded[i] ?? ' ') * (13 - i);
  const check = 11 - (sum % 11);
  const expected = check === 11 ? '0' : check === 10 ? 'A' : String(check);
  // Numbers from before the check character was introduced are still in use.
  return expected === padded[12] ? 'pass' : 'unknown';
}

/** Argentine tax number: prefix by kind of person, weights 5,4,3,2,7,6,5,4,3,2, mod 11. */
export function arCuit(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^(?:2[03-7]|3[034])\d{9}$/.test(digits) || isRepeated(digits)) return 'fail';
  return passIf(mod11(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 9) === at(digits, 10, 1));
}

/** Argentine bank account: two blocks with weights 7,1,3,9,7,1,3 and 3,9,7,1 repeated, mod 10. */
export function arCbu(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 22 || isRepeated(digits)) return 'fail';
  const first = (10 - (weighted(digits, [7, 1, 3, 9, 7, 1, 3]) % 10)) % 10;
  const second = (10 - (weighted(digits.slice(8), [3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3]) % 10)) % 10;
  return passIf(first === at(digits, 7, 1) && second === at(digits, 21, 1));
}

/** Chilean RUT: weights 2 to 7 from the right, mod 11, 10 is K. */
export function clRut(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^\d{7,8}[0-9K]$/.test(value)) return 'fail';
  let sum = 0;
  for (let i = value.length - 2, weight = 2; i >= 0; i--, weight = weight === 7 ? 2 : weight + 1)
    sum += at(value, i, 1) * weight;
  const check = 11 - (sum % 11);
  return passIf((check === 11 ? '0' : check === 10 ? 'K' : String(check)) === value[value.length - 1]);
}

/** Colombian tax number: primes 3,7,13,17,19,23,29,37,41,43 from the right, mod 11. */
export function coNit(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length < 9 || digits.length > 11 || isRepeated(digits)) return 'fail';
  const primes = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43];
  let sum = 0;
  for (let i = 0; i < digits.length - 1; i++) sum += at(digits, digits.length - 2 - i, 1) * (primes[i] ?? 0);
  const rest = sum % 11;
  return passIf((rest < 2 ? rest : 11 - rest) === at(digits, digits.length - 1, 1));
}

/** Peruvian taxpayer number: prefix by kind of person, weights as the Argentine one. */
export function peRuc(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^(?:1[05-7]|20)\d{9}$/.test(digits)) return 'fail';
  return passIf(mod11(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 0, 1) === at(digits, 10, 1));
}

/** Uruguayan identity card: weights 2,9,8,7,6,3,4, mod 10. */
export function uyCi(text: string): Verdict {
  const digits = digitsOf(text).padStart(8, '0');
  if (digits.length !== 8 || isRepeated(digits)) return 'fail';
  return passIf((10 - (weighted(digits, [2, 9, 8, 7, 6, 3, 4]) % 10)) % 10 === at(digits, 7, 1));
}

/** Ecuadorian identity card: province, third digit below 6, odd places doubled, mod 10. */
export function ecCedula(text: string): Verdict {
  const digits = digitsOf(text);
  const province = at(digits, 0, 2);
  if (digits.length !== 10 || province < 1 || (province > 24 && province !== 30) || at(digits, 2, 1) > 5)
    return 'fail';
  return passIf(luhn(digits));
}

/** Venezuelan tax number: letter as a digit four times, weights 3,2,7,6,5,4,3,2, mod 11. */
export function veRif(text: string): Verdict {
  const value = alphanumericOf(text);
  const kind = 'VEJPG'.indexOf(value[0] ?? ' ');
  if (!/^[VEJPG]\d{9}$/.test(value)) return 'fail';
  const sum = (kind + 1) * 4 + weighted(value.slice(1), [3, 2, 7, 6, 5, 4, 3, 2]);
  const check = 11 - (sum % 11);
  return passIf((check > 9 ? 0 : check) === at(value, 9, 1));
}

/** North American vehicle number: transliterated letters, weights 8 to 2, 10, 0, 9 to 2, mod 11 at the ninth place, 10 is X. */
export function vin(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(value) || /^\d+$/.test(value) || /^[A-Z]+$/.test(value)) return 'fail';
  let sum = 0;
  for (let i = 0; i < 17; i++) {
    const code = value.charCodeAt(i);
    const number = code <= 57 ? code - 48 : Number('12345678.12345.7.923456789'[code - 65]);
    sum += number * ([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2][i] ?? 0);
  }
  const check = sum % 11 === 10 ? 'X' : String(sum % 11);
  if (check === value[8]) return 'pass';
  // Makers outside North America and China may put a letter there instead, most of them Z.
  return /^[1-5L]/.test(value) || /[0-9X]/.test(value[8] ?? '') ? 'fail' : 'unknown';
}
