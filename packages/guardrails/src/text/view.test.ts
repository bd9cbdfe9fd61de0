import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldCodePoint } from './fold.ts';
import { foldKeyword, View, viewOf } from './view.ts';

/** The source text of the first place where the view shows `part`. */
function sourceOf(source: string, part: string): string {
  const view = viewOf(source);
  const at = view.text.indexOf(part);
  if (at < 0) throw new Error(`${part} is not in ${view.text}`);
  return source.slice(view.sourceStart(at), view.sourceStop(at + part.length));
}

describe('the view of a text', () => {
  test.each([
    ['ASCII stays', 'a-1 \n', 'a-1 \n'],
    ['invisible characters go', 'a\u200bb\u00adc\ufeffd\u2060e\ufe0ff\u034fg', 'abcdefg'],
    ['full width folds', 'Ａ１＠－．', 'A1@-.'],
    ['digits of all scripts fold', '٣३๔𝟗߁', '33491'],
    ['enclosed and raised digits fold', '①⓪²₃❹', '10234'],
    ['dashes and spaces fold', '–—−‐\u00a0\u2009\u3000', '----   '],
    ['letters compose', 'e\u0301u\u0308', 'éü'],
    ['marks that do not compose go', '4\u03361\u20e3', '41'],
    ['case and plain letters of other scripts stay', 'Größe Ж 字 한', 'Größe Ж 字 한'],
    ['one character may become several', '½ﬁ…', '1/2fi...'],
  ])('%s', (_name, source, folded) => {
    expect(viewOf(source).text).toBe(folded);
  });

  test('leads back to the exact source', () => {
    expect(sourceOf('x ４１\u200b１１ y', '4111')).toBe('４１\u200b１１');
    expect(sourceOf('x 𝟒𝟏 y', '41')).toBe('𝟒𝟏');
    expect(sourceOf('ab½cd', '/')).toBe('½');
    expect(sourceOf('e\u0301!', 'é')).toBe('e\u0301');
  });

  test('takes the marks and invisible characters after a match along', () => {
    expect(sourceOf('4️⃣1️⃣ rest', '41')).toBe('4️⃣1️⃣');
    expect(sourceOf('41\u0336\u0336x', '41')).toBe('41\u0336\u0336');
  });

  test('never leads into the middle of a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (source) => {
        const view = viewOf(source);
        for (let i = 0; i < view.text.length; i++) {
          const start = view.sourceStart(i);
          const stop = view.sourceStop(i + 1);
          expect(start).toBeLessThan(stop);
          const split = (at: number) =>
            /[\ud800-\udbff]/.test(source[at - 1] ?? '') && /[\udc00-\udfff]/.test(source[at] ?? '');
          const inPair = /[\ud800-\udfff]/.test(view.text[i] ?? '');
          if (!inPair) expect([split(start), split(stop)]).toEqual([false, false]);
        }
      }),
    );
  });

  test('is the same for any pieces', () => {
    const alphabet = fc.constantFrom(
      'a',
      '1',
      ' ',
      'e\u0301',
      '\u0301',
      '\u0336',
      '\u200b',
      '😀',
      '\ud83d',
      '\ude00',
      '½',
      '１',
      'é',
      '字',
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (parts, size) => {
        const source = parts.join('');
        const whole = viewOf(source);
        const view = new View();
        for (let at = 0; at < source.length; at += size) {
          view.append(source.slice(at, at + size), false);
          view.trim(view.end - 3);
        }
        view.append('', true);
        expect(view.end).toBe(whole.end);
        for (let i = view.base; i < view.end; i++) {
          expect(view.text[i - view.base]).toBe(whole.text[i]);
          expect(view.sourceStart(i)).toBe(whole.sourceStart(i));
          expect(view.sourceStop(i + 1)).toBe(whole.sourceStop(i + 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('keeps the rest of an emoji', () => {
    expect(foldCodePoint(0x1f600)).toBe('😀');
  });
});

test('keywords are compared folded and in lower case', () => {
  expect(foldKeyword('Ｆａｌ\u200bcon')).toBe('falcon');
});
