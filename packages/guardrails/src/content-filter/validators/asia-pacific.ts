import { at, isDate, mod11, verhoeff } from './checks.ts';
import { luhn } from './payment.ts';
import { alphanumericOf, digitsOf, isRepeated, passIf, type Verdict, weighted } from './verdict.ts';

/** Numbers of Asia, Africa and the Pacific. Each check follows the rule that the issuing authority publishes. */

/** Israeli identity number: Luhn over nine digits. */
export function ilTz(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(digits.length === 9 && !isRepeated(digits) && luhn(digits));
}

/** Indian Aadhaar: Verhoeff over twelve digits; does not begin with 0 or 1, nor read the same backwards. */
export function inAadhaar(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[2-9]\d{11}$/.test(digits) || digits.split('').reverse().join('') === digits) return 'fail';
  return passIf(verhoeff(digits));
}

/** Chinese resident identity number: region, date, and weights of ISO 7064 mod 11-2, 10 is X. */
export function cnResident(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[1-9]\d{16}[0-9X]$/.test(value)) return 'fail';
  const year = at(value, 6, 4);
  if (year < 1850 || year > 2100 || !isDate(year, at(value, 10, 2), at(value, 12, 2))) return 'fail';
  const sum = weighted(value, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return passIf('10X98765432'[sum % 11] === value[17]);
}

/** Hong Kong identity card: letters as 10 to 35, a missing first one as 36, weights 9 to 1, mod 11, 10 is A. */
export function hkHkid(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-Z]{1,2}\d{6}[0-9A]$/.test(value)) return 'fail';
  const padded = value.padStart(9, ' ');
  let sum = 0;
  for (let i = 0; i < 9; i++) {
    const code = padded.charCodeAt(i);
    sum += (code === 32 ? 36 : code <= 57 ? code - 48 : code - 55) * (9 - i);
  }
  return passIf(sum % 11 === 0);
}

const TW_LETTERS = [
  10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33,
];

/** Taiwanese identity number: letter as two digits, weights 1,9,8 to 1,1, mod 10. */
export function twNationalId(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-Z][1289]\d{8}$/.test(value)) return 'fail';
  const digits = String(TW_LETTERS[value.charCodeAt(0) - 65] ?? 0) + value.slice(1);
  return passIf(weighted(digits, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]) % 10 === 0);
}

/** Japanese individual number: weights 6,5,4,3,2,7,6,5,4,3,2, mod 11, rests below 2 become 0. */
export function jpMyNumber(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 12 || isRepeated(digits)) return 'fail';
  return passIf(mod11(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 0) === at(digits, 11, 1));
}

/** South Korean resident number: date and a digit for sex and century. Since October 2020 there is no check digit. */
export function krRrn(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^\d{6}[1-8]\d{6}$/.test(digits)) return 'fail';
  return isDate(null, at(digits, 2, 2), at(digits, 4, 2)) ? 'unknown' : 'fail';
}

/** South Korean business number: weights 1,3,7,1,3,7,1,3,5 and the tens of the last product, mod 10. */
export function krBrn(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isRepeated(digits)) return 'fail';
  const sum = weighted(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((at(digits, 8, 1) * 5) / 10);
  return passIf((10 - (sum % 10)) % 10 === at(digits, 9, 1));
}

/** Thai identity number: weights 13 to 2, mod 11 mod 10. */
export function thTnin(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[1-9]\d{12}$/.test(digits) || isRepeated(digits)) return 'fail';
  const sum = weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  return passIf((11 - (sum % 11)) % 10 === at(digits, 12, 1));
}

/** Malaysian identity card: date and a code of a state or country that is in use. There is no check digit. */
export function myNric(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 12 || !isDate(null, at(digits, 2, 2), at(digits, 4, 2))) return 'fail';
  const place = at(digits, 6, 2);
  const bad =
    place === 0 || (place >= 17 && place <= 20) || [69, 70, 73, 80, 81, 94, 95, 96, 97].includes(place);
  return bad ? 'fail' : 'unknown';
}

/** Indonesian identity number: region, and a date whose day is raised by 40 for women. There is no check digit. */
export function idNik(text: string): Verdict {
  const digits = digitsOf(text);
  const province = at(digits, 0, 2);
  if (digits.length !== 16 || province < 11 || province > 96) return 'fail';
  return isDate(null, at(digits, 8, 2), at(digits, 6, 2) % 40) && !digits.endsWith('0000')
    ? 'unknown'
    : 'fail';
}

/** Vietnamese citizen number: province, and a digit for sex and century. There is no check digit. */
export function vnCccd(text: string): Verdict {
  return /^0(?:0[1-9]|[1-8]\d|9[0-6])[0-9]\d{8}$/.test(digitsOf(text)) ? 'unknown' : 'fail';
}

/** Philippine tax number: weights 9 to 2, mod 11, at the ninth digit; branch codes follow. */
export function phTin(text: string): Verdict {
  const digits = digitsOf(text);
  if (![9, 12, 14].includes(digits.length) || isRepeated(digits)) return 'fail';
  const rest = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  // The rule is not published by the authority, so a failure proves nothing.
  return rest === at(digits, 8, 1) ? 'pass' : 'unknown';
}

/** Australian company number: weights 8 to 1, mod 10. */
export function auAcn(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 9 || isRepeated(digits)) return 'fail';
  return passIf((10 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === at(digits, 8, 1));
}

/** New Zealand tax number: weights 3,2,7,6,5,4,3,2, and 7,4,3,2,5,2,7,6 when the first give 10; the range that is given out. */
export function nzIrd(text: string): Verdict {
  const digits = digitsOf(text).padStart(9, '0');
  const number = Number(digits);
  if (digits.length !== 9 || number < 10_000_000 || number > 200_000_000) return 'fail';
  let check = mod11(digits, [3, 2, 7, 6, 5, 4, 3, 2], 10);
  if (check === 10) check = mod11(digits, [7, 4, 3, 2, 5, 2, 7, 6], 10);
  return passIf(check === at(digits, 8, 1));
}

/** New Zealand health index: three letters without I and O as 1 to 24, weights 7 to 2, mod 11 (old) or mod 24 (new). */
export function nzNhi(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-HJ-NP-Z]{3}\d{2}(?:\d{2}|[0-9][A-HJ-NP-Z])$/.test(value)) return 'fail';
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
  let sum = 0;
  for (let i = 0; i < 6; i++) {
    const char = value[i] ?? '';
    sum += (i < 3 ? alphabet.indexOf(char) + 1 : Number(char)) * (7 - i);
  }
  if (/\d$/.test(value)) return passIf(sum % 11 !== 0 && (11 - (sum % 11)) % 10 === at(value, 6, 1));
  return passIf(alphabet[23 - (sum % 24)] === value[6]);
}

/** South African identity number: date, citizenship 0 to 2, Luhn. */
export function zaIdNumber(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 13 || !isDate(null, at(digits, 2, 2), at(digits, 4, 2)) || at(digits, 10, 1) > 2)
    return 'fail';
  return passIf(luhn(digits));
}

/** Nigerian identity number: eleven digits. Its check is not published, so only context speaks for it. */
export function ngNin(text: string): Verdict {
  const digits = digitsOf(text);
  return digits.length === 11 && !isRepeated(digits) ? 'unknown' : 'fail';
}

/** Saudi identity and residence number: begins with 1 or 2, Luhn. */
export function saNationalId(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(/^[12]\d{9}$/.test(digits) && !isRepeated(digits) && luhn(digits));
}

/** Egyptian national number: century, date, governorate. The check digit is not published. */
export function egNationalId(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[23]\d{13}$/.test(digits)) return 'fail';
  return isDate(null, at(digits, 3, 2), at(digits, 5, 2)) ? 'unknown' : 'fail';
}
