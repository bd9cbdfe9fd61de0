import type { Validator } from '../validators/verdict.ts';
import type { PatternSpec } from './spec.ts';

/** Texts in which a value has to be found, or left alone. */
export interface Fixtures {
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
}

interface FixturePlan {
  /** Made-up values that the validator does not refuse. */
  readonly values: readonly string[];
  readonly words: readonly string[];
  readonly always: boolean;
  readonly validate: Validator | null;
  /** How far words count before and after the value. */
  readonly window: readonly [number, number];
}

/** Ways in which a value stands beside its name: speech, forms, data, tables, code, and characters in disguise. */
const BESIDE: readonly ((word: string, value: string) => string)[] = [
  (word, value) => `${word} ${value}`,
  (word, value) => `${word}: ${value}`,
  (word, value) => `{"${word}":"${value}"}`,
  (word, value) => `${word}=${value};`,
  (word, value) => `| ${word} | ${value} |`,
  (word, value) => `<field name="${word}">${value}</field>`,
  (word, value) => `The ${word} on the form is ${value}.`,
  (word, value) => `${value} (${word})`,
  (word, value) => `${word}\n${value}\n`,
  (word, value) => `${word} ${value.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))}`,
  (word, value) => `${word} ${value.slice(0, 2)}\u200b${value.slice(2)}`,
];

/** Ways in which a value stands alone. */
const ALONE: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => `see ${value} in the file`,
  (value) => `(${value})`,
  (value) => `"${value}",`,
];

const FAR = 'was left open on the form, so the clerk went on and wrote to the supplier about the delivery of';

/** Fixtures of a number: every layout beside its names, and what is wrong with each, from a few valid values. */
export function fixturesOf(plan: FixturePlan): Fixtures {
  const word = plan.words[0] ?? 'number';
  const first = plan.values[0] ?? '';
  const beside = BESIDE.map((put) => put(word, first)).filter((text) =>
    isNear(text, word, first, plan.window),
  );
  const more = plan.values
    .slice(1)
    .map((value, i) => `${plan.words[(i + 1) % plan.words.length] ?? word} ${value}`);
  const names = plan.words.slice(1).map((name) => `${name} ${first}`);
  const sure = plan.values.filter((value) => !plan.always && plan.validate?.(value) === 'pass');
  const unsure = plan.values.filter((value) => !sure.includes(value));
  const alone = (values: readonly string[]) => ALONE.flatMap((put) => values.slice(0, 2).map(put));
  const wrong = plan.values.flatMap((value) => corruptions(value, plan.validate)).slice(0, 8);
  // Without a check, what is glued on may make another layout of the same number.
  const glued = [`${first}x`, `${first}0`, `0${first}`].filter(
    (value) => plan.validate !== null && (value.endsWith('x') || plan.validate(value) === 'fail'),
  );
  return {
    positives: [...beside, ...more, ...names, ...alone(sure)],
    negatives: [
      ...wrong.flatMap((value) => [`${word} ${value}`, `${value} <- ${word}`]),
      ...glued.map((value) => `${word} ${value}`),
      `${word}: none`,
      `${word} ${FAR} that`,
      ...alone(unsure),
      ...(sure.length > 0 ? wrong : [`${word} ${FAR} ${first}`]),
    ],
  };
}

/** Whether the word stands within its window, so that the text is a positive. */
function isNear(text: string, word: string, value: string, window: readonly [number, number]): boolean {
  const at = text.indexOf(value);
  const name = text.indexOf(word);
  // Values in disguise follow their name directly.
  if (at < 0) return true;
  return name < at
    ? at - name - word.length < window[0]
    : name + word.length - at - value.length <= window[1];
}

/** The value with one digit changed, where the validator then refuses it. */
function corruptions(value: string, validate: Validator | null): string[] {
  if (validate === null) return [];
  const wrong: string[] = [];
  for (let at = value.length - 1; at >= 0 && wrong.length < 4; at--) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) continue;
    for (const step of [1, 4, 7]) {
      const other = value.slice(0, at) + String((digit + step) % 10) + value.slice(at + 1);
      if (validate(other) === 'fail') wrong.push(other);
    }
  }
  return wrong;
}

/** A pattern with at least ten positives and ten negatives, by putting the given ones between other things. */
export function padded(spec: PatternSpec): PatternSpec {
  return { ...spec, positives: surrounded(spec.positives), negatives: surrounded(spec.negatives) };
}

/** More fixtures from a few texts, by putting them between other things that people and programs write. */
export function surrounded(texts: readonly string[], atLeast = 10): string[] {
  const around: readonly ((text: string) => string)[] = [
    (text) => text,
    (text) => `${text}.`,
    (text) => `(${text})`,
    (text) => `Note: ${text}, please check`,
    (text) => `"${text}"`,
    (text) => `\n${text}\n`,
    (text) => `| ${text} |`,
    (text) => `<p>${text}</p>`,
    (text) => `- ${text};`,
    (text) => `…${text}!`,
  ];
  const all: string[] = [];
  for (const put of around) {
    for (const text of texts) all.push(put(text));
    if (all.length >= atLeast) break;
  }
  return all;
}
