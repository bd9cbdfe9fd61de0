import { PHONE_PLANS } from '../data/phone-plans.ts';
import { digitsOf, isRepeated, type Verdict } from './verdict.ts';

/** The plan of a number that begins with its calling code, and the national digits after it. */
function split(digits: string): { fits: boolean; rest: string } | null {
  for (const length of [1, 2, 3]) {
    const plan = PHONE_PLANS.get(digits.slice(0, length));
    if (plan === undefined) continue;
    const rest = digits.slice(length);
    const fits = rest.length >= plan.min && rest.length <= plan.max && plan.first.test(rest);
    // A trunk zero that should have been left out is often written all the same.
    if (fits || rest.startsWith('0')) return { fits: fits || rest.length - 1 >= plan.min, rest };
    return { fits, rest };
  }
  return null;
}

const QUAD = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const DATE = /^\d{1,4}([-./ ])\d{1,2}\1\d{1,4}$/;

/**
 * Telephone number by the plans of ITU-T E.164. With `+` or an international prefix, calling code and length decide. National
 * numbers are recognised by trunk zero or brackets with separators; other groups of digits are `unknown`.
 */
export function phone(text: string): Verdict {
  const number = text.replace(/ ?(?:x|ext).*$/i, '');
  const digits = digitsOf(number);
  if (isRepeated(digits)) return 'fail';
  if (number.startsWith('+')) return split(digits)?.fits === true ? 'pass' : 'fail';
  const prefix = /^(?:00|011[ .-])/.exec(number)?.[0];
  if (prefix !== undefined) {
    if (split(digits.slice(digitsOf(prefix).length))?.fits !== true)
      return prefix === '00' ? 'fail' : 'unknown';
    return /[-. ]/.test(number) || digits.length >= 12 ? 'pass' : 'unknown';
  }
  if (digits.length < 6 || digits.length > 12 || DATE.test(number) || QUAD.test(number)) return 'fail';
  // Six or seven digits are a local number only in the usual groups.
  if (digits.length < 8 && !/^(?:\d{3}[- ]\d{4}|\d\d[- ]\d\d[- ]\d\d[- ]?\d?|\(\d+\).+)$/.test(number))
    return 'fail';
  if (digits.startsWith('0')) {
    const grouped = /[- ]/.test(number) && !number.includes('/');
    return digits.length >= 9 && digits.length <= 11 && grouped ? 'pass' : 'unknown';
  }
  return /^(?:8 ?)?\(\d{2,5}\) ?\d{3}/.test(number) && digits.length >= 9 ? 'pass' : 'unknown';
}
