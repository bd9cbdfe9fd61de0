import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonLeaves, replaceLeaves } from './json-text.ts';

describe('jsonLeaves', () => {
  test('finds strings, numbers and keys with their decoded text and place', () => {
    const text = '{"to": "a\\u0040b.de", "n": [1, -2.5e3], "x": {"y/z": true}}';
    const leaves = jsonLeaves(text) ?? [];
    expect(leaves.map(({ pointer, leaf, value }) => [pointer, leaf, value])).toEqual([
      ['/to~key', 'key', 'to'],
      ['/to', 'string', 'a@b.de'],
      ['/n~key', 'key', 'n'],
      ['/n/0', 'number', '1'],
      ['/n/1', 'number', '-2.5e3'],
      ['/x~key', 'key', 'x'],
      ['/x/y~1z~key', 'key', 'y/z'],
    ]);
    for (const leaf of leaves) {
      const source = text.slice(leaf.start, leaf.end);
      expect(leaf.leaf === 'number' ? source : (JSON.parse(source) as string)).toBe(leaf.value);
    }
  });

  test('shows both values of a repeated key, of which a parser would hide one', () => {
    expect(
      jsonLeaves('{"a":"bad","a":"good"}')
        ?.filter((leaf) => leaf.leaf === 'string')
        .map((leaf) => leaf.value),
    ).toEqual(['bad', 'good']);
  });

  test('answers null for what is not JSON', () => {
    expect(jsonLeaves('{"a":')).toBeNull();
  });

  test('property: replacing every string leaf by itself keeps the meaning, whatever the text', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const strings = (jsonLeaves(text) ?? []).filter((leaf) => leaf.leaf !== 'number');
        expect(JSON.parse(replaceLeaves(text, strings))).toEqual(JSON.parse(text));
      }),
    );
  });
});
