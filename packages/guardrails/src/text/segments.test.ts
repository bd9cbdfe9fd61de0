import type { Segment } from '@portcullis/policy';
import { describe, expect, test } from 'vitest';
import { applyEdits } from './edits.ts';
import { joinSegments, splitEdit } from './segments.ts';

const part = (text: string, join: number | null): Segment => ({
  path: '/',
  kind: 'user',
  role: 'user',
  text,
  join,
  leaf: 'string',
});

describe('applying edits', () => {
  test('replaces spans and keeps the rest', () => {
    expect(
      applyEdits('abcdef', [
        { start: 1, end: 3, replacement: 'X' },
        { start: 3, end: 4, replacement: '' },
      ]),
    ).toBe('aXef');
  });

  test.each([
    [
      'overlapping',
      [
        { start: 0, end: 2, replacement: '' },
        { start: 1, end: 3, replacement: '' },
      ],
    ],
    [
      'unordered',
      [
        { start: 2, end: 3, replacement: '' },
        { start: 0, end: 1, replacement: '' },
      ],
    ],
    ['outside', [{ start: 0, end: 9, replacement: '' }]],
  ])('refuses %s edits', (_name, edits) => {
    expect(() => applyEdits('abc', edits)).toThrow(RangeError);
  });
});

describe('joining segments', () => {
  test('joins adjacent parts of one message only', () => {
    const joined = joinSegments([
      part('a', 1),
      part('b', 1),
      part('c', null),
      part('d', 1),
      part('e', 2),
      part('f', 2),
    ]);
    expect(joined.map((one) => one.text)).toEqual(['ab', 'ef']);
    expect(joined.map((one) => one.members)).toEqual([
      [0, 1],
      [4, 5],
    ]);
  });

  test('maps an edit back: the first part gets the replacement, the others lose their share', () => {
    const [joined] = joinSegments([part('card 4111 1111', 1), part('', 1), part(' 1111 1111 ok', 1)]);
    expect(joined && splitEdit(joined, { start: 5, end: 24, replacement: '[X]' })).toEqual([
      { segment: 0, start: 5, end: 14, replacement: '[X]' },
      { segment: 2, start: 0, end: 10, replacement: '' },
    ]);
  });
});
