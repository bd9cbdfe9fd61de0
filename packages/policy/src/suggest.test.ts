import { expect, it } from 'vitest';
import { editDistance, Suggester } from './suggest.ts';

it('suggests the nearest known name, and nothing when none is near', () => {
  const suggester = new Suggester(['pii-mask', 'injection', 'toxicity']);
  expect(suggester.hint('pii-msk')).toBe('; did you mean "pii-mask"?');
  expect(suggester.hint('something-else')).toBe('');
});

it('counts inserted, deleted, replaced and swapped characters', () => {
  expect([
    editDistance('base', 'bsae'),
    editDistance('', 'abc'),
    editDistance('abc', 'abc'),
    editDistance('kitten', 'sitting'),
  ]).toEqual([1, 3, 0, 3]);
});
