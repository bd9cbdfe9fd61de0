import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATTERNS } from './patterns/index.ts';
import { filter, inspect, masked, streamed } from '../../test/content-filter.ts';

const RUNS = process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 20_000 : 600;

const WORDS = [
  { keyword: 'falcon', action: 'MASK' },
  { keyword: 'project falcon', action: 'MASK' },
  { keyword: 's*cret', action: 'MASK' },
  { keyword: '*ende', action: 'LOG' },
  { keyword: 'größe', action: 'MASK' },
  { keyword: '机密', action: 'MASK' },
];
const REGEXES = [
  { pattern_type: 'regex', name: 'ticket', pattern: '\\bT-\\d{3,6}\\b', action: 'MASK' },
  { pattern_type: 'regex', name: 'line', pattern: '(?m)^X.{0,8}$', action: 'MASK' },
  { pattern_type: 'regex', name: 'emoji', pattern: '[😀-😂]{2,3}', action: 'LOG' },
];

const everything = filter({
  patterns: [
    ...PATTERNS.map((spec) => ({ pattern_type: 'prebuilt', pattern_name: spec.name, action: 'MASK' })),
    ...REGEXES,
  ],
  blocked_words: WORDS,
});

const fixture = fc.constantFrom(
  ...PATTERNS.flatMap((spec) => [...spec.positives, ...spec.negatives]).filter((text) => text.length < 200),
);
const piece = fc.oneof(
  { weight: 4, arbitrary: fixture },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ' ',
      '\n',
      '.',
      '-',
      '@',
      ':',
      '::',
      '://',
      '(',
      ')',
      '"',
      '_',
      'a',
      'Z',
      '4',
      '1',
      '0',
      '11',
      '536',
      'x',
      '\u200b',
      '\u00ad',
      '\ufe0f',
      '\u0301',
      '\u0336',
      '\u20e3',
      'é',
      'ü',
      '½',
      'ﬁ',
      '…',
      '４',
      '①',
      '𝟒',
      '😀',
      '\ud83d',
      '\ude00',
      '字',
      '\u00a0',
      '–',
      '㏂',
      'SSN ',
      'card ',
      'bsn ',
      'passport ',
      'call ',
      'project  ',
      'falcon',
      'Falcon',
      's3cret',
      'secret',
      'wende',
      'grÖße',
      '机密',
      'T-1234',
      'X abc',
      'sk-',
      'ghp_',
      'eyJ',
      'https',
      'AKIA',
      'DE89',
      ' 3704',
      ' 0044',
      '212',
      '555',
      '0187',
      '::1',
      'fe80',
      '.com',
      'jane',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));

/** Cuts a text at arbitrary UTF-16 positions, surrogate pairs included. */
function cut(whole: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (let i = 0; at < whole.length; i++) {
    const size = sizes.length === 0 ? whole.length : (sizes[i % sizes.length] ?? 1);
    pieces.push(whole.slice(at, at + size));
    at += size;
  }
  return pieces;
}

describe('any cutting of a text', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 80 })), {
    maxLength: 8,
  });

  test('gives the same masked text and the same detections as the whole text', () => {
    fc.assert(
      fc.property(text, sizes, (whole, widths) => {
        const expected = inspect(everything, [whole]);
        const stream = streamed(everything, cut(whole, widths));
        expect(stream.text).toBe(masked(everything, [whole])[0]);
        expect(stream.types).toEqual(
          expected.detections.map((found) => `${found.type}@${found.span?.start}-${found.span?.end}`),
        );
      }),
      { numRuns: RUNS },
    );
  });

  test('stops at the same block, with the same text before it', () => {
    const blocking = filter({
      patterns: [
        { pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' },
        { pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'BLOCK' },
        { pattern_type: 'prebuilt', pattern_name: 'github_token', action: 'BLOCK' },
        ...REGEXES,
      ],
      blocked_words: [{ keyword: 'falcon', action: 'BLOCK' }],
    });
    fc.assert(
      fc.property(text, sizes, (whole, widths) => {
        const inOne = streamed(blocking, [whole]);
        const inPieces = streamed(blocking, cut(whole, widths));
        expect(inPieces).toEqual(inOne);
        const { outcome } = inspect(blocking, [whole]);
        expect(inPieces.blocked).toBe(outcome.outcome === 'flagged' && outcome.action === 'block');
      }),
      { numRuns: RUNS },
    );
  });

  test('holds for long texts, in which the scanner forgets what lies behind', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 150, maxLength: 200 }),
        fc.integer({ min: 1, max: 700 }),
        (texts, width) => {
          const whole = texts.join(' ');
          expect(streamed(everything, cut(whole, [width])).text).toBe(masked(everything, [whole])[0]);
        },
      ),
      { numRuns: Math.ceil(RUNS / 60) },
    );
  });
});

describe('what a stream holds back', () => {
  const card = [{ pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'MASK' }];
  const open = (deobfuscate: string) =>
    filter({ patterns: card, deobfuscate }).openChannel?.('assistant', null);

  test('is nothing but the last character of text that cannot belong to a match', () => {
    expect(open('off')?.push('Nothing to see here. ', false).certainUpTo).toBe(20);
  });

  test('is the last words of such text when it is read through', () => {
    expect(open('standard')?.push('There is nothing to see here. ', false).certainUpTo).toBeGreaterThan(15);
  });

  test('is an open match to its beginning and no further', () => {
    const scanner = open('off');
    expect(scanner?.push('Card 4111 1111 ', false).certainUpTo).toBe(5);
    expect(scanner?.push('1111 1111 thanks, and goodbye now', true).edits).toEqual([
      { start: 5, end: 24, replacement: '[CREDIT_CARD_REDACTED]' },
    ]);
  });

  test('stays bounded, whatever may still become something else', () => {
    const scanner = open('standard');
    let sent = 0;
    let held = 0;
    for (const unit of [
      'a ',
      'QUJD',
      '%41',
      '(at) ',
      '\u202ea',
      '1.',
      '4 1 ',
      'а',
      '\n1',
      '<b ',
      '32 ',
      'one ',
      '"a" + ',
    ]) {
      const piece = unit.repeat(8);
      for (let i = 0; i < 600; i++) {
        const { certainUpTo } = scanner?.push(piece, false) ?? { certainUpTo: 0 };
        sent += piece.length;
        held = Math.max(held, sent - certainUpTo);
      }
    }
    expect(held).toBeLessThan(32_768);
  });
});

describe('the trace of a stream', () => {
  const scanner = () =>
    filter({
      patterns: [
        { pattern_type: 'prebuilt', pattern_name: 'credit_card', action: 'MASK' },
        { pattern_type: 'prebuilt', pattern_name: 'us_ssn', action: 'BLOCK' },
      ],
    }).openChannel?.('assistant', null);

  test('is that of the whole text, also when nothing is found', () => {
    const clean = scanner();
    clean?.push('Nothing to ', false);
    expect(clean?.push('see here.', true).trace).toEqual({
      patterns_checked: 2,
      guardrail_response: [],
    });
    const card = scanner();
    card?.push('card 4111 1111 ', false);
    expect(card?.push('1111 1111 it is', true).trace).toMatchObject({
      patterns_checked: 2,
      guardrail_response: [{ type: 'pattern', pattern_name: 'credit_card', action: 'MASK' }],
    });
  });

  test('says what blocked, and says it again', () => {
    const blocked = scanner();
    const first = blocked?.push('my ssn is 536-22-8145 as you see. '.repeat(3), true);
    expect(first?.trace).toMatchObject({ provider_fields: { pattern: 'us_ssn' } });
    expect(blocked?.push('', true).trace).toEqual(first?.trace);
  });
});
