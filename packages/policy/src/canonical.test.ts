import { expect, it } from 'vitest';
import { canonicalJson, canonicalJsonOf } from './canonical.ts';

it('C5 writes equal values in one spelling, keys by code units, without white space', () => {
  expect(canonicalJson({ b: [1, null, 'é'], a: { Z: true, a: undefined } })).toBe(
    '{"a":{"Z":true},"b":[1,null,"é"]}',
  );
});

it('refuses what is not JSON instead of throwing: cycles, depth, functions, infinities', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  let deep: unknown = 0;
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  expect([cycle, deep, () => 0, Number.NaN, undefined, 1n].map(canonicalJsonOf)).toEqual(Array(6).fill(null));
});
