import { entropy, isPlaceholder } from '../../validators/credentials.ts';
import { passIf, type Validator, type Verdict } from '../../validators/verdict.ts';
import { CREDENTIALS, type Nearby, type PatternSpec, type Severity } from '../spec.ts';
import { type Shape, shape } from './shape.ts';

/** What an entry says beyond its shapes. */
interface VendorOptions {
  /** Default `high`. Keys for tests, and ids that are only half of a secret, are `medium`. */
  readonly severity?: Severity;
  /** Decides on top of the entropy and the placeholders. */
  readonly validate?: Validator;
  /** Least entropy, in bits per character, of what follows the prefix. The default follows from its characters. */
  readonly bits?: number;
  readonly avoid?: Nearby;
  /** The prefix is short or an ordinary word: what follows has to hold a digit, and capitals and small letters. */
  readonly weak?: boolean;
  /** Sample for the fixtures where a random one would fail `validate`. */
  readonly sample?: (seed: number) => string;
}

/**
 * A secret that its vendor made recognisable by a prefix: `name`, the vendor as people write it, and its shapes.
 */
export function vendor(
  name: string,
  title: string,
  shapes: string | readonly string[],
  options: VendorOptions = {},
): PatternSpec {
  const all = (typeof shapes === 'string' ? [shapes] : shapes).map(shape);
  const literals = [...new Set(all.flatMap((one) => one.literals))];
  const prefix = Math.min(...all.map((one) => one.prefix));
  const sample = options.sample ?? sampler(all);
  const fixtures = lazily(() => vendorFixtures(all, sample));
  return {
    name,
    display_name: title,
    group: CREDENTIALS,
    description: `begins with ${literals
      .slice(0, 6)
      .map((text) => `"${text}"`)
      .join(', ')}${literals.length > 6 ? ' and others' : ''}; random characters of the vendor's length`,
    get example() {
      return sample(1);
    },
    regex: all.map((one) => one.regex),
    anchor: { kind: 'literal', literals },
    validate: randomAfter(prefix, options),
    ...(options.avoid === undefined ? {} : { avoid: options.avoid }),
    action: 'BLOCK',
    severity: options.severity ?? 'high',
    get positives() {
      return fixtures().positives;
    },
    get negatives() {
      return fixtures().negatives;
    },
  };
}

/**
 * A secret without any mark of its own, known by the vendor's name before it: `words` in any case, up to 60 characters, then
 * the value, cut off on both sides. The value alone is masked.
 */
export function named(
  name: string,
  title: string,
  words: readonly string[],
  value: string,
  options: Pick<VendorOptions, 'bits' | 'severity' | 'validate'> & { readonly reach?: number } = {},
): PatternSpec {
  const one = shape(value);
  const around = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[ _-]/g, '[ _-]?'));
  const literals = [...new Set(words.flatMap((word) => (/[ _-]/.test(word) ? spellings(word) : [word])))];
  const fixtures = lazily(() => namedFixtures(words, one));
  return {
    name,
    display_name: title,
    group: CREDENTIALS,
    description: `a value of the vendor's length and alphabet, shortly after ${words.map((word) => `"${word}"`).join(', ')}; the value is masked`,
    get example() {
      return `${words[0] ?? ''}_key = ${one.sample(1)}`;
    },
    regex: [
      `(?:${around.join('|')})[\\s\\S]{0,${options.reach ?? 60}}?[\\s"'\`=:>(,/\\[]((?!(?:${around.join('|')}))${one.regex})(?![0-9A-Za-z_/+-])`,
    ],
    ignoreCase: true,
    anchor: { kind: 'literal', literals },
    boundary: 'none',
    validate: exactly(one.regex, randomAfter(0, options)),
    action: 'BLOCK',
    severity: options.severity ?? 'high',
    get positives() {
      return fixtures().positives;
    },
    get negatives() {
      return fixtures().negatives;
    },
  };
}

/** Characters that stand before the mark of a {@link marked} secret. */
export const DIGIT = (code: number): boolean => code >= 48 && code <= 57;
export const HEX = (code: number): boolean => DIGIT(code) || ((code | 32) >= 97 && (code | 32) <= 102);
export const HEX_DASH = (code: number): boolean => HEX(code) || code === 45;
export const ALPHANUMERIC = (code: number): boolean =>
  DIGIT(code) || ((code | 32) >= 97 && (code | 32) <= 122);
export const TOKEN_CHARACTERS = (code: number): boolean =>
  ALPHANUMERIC(code) || code === 45 || code === 46 || code === 95;
/** A host name and the scheme before it. */
export const HOST = (code: number): boolean =>
  ALPHANUMERIC(code) || code === 45 || code === 47 || code === 58;

/**
 * A secret whose recognisable part, one of `marks` (lower case), stands behind random characters: at most `reach` ones that
 * `before` accepts.
 */
export function marked(
  name: string,
  title: string,
  source: string,
  marks: readonly string[],
  before: (code: number) => boolean,
  reach: number,
  options: VendorOptions = {},
): PatternSpec {
  const one = shape(source);
  const spec = vendor(name, title, source, options);
  const fixtures = lazily(() => markedFixtures(one));
  return {
    ...spec,
    description: `random characters of the vendor's length with ${marks.map((mark) => `"${mark}"`).join(' or ')} between or after them`,
    anchor: { kind: 'literal', literals: marks, back: { accepts: before, max: reach } },
    validate: randomAfter(0, options),
    get example() {
      return one.sample(1);
    },
    get positives() {
      return fixtures().positives;
    },
    get negatives() {
      return fixtures().negatives;
    },
  };
}

function markedFixtures(one: Shape) {
  const [a, b, c] = [one.sample(4), one.sample(5), one.sample(6)];
  return {
    positives: FRAMES.map((frame, i) => frame(one.sample(i + 30))),
    negatives: [a, b, c].flatMap((value) => [
      `x${value}`,
      ...(one.fixedEnd ? [`${value}x`] : []),
      value.slice(0, Math.floor(value.length / 2)),
      value.slice(Math.floor(value.length / 2)),
      value.replace(/[0-9a-wyzA-Z]/g, 'x'),
      value.replace(/\d/g, ''),
    ]),
  };
}

/** The expression of a named secret runs without regard to case, for the words; the value is compared with its own case. */
function exactly(regex: string, validate: Validator): Validator {
  const whole = new RegExp(`^(?:${regex})$`);
  return (text) => (whole.test(text) ? validate(text) : 'fail');
}

function spellings(word: string): string[] {
  return ['_', '-', ' ', ''].map((joint) => word.replace(/[ _-]/g, joint));
}

/** A check that what follows the prefix is no placeholder and random enough for the characters it is made of. */
function randomAfter(
  prefix: number,
  { bits, validate, weak }: Pick<VendorOptions, 'bits' | 'validate' | 'weak'>,
): Validator {
  return (text) => {
    const body = text.slice(prefix);
    if (isPlaceholder(text) || entropy(body) < (bits ?? floorOf(body))) return 'fail';
    if (weak === true && !isMixed(body)) return 'fail';
    const verdict: Verdict = validate?.(text) ?? 'unknown';
    return verdict === 'unknown' ? passIf(true) : verdict;
  };
}

/** Digits among letters, in both cases, or in one case and then many: no words joined to a name. */
function isMixed(body: string): boolean {
  const digits = body.replace(/[^0-9]/g, '').length;
  return digits > 0 && ((/[a-z]/.test(body) && /[A-Z]/.test(body)) || digits >= body.length / 8);
}

/** Digits and hexadecimal have fewer bits per character; short texts cannot have many. */
function floorOf(body: string): number {
  const most = Math.log2(Math.max(2, body.length));
  const alphabet = /^[0-9]+$/.test(body) ? 2.2 : /^[0-9A-Fa-f-]+$/.test(body) ? 2.6 : 3;
  return Math.min(alphabet, most * 0.75);
}

function sampler(all: readonly Shape[]): (seed: number) => string {
  return (seed) => all[seed % all.length]?.sample(seed + 17) ?? '';
}

/** Ways in which a secret stands in configuration, code, shells, logs and speech. */
const FRAMES: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => `KEY=${value}`,
  (value) => `"${value}",`,
  (value) => `Authorization: Bearer ${value}`,
  (value) => `(${value})`,
  (value) => `  token: '${value}'\n`,
  (value) => `why does ${value} not work?`,
  (value) => `[${value}]`,
  (value) => `<value>${value}</value>`,
  (value) => `export A_B='${value}';`,
  (value) => `| name | ${value} |`,
  (value) => `https://a.test/?t=${value}&x=1`,
];

function vendorFixtures(all: readonly Shape[], sample: (seed: number) => string) {
  const positives = FRAMES.map((frame, i) => frame(sample(i)));
  const negatives = all.slice(0, 3).flatMap((one) => {
    const value = one.sample(3);
    const begin = value.slice(0, one.prefix);
    const body = value.slice(one.prefix);
    return [
      begin,
      `${begin} followed by random characters`,
      begin + body.slice(0, Math.max(1, Math.floor(body.length / 4))),
      `x${value}`,
      begin + body.replace(/[0-9A-Za-z]/g, 'x'),
      begin + body.replace(/[0-9A-Za-z]/g, '0'),
      `${begin}your-token-here`,
      `${begin}\${TOKEN}`,
      `${begin}****************`,
      `${begin}<your token>`,
      `${begin}... (cut off)`,
      value.slice(one.prefix, one.prefix + 5),
    ];
  });
  return { positives, negatives };
}

function namedFixtures(words: readonly string[], one: Shape) {
  const word = words[0] ?? '';
  const values = [0, 1, 2, 3, 4].map((seed) => one.sample(seed + 5));
  const [a = '', b = '', c = '', d = '', e = ''] = values;
  return {
    positives: [
      `${word}_key = ${a}`,
      `${word.toUpperCase()}_API_KEY=${b}`,
      `"${word}Token": "${c}"`,
      `  ${word}: '${d}'`,
      `my ${word} token is ${e}`,
      `- name: ${word.toUpperCase()}_TOKEN\n  value: "${a}"`,
      `export ${word.toUpperCase()}_SECRET='${b}'`,
      `const ${word}Key = "${c}";`,
      `<${word}>${d}</${word}>`,
      `${word} login(${e})`,
      ...words.slice(1).map((other) => `${other}: ${a}`),
    ],
    negatives: [
      a,
      `other_key = ${a}`,
      `${word}_key = ${a.slice(0, Math.floor(a.length / 2))}`,
      `${word}_key = ${a}${a}`,
      ...(one.fixedEnd ? [`${word}_key = x${a}`] : []),
      `${word}_key = ${'x'.repeat(a.length)}`,
      `${word}_key = ${'0'.repeat(a.length)}`,
      `${word}_key = \${KEY}`,
      `${word}_key = os.environ["KEY"]`,
      `${word} is down again`,
      `${word}${' and so on'.repeat(8)} ${a}`,
    ],
  };
}

/** Fixtures are made when somebody asks for them: a running gateway never does. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
