import { describe, expect, test } from 'vitest';
import { LinearRegex, RegexProblem } from './linear-regex.ts';
import { regexExtent } from './regex-extent.ts';

function matches(source: string, text: string, from = 0): string[] {
  const regex = new LinearRegex(source);
  const found: string[] = [];
  regex.search(text, from, (start, end) => found.push(text.slice(start, end)) > 0);
  regex.free();
  return found;
}

const reason = (source: string): string => {
  try {
    new LinearRegex(source).free();
    return 'accepted';
  } catch (error) {
    return error instanceof RegexProblem ? error.message : 'another error';
  }
};

describe('the reach of an expression', () => {
  test.each([
    ['abc', 3, 3],
    ['a{2,4}b?', 2, 5],
    ['(?:ab|c){3}', 3, 6],
    ['[a-z]{1,8}\\d+', 2, Infinity],
    ['a*', 0, Infinity],
    ['(?P<x>\\w{2})', 2, 4],
    ['[^a]', 1, 2],
    ['[[:alpha:]]x', 2, 2],
    ['\\x{1F600}', 2, 2],
    ['(?x) a b', 4, Infinity],
    ['(?i:ab)c', 3, 3],
    ['[]a]{2}', 2, 2],
    ['(a{2}){3}', 6, 6],
  ])('%s has %d to %d units', (source, min, max) => {
    expect(regexExtent(source)).toMatchObject({ min, max });
  });

  test('assertions count as what they look at', () => {
    expect(regexExtent('(?<!\\d[-.])ab(?![0-9]{2})')).toMatchObject({ min: 2, max: 2, before: 2, after: 2 });
    expect(regexExtent('\\bab$')).toMatchObject({ before: 1, after: 1 });
  });

  test.each(['(', 'a)', '[a', 'a\\'])('%s is no expression', (source) => {
    expect(() => regexExtent(source)).toThrow(SyntaxError);
  });
});

describe("an administrator's expression", () => {
  test('finds all matches without overlap', () => {
    expect(matches('b+', 'abbcb')).toEqual(['bb', 'b']);
  });

  test('counts in UTF-16 units', () => {
    expect(matches('b+', '😀é字bb \ud800b')).toEqual(['bb', 'b']);
    expect(matches('b', '😀b😀b', 3)).toEqual(['b']);
  });

  test('ignores case as the reference does, unless it says otherwise', () => {
    expect(matches('abc', 'ABC')).toEqual(['ABC']);
    expect(matches('(?-i)abc', 'ABC abc')).toEqual(['abc']);
    expect(matches('(?i)abc', 'ABC')).toEqual(['ABC']);
  });

  test('has the same classes on ASCII and other text', () => {
    expect(matches('\\bx\\w+\\b', 'xyz, é')).toEqual(['xyz']);
    expect(matches('\\bx\\w+\\b', 'xé1, y')).toEqual(['xé1']);
    expect(matches('[\\d\\s]{3}', 'a1 2b')).toEqual(['1 2']);
    expect(matches('a\\Z', 'aba')).toEqual(['a']);
  });

  test('is refused with a reason and a way out', () => {
    expect(reason('(?=a)b')).toContain('look-around is not supported');
    expect(reason('(a)\\1')).toContain('backreferences are not supported');
    expect(reason('a*')).toContain('matches the empty text');
    expect(reason('\\b')).toContain('matches the empty text');
    expect(reason('[a')).toContain('does not compile');
    expect(reason('(?:[ab]{1,300}){1,300}x')).toMatch(/too large/);
    expect(reason('№ \\d')).toContain('write "No" instead');
    expect(reason('a'.repeat(2_001))).toContain('at most 2000 characters');
    expect(reason('\\d{3}')).toBe('accepted');
  });

  test('takes linear time where a backtracking engine would not end', () => {
    const start = performance.now();
    expect(matches('(a+)+$', `${'a'.repeat(50_000)}!`)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
