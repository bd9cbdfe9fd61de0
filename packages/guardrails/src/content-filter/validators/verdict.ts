/**
 * What a check says about a candidate. `pass`: a checksum or official rule confirms it. `fail`: it cannot be one.
 * `unknown`: the layout fits and no rule decides, so context has to.
 */
export type Verdict = 'pass' | 'fail' | 'unknown';

/** Checks the matched text of one candidate (folded form, separators included). */
export type Validator = (text: string) => Verdict;

/** The digits of a text, everything else left out. */
export function digitsOf(text: string): string {
  return text.replace(/\D+/g, '');
}

/** The ASCII letters and digits of a text in upper case. */
export function alphanumericOf(text: string): string {
  return text.replace(/[^0-9A-Za-z]+/g, '').toUpperCase();
}

/** The sum of digit times weight over the weights' length. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += (digits.charCodeAt(i) - 48) * (weights[i] ?? 0);
  return sum;
}

/** One digit over and over. Such numbers pass several checksums and identify nobody. */
export function isRepeated(text: string): boolean {
  return /^(.)\1*$/.test(text);
}

export const passIf = (condition: boolean): Verdict => (condition ? 'pass' : 'fail');

/** A check that confirms only numbers written as `form` says; others, though right, are `unknown` and need context. */
export function sureWhen(form: RegExp, validate: Validator): Validator {
  return (text) => {
    const verdict = validate(text);
    return verdict === 'pass' && !form.test(text) ? 'unknown' : verdict;
  };
}
