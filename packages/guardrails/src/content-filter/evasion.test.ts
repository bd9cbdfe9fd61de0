import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filter, inspect, masked, streamed } from '../../test/content-filter.ts';

const RUNS = process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 1_000 : 150;

const detector = filter({
  patterns: ['credit_card', 'email', 'iban', 'us_ssn', 'github_token', 'hidden_text'].map((name) => ({
    pattern_type: 'prebuilt',
    pattern_name: name,
    action: 'MASK',
  })),
  blocked_words: [
    { keyword: 'project falcon', action: 'MASK' },
    { keyword: 'detonate', action: 'MASK' },
    { keyword: 'detonate the device', action: 'MASK' },
  ],
});

const VALUES = ['4111 1111 1111 1111', 'jane.doe@example.org', 'DE89 3704 0044 0532 0130 00'] as const;
const KEYWORDS = ['project falcon', 'detonate the device'] as const;

/** Puts something between every two characters. */
const between = (sign: string) => (text: string) => Array.from(text).join(sign);
const each = (rewrite: (code: number, char: string) => string) => (text: string) =>
  Array.from(text, (char) => rewrite(char.codePointAt(0) ?? 0, char)).join('');
const hex = (code: number, width: number) => code.toString(16).padStart(width, '0');

/** Disguises, by name; each is undone by reading the text through. */
const DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  'zero width spaces': between('\u200b'),
  'zero width joiners': between('\u200d'),
  'soft hyphens': between('\u00ad'),
  'variation selectors': between('\ufe0f'),
  'full width': each((code, char) => (code > 32 && code < 127 ? String.fromCharCode(code + 0xfee0) : char)),
  percent: each((code) => `%${hex(code, 2)}`),
  'percent, twice': each((code) => `%25${hex(code, 2)}`),
  entities: each((code) => `&#${code};`),
  'hexadecimal entities': each((code) => `&#x${hex(code, 2)};`),
  'escapes of JSON': each((code) => `\\u${hex(code, 4)}`),
  'escapes of JavaScript': each((code) => `\\x${hex(code, 2)}`),
  'quoted printable': each((code) => `=${hex(code, 2).toUpperCase()}`),
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
  'hexadecimal pairs': (text) => (Buffer.from(text).toString('hex').match(/../g) ?? []).join(' '),
  'base 64': (text) => Buffer.from(text).toString('base64'),
  'base 64, for URLs': (text) => Buffer.from(text).toString('base64url'),
  'base 64, twice': (text) => Buffer.from(Buffer.from(text).toString('base64')).toString('base64'),
  comments: (text) => `${text.slice(0, 5)}<!-- -->${text.slice(5)}`,
  tags: (text) => `${text.slice(0, 5)}<b>${text.slice(5)}</b>`.replace('</b>', ''),
};

/** Ordinary text with what must survive: emoji of several parts, joiners of scripts that need them, all kinds of signs. */
const CALM = [
  'The team met on Monday.',
  'Grüße aus Köln –',
  '👩‍👩‍👧‍👦 ❤️ 🏳️‍🌈 1️⃣',
  'می‌خواهم',
  'क्‍ष',
  'привет мир',
  'C:\\new folder',
  '100 % of it, 3 < 4 & so on',
  '**bold** and ~~gone~~',
  'naïve café',
  '日本語。テスト',
];
const calm = fc.array(fc.constantFrom(...CALM), { maxLength: 4 }).map((parts) => parts.join(' '));

describe('a value in disguise', () => {
  const disguised = (names: readonly string[]) =>
    fc.tuple(calm, fc.constantFrom(...names), fc.constantFrom(...Object.keys(DISGUISES)), calm);

  test('is masked exactly where it stands, and nothing else changes', () => {
    fc.assert(
      fc.property(disguised(VALUES), ([before, value, disguise, after]) => {
        const hidden = DISGUISES[disguise]?.(value) ?? value;
        const [text] = masked(detector, [`${before} = ${hidden} ; ${after}`]);
        expect(text?.startsWith(`${before} = [`)).toBe(true);
        expect(text?.endsWith(`] ; ${after}`)).toBe(true);
        expect(text?.slice(before.length + 3, -after.length - 3)).toMatch(/^\[[A-Z_]+_REDACTED\]$/);
      }),
      { numRuns: RUNS * 4 },
    );
  });

  test('is masked in a stream, however it is cut', () => {
    fc.assert(
      fc.property(
        disguised(VALUES),
        fc.integer({ min: 1, max: 9 }),
        ([before, value, disguise, after], size) => {
          const whole = `${before} = ${DISGUISES[disguise]?.(value) ?? value} ; ${after}`;
          const pieces: string[] = [];
          for (let at = 0; at < whole.length; at += size) pieces.push(whole.slice(at, at + size));
          expect(streamed(detector, pieces).text).toBe(masked(detector, [whole])[0]);
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('is a blocked word, too', () => {
    fc.assert(
      fc.property(disguised(KEYWORDS), ([before, word, disguise, after]) => {
        const hidden = DISGUISES[disguise]?.(word) ?? word;
        const [text] = masked(detector, [`${before} = ${hidden} ; ${after}`]);
        expect(text).toBe(`${before} = [KEYWORD_REDACTED] ; ${after}`);
      }),
      { numRuns: RUNS },
    );
  });

  test.each([
    ['letters of other scripts', 'рrоjесt fаlсоn'],
    ['digits for letters', 'pr0j3ct f4lc0n'],
    ['spaced letters', 'p r o j e c t  f a l c o n'],
    ['dotted letters', 'd.e.t.o.n.a.t.e'],
    ['repeated letters', 'deeetonnnate'],
    ['no space', 'projectfalcon'],
    ['accents', 'prójèct fâlcön'],
    ['stacked marks', 'd\u0334e\u0337t\u0335o\u0338n\u0334a\u0337t\u0335e\u0338'],
    ['signs between words', 'project_-_falcon'],
    ['capitals in circles', 'Ⓓⓔⓣⓞⓝⓐⓣⓔ'],
    ['letters of mathematics', '𝖉𝖊𝖙𝖔𝖓𝖆𝖙𝖊'],
  ])('is found in %s', (_, text) => {
    expect(masked(detector, [`They ${text} now`])).toEqual(['They [KEYWORD_REDACTED] now']);
  });

  test('is reported as hidden text when nobody can see it', () => {
    const hidden = Array.from('say yes', (char) =>
      String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0)),
    );
    expect(masked(detector, [`Hello${hidden.join('')} there`])).toEqual([
      'Hello[HIDDEN_TEXT_REDACTED] there',
    ]);
  });
});

describe('JSON', () => {
  const leaf = fc.oneof(calm, fc.string({ maxLength: 12 }), fc.constantFrom(...VALUES));

  test('stays valid, with every other leaf as it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(leaf, fc.boolean()), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...VALUES),
        (leaves, value) => {
          const escape = (text: string, all: boolean) =>
            all
              ? `"${each((code) => (code > 0xffff ? String.fromCodePoint(code) : `\\u${hex(code, 4)}`))(text)}"`
              : JSON.stringify(text);
          const text = `{"found":${escape(value, true)},"list":[${leaves.map(([one, all]) => escape(one, all)).join(',')}]}`;
          const before = JSON.parse(text) as { list: string[] };
          const after = JSON.parse(masked(detector, [text])[0] ?? '') as { found: string; list: string[] };
          expect(after.found).toMatch(/_REDACTED\]$/);
          expect(after.list).toHaveLength(before.list.length);
          before.list.forEach((one, index) => {
            if (CALM.includes(one)) expect(after.list[index]).toBe(one);
          });
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('stays valid in arguments that are JSON in a string of JSON', () => {
    const inner = JSON.stringify({ note: 'line\nbreak "quoted"', card: '4111 1111 1111 1111' });
    const [outer] = masked(detector, [JSON.stringify({ arguments: inner })]);
    const read = JSON.parse(outer ?? '') as { arguments: string };
    expect(JSON.parse(read.arguments)).toEqual({
      note: 'line\nbreak "quoted"',
      card: '[CREDIT_CARD_REDACTED]',
    });
  });
});

describe('harmless text', () => {
  test('passes unchanged', () => {
    fc.assert(
      fc.property(calm, (text) => {
        expect(inspect(detector, [text]).outcome).toEqual({ outcome: 'clean' });
      }),
      { numRuns: RUNS },
    );
  });

  test('and any other never makes an exception; edits never cut a character apart', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom(...VALUES),
        (text, value) => {
          const whole = `${text} ${value} ${text}`;
          for (const { start, end } of inspect(detector, [whole]).edits) {
            for (const at of [start, end]) {
              const [before, after] = [whole.charCodeAt(at - 1), whole.charCodeAt(at)];
              expect(before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff).toBe(false);
            }
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

test('more encoded text than is looked at is too complex, not an exception', () => {
  const line = Buffer.from('nothing to see in this line of text, and yet it is long. '.repeat(50)).toString(
    'base64',
  );
  const { outcome } = inspect(detector, [`${line} `.repeat(120)]);
  expect(outcome).toMatchObject({ outcome: 'error', error_class: 'too_complex' });
});
