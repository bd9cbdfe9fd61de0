import { weighted } from './verdict.ts';

/** ISO 7064 mod 11,10: the hybrid system with one check digit. */
export function iso7064Mod11And10(digits: string): boolean {
  let rest = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (rest + digits.charCodeAt(i) - 48) % 10;
    rest = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - rest) % 10 === digits.charCodeAt(digits.length - 1) - 48;
}

const VERHOEFF_TIMES = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const VERHOEFF_PLACES = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Verhoeff's check (1969), over the dihedral group of the pentagon. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const place = Number(VERHOEFF_PLACES[i % 8]?.[digit]);
    check = Number(VERHOEFF_TIMES[check]?.[place]);
  }
  return digits.length > 0 && check === 0;
}

/** Sum of the digits of every product of digit and weight. */
export function crossSum(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const product = (digits.charCodeAt(i) - 48) * (weights[i] ?? 0);
    sum += Math.floor(product / 10) + (product % 10);
  }
  return sum;
}

/** The check digit 11 minus the weighted sum mod 11, with what 10 and 11 become. */
export function mod11(digits: string, weights: readonly number[], ten: number, eleven = 0): number {
  const check = 11 - (weighted(digits, weights) % 11);
  return check === 11 ? eleven : check === 10 ? ten : check;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether month and day exist. A year of four digits decides on 29 February; without it the day is accepted. */
export function isDate(year: number | null, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] ?? 0)) return false;
  if (month !== 2 || day < 29 || year === null) return true;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Numbers at fixed places of a text of digits. */
export function at(digits: string, from: number, length: number): number {
  return Number(digits.slice(from, from + length));
}
