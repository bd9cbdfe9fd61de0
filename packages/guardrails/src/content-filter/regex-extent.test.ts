import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { regexExtent } from './regex-extent.ts';

const required = (source: string): string => regexExtent(source).required;

describe('the text that every match contains', () => {
  test.each([
    ['PRJ-[0-9]{6}', 'PRJ-'],
    ['a(?:bcd)e', 'abcde'],
    ['a(bcd)+e', 'bcd'],
    ['(?i)ab\\.c\\d', 'ab.c'],
    ['ab?cd', 'cd'],
    ['x{2}yz', 'yz'],
    ['\\bfoo\\b', 'foo'],
    ['foo(?=bar)', 'foo'],
  ])('of %s is %s', (source, text) => {
    expect(required(source)).toBe(text);
  });

  test.each(['abc|def', '[abc]', '(?:abc)*d?', '(?x)a b c', '(?x:a b c)d', 'é', '\\d{3}', '(?:ab|cd)'])(
    'of %s is not known',
    (source) => {
      expect(required(source)).toBe('');
    },
  );

  test('is in every match, for any expression', () => {
    const part = fc.letrec<{ part: string }>((tie) => ({
      part: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('a', 'b', 'ab', 'ba', '[ab]', '.', '\\b', '(?:)'),
        fc.tuple(tie('part'), tie('part')).map(([a, b]) => a + b),
        fc.tuple(tie('part'), tie('part')).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie('part'), fc.constantFrom('?', '*', '+', '{2}', '{0,1}', '{1,2}?'))
          .map(([a, repeat]) => `(${a})${repeat}`),
      ),
    })).part;
    fc.assert(
      fc.property(part, fc.stringMatching(/^[abAB ]{0,12}$/), (source, text) => {
        const found = new RegExp(source, 'i').exec(text);
        if (found !== null) expect(found[0].toLowerCase()).toContain(required(source).toLowerCase());
      }),
      { numRuns: 2_000 },
    );
  });
});
