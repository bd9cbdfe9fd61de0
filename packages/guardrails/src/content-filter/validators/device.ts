import { at } from './checks.ts';
import { luhn } from './payment.ts';
import { digitsOf, isRepeated, passIf, type Verdict } from './verdict.ts';

/** Device number (3GPP TS 23.003): Luhn over 15 digits; 16 digits carry a software version in place of the check digit. */
export function imei(text: string): Verdict {
  const digits = digitsOf(text);
  if (isRepeated(digits)) return 'fail';
  if (digits.length === 16) return 'unknown';
  return passIf(digits.length === 15 && luhn(digits));
}

/** SIM serial number (ITU-T E.118): begins with 89, Luhn over 19 or 20 digits; some operators print 20 with a filler instead. */
export function iccid(text: string): Verdict {
  const digits = digitsOf(text);
  return passIf(/^89\d{16,18}$/.test(digits) && digits.length >= 18 && luhn(digits));
}

/** Subscriber number (ITU-T E.212): a mobile country code is 2xx to 7xx. There is no check digit. */
export function imsi(text: string): Verdict {
  const digits = digitsOf(text);
  const zone = at(digits, 0, 1);
  return digits.length >= 14 && digits.length <= 15 && zone >= 2 && zone <= 7 && !isRepeated(digits)
    ? 'unknown'
    : 'fail';
}
