import { at, crossSum, isDate, iso7064Mod11And10, mod11, verhoeff } from './checks.ts';
import { luhn } from './payment.ts';
import { alphanumericOf, digitsOf, isRepeated, passIf, type Verdict, weighted } from './verdict.ts';

/** Numbers of European countries. Each check follows the rule that the issuing authority publishes, as said beside it. */

/** UK NHS number: ten digits, weights 10 to 2, the check digit is 11 minus the rest; a rest that would give 10 is not issued. */
export function ukNhs(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isRepeated(digits)) return 'fail';
  return passIf(mod11(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2], -1) === at(digits, 9, 1));
}

/** UK national insurance number: prefixes that HMRC does not give out; the suffix is A to D. There is no check digit. */
export function ukNino(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(value)) return 'fail';
  return ['BG', 'GB', 'NK', 'KN', 'TN', 'NT', 'ZZ'].includes(value.slice(0, 2)) ? 'fail' : 'unknown';
}

/** UK unique taxpayer reference: weights 6,7,8,9,10,5,4,3,2 on the last nine digits; the first is looked up by the rest. */
export function ukUtr(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isRepeated(digits)) return 'fail';
  const rest = weighted(digits.slice(1), [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
  return passIf('21987654321'[rest] === digits[0]);
}

/** UK driver number: five letters of the surname filled with 9, decade, month (+5 for women), day, year, initials, DVLA marks. */
export function ukDriver(text: string): Verdict {
  const value = alphanumericOf(text);
  const parts = /^[A-Z]{1,5}9{0,4}\d([0156]\d)(\d\d)\d[A-Z][A-Z9][0-9A-Z][A-Z]{2}$/.exec(value);
  if (parts === null || value.length !== 16) return 'fail';
  const month = Number(parts[1]);
  return isDate(null, month > 50 ? month - 50 : month, Number(parts[2])) ? 'unknown' : 'fail';
}

/** German tax id: ISO 7064 mod 11,10; the first ten digits hold one digit twice or three times and leave others out. */
export function deTaxId(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || digits.startsWith('0')) return 'fail';
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return passIf(most >= 2 && most <= 3 && iso7064Mod11And10(digits));
}

/** German pension insurance number: letter as two digits, cross sums with weights 2,1,2,5,7,1,2,1,2,1,2,1, mod 10. */
export function deSocialSecurity(text: string): Verdict {
  const value = alphanumericOf(text);
  const parts = /^(\d{8})([A-Z])(\d{2})(\d)$/.exec(value);
  if (parts === null) return 'fail';
  const [, head = '', letter = '', serial = '', check = ''] = parts;
  // Where birthdays ran out, the day is raised by steps of one hundred in practice; only the month is certain.
  if (at(head, 4, 2) < 1 || at(head, 4, 2) > 12) return 'fail';
  const body = head + String(letter.charCodeAt(0) - 64).padStart(2, '0') + serial;
  return passIf(crossSum(body, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === Number(check));
}

/** German health insurance number: letter as two digits, cross sums with weights 1 and 2, mod 10. */
export function deHealthInsurance(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-Z]\d{9}$/.test(value)) return 'fail';
  const body = String(value.charCodeAt(0) - 64).padStart(2, '0') + value.slice(1, 9);
  return passIf(crossSum(body, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === at(value, 9, 1));
}

/** Machine-readable documents (ICAO 9303): weights 7,3,1 with A as 10, mod 10; the last digit is the check digit. */
function icaoCheck(value: string): boolean {
  let sum = 0;
  for (let i = 0; i < value.length - 1; i++) {
    const code = value.charCodeAt(i);
    const number = code <= 57 ? code - 48 : code === 60 ? 0 : code - 55;
    sum += number * ([7, 3, 1][i % 3] ?? 0);
  }
  return sum % 10 === at(value, value.length - 1, 1);
}

/** German identity card: nine characters of the document alphabet and a check digit by ICAO 9303. */
export function deIdCard(text: string): Verdict {
  const value = alphanumericOf(text);
  return passIf(/^[CFGHJKLMNPRTVWXYZ0-9]{9}\d$/.test(value) && /[A-Z]/.test(value) && icaoCheck(value));
}

/** German doctor number: weights 4 and 9 on six digits, mod 10; two digits for the speciality follow. */
export function deDoctor(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 9 || isRepeated(digits)) return 'fail';
  return passIf((10 - (weighted(digits, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === at(digits, 6, 1));
}

/** French company number: Luhn. */
export function frSiren(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf((digits.length === 9 || digits.length === 14) && !isRepeated(digits) && luhn(digits));
}

/** French VAT number: key (12 + 3 * (SIREN mod 97)) mod 97 before a SIREN that passes Luhn. */
export function frVat(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^FR[0-9A-HJ-NP-Z]{2}\d{9}$/.test(value)) return 'fail';
  const key = value.slice(2, 4);
  if (!/^\d\d$/.test(key)) return luhn(value.slice(4)) ? 'unknown' : 'fail';
  return passIf((12 + 3 * (Number(value.slice(4)) % 97)) % 97 === Number(key));
}

const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** Spanish DNI: number mod 23 looks up the letter. */
export function esNif(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^\d{8}[A-Z]$/.test(value)) return 'fail';
  return passIf(NIF_LETTERS[at(value, 0, 8) % 23] === value[8]);
}

/** Spanish foreigner number: X, Y, Z count as 0, 1, 2; then as the DNI. */
export function esNie(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[XYZ]\d{7}[A-Z]$/.test(value)) return 'fail';
  const number = 'XYZ'.indexOf(value[0] ?? '') * 10_000_000 + at(value, 1, 7);
  return passIf(NIF_LETTERS[number % 23] === value[8]);
}

/** Spanish company number: Luhn-like sum of seven digits, given as digit, letter, or either by kind of company. */
export function esCif(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]$/.test(value)) return 'fail';
  let sum = 0;
  for (let i = 0; i < 7; i++) {
    const product = at(value, i + 1, 1) * (i % 2 === 0 ? 2 : 1);
    sum += Math.floor(product / 10) + (product % 10);
  }
  const check = (10 - (sum % 10)) % 10;
  return passIf(value[8] === String(check) || value[8] === 'JABCDEFGHI'[check]);
}

/** Spanish social security number: province and number mod 97; numbers below ten million are added, not written after it. */
export function esNuss(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 12 || isRepeated(digits)) return 'fail';
  const number = at(digits, 2, 8);
  const whole = number < 10_000_000 ? number + at(digits, 0, 2) * 10_000_000 : at(digits, 0, 10);
  return passIf(whole % 97 === at(digits, 10, 2));
}

const FISCAL_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/** Italian fiscal code: letters of name, date and place with a check letter by odd and even tables; L M N P Q R S T U V for digits. */
export function itFiscalCode(text: string): Verdict {
  const value = alphanumericOf(text);
  const digit = '[0-9LMNPQRSTUV]';
  if (!new RegExp(`^[A-Z]{6}${digit}{2}[ABCDEHLMPRST]${digit}{2}[A-Z]${digit}{3}[A-Z]$`).test(value))
    return 'fail';
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = value.charCodeAt(i);
    const index = code <= 57 ? code - 48 : code - 65;
    sum += i % 2 === 0 ? (FISCAL_ODD[index] ?? 0) : index;
  }
  return passIf(String.fromCharCode(65 + (sum % 26)) === value[15]);
}

/** Italian VAT number: eleven digits with Luhn; the office is 001 to 100, 120, 121, 888 or 999 for issued ones. */
export function itVat(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(digits.length === 11 && !isRepeated(digits) && luhn(digits));
}

/** Portuguese tax number: weights 9 to 2, mod 11, 10 becomes 0; first digits that are given out. */
export function ptNif(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^(?:[1235689]|45|7[0124579])\d+$/.test(digits) || digits.length !== 9 || isRepeated(digits))
    return 'fail';
  return passIf(mod11(digits, [9, 8, 7, 6, 5, 4, 3, 2], 0) === at(digits, 8, 1));
}

/** Belgian national number: 97 less the first nine digits mod 97, with a 2 in front for births from 2000. */
export function beNational(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || isRepeated(digits)) return 'fail';
  const month = at(digits, 2, 2) % 20;
  // Month and day may be zero for people whose birthday is not known.
  if (month > 12 || at(digits, 4, 2) > 31) return 'fail';
  const check = at(digits, 9, 2);
  const number = at(digits, 0, 9);
  return passIf(97 - (number % 97) === check || 97 - ((2_000_000_000 + number) % 97) === check);
}

/** Luxembourg national number: birth date, then Luhn over twelve digits and Verhoeff over eleven and the last. */
export function luNational(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 13 || !isDate(at(digits, 0, 4), at(digits, 4, 2), at(digits, 6, 2))) return 'fail';
  return passIf(luhn(digits.slice(0, 12)) && verhoeff(digits.slice(0, 11) + digits.slice(12)));
}

/** Polish PESEL: weights 1,3,7,9; the month carries the century. */
export function plPesel(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11) return 'fail';
  const month = at(digits, 2, 2);
  const century = [1900, 2000, 2100, 2200, 1800][Math.floor(month / 20)] ?? 1900;
  if (!isDate(century + at(digits, 0, 2), month % 20, at(digits, 4, 2))) return 'fail';
  return passIf((10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === at(digits, 10, 1));
}

/** Polish NIP: weights 6,5,7,2,3,4,5,6,7 mod 11; a rest of 10 is not issued. */
export function plNip(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isRepeated(digits)) return 'fail';
  return passIf(weighted(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === at(digits, 9, 1));
}

/** Polish REGON: weights 8,9,2,3,4,5,6,7 (nine digits) or 2,4,8,5,0,9,7,3,6,1,2,4,8 (fourteen), mod 11, 10 becomes 0. */
export function plRegon(text: string): Verdict {
  const digits = digitsOf(text);
  if (isRepeated(digits)) return 'fail';
  const short = (weighted(digits, [8, 9, 2, 3, 4, 5, 6, 7]) % 11) % 10 === at(digits, 8, 1);
  if (digits.length === 9) return passIf(short);
  if (digits.length !== 14) return 'fail';
  return passIf((weighted(digits, [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11) % 10 === at(digits, 13, 1));
}

/** Polish identity card: three letters, check digit, five digits; weights 7,3,1,9,7,3,1,7,3 with A as 10, mod 10. */
export function plIdCard(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^[A-Z]{3}\d{6}$/.test(value)) return 'fail';
  let sum = 0;
  for (let i = 0; i < 9; i++) {
    const code = value.charCodeAt(i);
    sum += (code <= 57 ? code - 48 : code - 55) * ([7, 3, 1, 9, 7, 3, 1, 7, 3][i] ?? 0);
  }
  return passIf(sum % 10 === 0);
}

/** Czech and Slovak birth number: divisible by 11; women's months are raised by 50, and by 20 where numbers ran out. */
export function czRodneCislo(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10) return 'fail';
  const month = (at(digits, 2, 2) % 50) % 20;
  if (!isDate(null, month, at(digits, 4, 2))) return 'fail';
  const rest = at(digits, 0, 9) % 11;
  return passIf(at(digits, 0, 10) % 11 === 0 || (rest === 10 && digits.endsWith('0')));
}

/** Czech company number: weights 8 to 2, mod 11. */
export function czIco(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 8 || isRepeated(digits)) return 'fail';
  return passIf((11 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === at(digits, 7, 1));
}

/** Swedish personal number: Luhn over ten digits; the day may be raised by 60 (coordination number). */
export function sePersonnummer(text: string): Verdict {
  const all = digitsOf(text);
  const digits = all.length === 12 ? all.slice(2) : all;
  if (digits.length !== 10 || (all.length === 12 && !/^(?:18|19|20)/.test(all))) return 'fail';
  const day = at(digits, 4, 2);
  if (!isDate(null, at(digits, 2, 2), day > 60 ? day - 60 : day)) return 'fail';
  return passIf(luhn(digits));
}

/** Swedish organisation number: Luhn; the third digit is at least 2, which no month is. */
export function seOrganisation(text: string): Verdict {
  const digits = digitsOf(text).replace(/^16(?=\d{10}$)/, '');
  return passIf(digits.length === 10 && at(digits, 2, 1) >= 2 && !isRepeated(digits) && luhn(digits));
}

/** Norwegian birth number: two check digits, weights 3,7,6,1,8,9,4,5,2 and 5,4,3,2,7,6,5,4,3,2; D numbers add 40 to the day. */
export function noFodselsnummer(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11) return 'fail';
  if (!isDate(null, at(digits, 2, 2) % 40, at(digits, 0, 2) % 40)) return 'fail';
  const first = mod11(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2], -1);
  const second = mod11(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], -1);
  return passIf(first === at(digits, 9, 1) && second === at(digits, 10, 1));
}

/** Norwegian organisation number: weights 3,2,7,6,5,4,3,2, mod 11; begins with 8 or 9. */
export function noOrganisation(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[89]\d{8}$/.test(digits) || isRepeated(digits)) return 'fail';
  return passIf(mod11(digits, [3, 2, 7, 6, 5, 4, 3, 2], -1) === at(digits, 8, 1));
}

/** Danish CPR number: a date and four digits. Numbers given out since 2007 need not pass the old check, so it proves nothing. */
export function dkCpr(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10) return 'fail';
  return isDate(null, at(digits, 2, 2), at(digits, 0, 2) % 60) ? 'unknown' : 'fail';
}

/** Danish company number: weights 2,7,6,5,4,3,2,1, divisible by 11. */
export function dkCvr(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 8 || digits.startsWith('0') || isRepeated(digits)) return 'fail';
  return passIf(weighted(digits, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0);
}

/** Finnish personal identity code: date and number mod 31 look up the last character; the sign in the middle is the century. */
export function fiHetu(text: string): Verdict {
  const parts = /^(\d\d)(\d\d)(\d\d)[-+A-FU-Y](\d{3})([0-9A-Z])$/.exec(text.toUpperCase());
  if (parts === null) return 'fail';
  const [, day = '', month = '', year = '', serial = '', check = ''] = parts;
  if (!isDate(null, Number(month), Number(day)) || Number(serial) < 2) return 'fail';
  const number = Number(day + month + year + serial);
  return passIf('0123456789ABCDEFHJKLMNPRSTUVWXY'[number % 31] === check);
}

/** Finnish company number: weights 7,9,10,5,8,4,2, mod 11. */
export function fiBusiness(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 8) return 'fail';
  return passIf(mod11(digits, [7, 9, 10, 5, 8, 4, 2], -1) === at(digits, 7, 1));
}

/** Swiss AHV number: EAN-13 check, begins with 756. */
export function chAhv(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^756\d{10}$/.test(digits)) return 'fail';
  const sum = weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
  return passIf((10 - (sum % 10)) % 10 === at(digits, 12, 1));
}

/** Austrian social insurance number: weights 3,7,9,5,8,4,2,1,6, mod 11, the check digit is the fourth; months to 15. */
export function atSvnr(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || digits.startsWith('0')) return 'fail';
  if (at(digits, 6, 2) > 15 || at(digits, 6, 2) < 1 || at(digits, 4, 2) < 1 || at(digits, 4, 2) > 31)
    return 'fail';
  const body = digits.slice(0, 3) + digits.slice(4);
  return passIf(weighted(body, [3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11 === at(digits, 3, 1));
}

/** Irish PPS number: weights 8 to 2, the second letter counts nine times, mod 23 looks up the check letter. */
export function iePpsn(text: string): Verdict {
  const value = alphanumericOf(text);
  if (!/^\d{7}[A-W][A-IW]?$/.test(value)) return 'fail';
  const second = value[8] === undefined || value[8] === 'W' ? 0 : value.charCodeAt(8) - 64;
  const sum = weighted(value, [8, 7, 6, 5, 4, 3, 2]) + second * 9;
  return passIf('WABCDEFGHIJKLMNOPQRSTUV'[sum % 23] === value[7]);
}

/** Romanian CNP: sex and century, date, county; weights 279146358279, mod 11, 10 becomes 1. */
export function roCnp(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[1-9]\d{12}$/.test(digits) || !isDate(null, at(digits, 3, 2), at(digits, 5, 2))) return 'fail';
  const rest = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
  return passIf((rest === 10 ? 1 : rest) === at(digits, 12, 1));
}

/** Bulgarian EGN: weights 2,4,8,5,10,9,7,3,6, mod 11 mod 10; months are raised by 20 or 40 for other centuries. */
export function bgEgn(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || !isDate(null, at(digits, 2, 2) % 20, at(digits, 4, 2))) return 'fail';
  return passIf((weighted(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === at(digits, 9, 1));
}

/** Croatian OIB: ISO 7064 mod 11,10. */
export function hrOib(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(digits.length === 11 && !isRepeated(digits) && iso7064Mod11And10(digits));
}

/** Number of citizens in the states of former Yugoslavia: date, region, weights 7 to 2 twice, mod 11. */
export function jmbg(text: string): Verdict {
  const digits = digitsOf(text);
  if (
    digits.length !== 13 ||
    !isDate(null, at(digits, 2, 2), at(digits, 0, 2)) ||
    !/[09]/.test(digits[4] ?? '')
  )
    return 'fail';
  return passIf(mod11(digits, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], -1) === at(digits, 12, 1));
}

/** Greek tax number: powers of two, mod 11 mod 10. */
export function grAfm(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 9 || isRepeated(digits)) return 'fail';
  return passIf((weighted(digits, [256, 128, 64, 32, 16, 8, 4, 2]) % 11) % 10 === at(digits, 8, 1));
}

/** Greek social security number: a date and Luhn. */
export function grAmka(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || !isDate(null, at(digits, 2, 2), at(digits, 0, 2))) return 'fail';
  return passIf(luhn(digits));
}

/** Russian tax number: weights by the tax service for ten digits (companies) and twelve (persons), mod 11 mod 10. */
export function ruInn(text: string): Verdict {
  const digits = digitsOf(text);
  if (isRepeated(digits)) return 'fail';
  const check = (weights: readonly number[]) => (weighted(digits, weights) % 11) % 10;
  if (digits.length === 10) return passIf(check([2, 4, 10, 3, 5, 9, 4, 6, 8]) === at(digits, 9, 1));
  if (digits.length !== 12) return 'fail';
  const eleventh = check([7, 2, 4, 10, 3, 5, 9, 4, 6, 8]);
  return passIf(
    eleventh === at(digits, 10, 1) && check([3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) === at(digits, 11, 1),
  );
}

/** Russian pension insurance number: weights 9 to 1, mod 101, 100 becomes 00. */
export function ruSnils(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 11 || isRepeated(digits)) return 'fail';
  return passIf((weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === at(digits, 9, 2));
}

/** Ukrainian taxpayer number: weights -1,5,7,9,4,6,10,5,7, mod 11 mod 10. */
export function uaRnokpp(text: string): Verdict {
  const digits = digitsOf(text);
  if (digits.length !== 10 || isRepeated(digits)) return 'fail';
  const sum = weighted(digits, [-1, 5, 7, 9, 4, 6, 10, 5, 7]);
  return passIf((((sum % 11) + 11) % 11) % 10 === at(digits, 9, 1));
}

/** Turkish identity number: tenth digit (7 * odd places - even places) mod 10, eleventh the sum mod 10. */
export function trNationalId(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[1-9]\d{10}$/.test(digits)) return 'fail';
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((7 * odd - even) % 10) + 10) % 10;
  return passIf(tenth === at(digits, 9, 1) && (odd + even + tenth) % 10 === at(digits, 10, 1));
}

/** Hungarian tax number of persons: begins with 8, weights 1 to 9, mod 11. */
export function huTax(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^8\d{9}$/.test(digits)) return 'fail';
  return passIf(weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 === at(digits, 9, 1));
}

/** Baltic personal codes (Estonia, Lithuania): sex and century, date; weights 1..9,1, and 3..9,1,2,3 when the rest is 10. */
export function balticPersonal(text: string): Verdict {
  const digits = digitsOf(text);
  if (!/^[1-8]\d{10}$/.test(digits) || !isDate(null, at(digits, 3, 2), at(digits, 5, 2))) return 'fail';
  let rest = weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
  if (rest === 10) rest = weighted(digits, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
  return passIf(rest % 10 === at(digits, 10, 1));
}

/** Icelandic kennitala: date, weights 3,2,7,6,5,4,3,2, mod 11, the ninth digit; the last names the century. */
export function isKennitala(text: string): Verdict {
  const digits = digitsOf(text);
  const day = at(digits, 0, 2);
  if (!/^\d{9}[089]$/.test(digits) || !isDate(null, at(digits, 2, 2), day > 40 ? day - 40 : day))
    return 'fail';
  return passIf(mod11(digits, [3, 2, 7, 6, 5, 4, 3, 2], -1) === at(digits, 8, 1));
}
