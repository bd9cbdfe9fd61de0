import fc from 'fast-check';
import { expect, test } from 'vitest';
import { viewOf } from '../view.ts';
import { Reading } from './reading.ts';
import { Suspicion } from './suspicion.ts';

const RUNS = process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 40_000 : 4_000;

/** Parts of everything that reading through undoes, and of what looks like it. */
const PARTS =
  '4|1|12|A1|a|b|aa|one|two|four|zero|oh|dot|at|punkt|jane|doe|example|com|123-45|word|Word|é|ß|а|о|р|с|е|х|привет|α|日本|①|４|％|\u200b|\u00ad|\u202e|\ufe0f|😀|\u{e0041}|·|•|。| |  |   |\n|\r\n|\t|.|,|:|;|-|_|+|@|/|\\|%|%41|%u0041|&|&#65;|&amp;|=41|=3D|\\u0041|\\n|\\x41|<|<b>|</b>|<!-- x -->|<div>|>|*|**|***|~~|"|\'|" + "|["4", "1", "1", "1", "1"]|(at)|[dot]|(|)|{|}|`|||QUJDREVGR0hJSktM|41424344454647484950|abcdefghijklmnop'.split(
    '|',
  );
const text = fc.array(fc.constantFrom(...PARTS), { maxLength: 24 }).map((parts) => parts.join(''));

const suspicion = new Suspicion();

test('reading an unsuspicious text through shows its folded form and nothing else', () => {
  let calm = 0;
  fc.assert(
    fc.property(text, (source) => {
      const view = viewOf(source);
      if (suspicion.falls(source, view.text, view.ascii)) return;
      calm += 1;
      expect(new Reading().append(source, true)).toBe(view.text);
    }),
    { numRuns: RUNS },
  );
  expect(calm).toBeGreaterThan(RUNS / 100);
});

test('a whole text and any pieces of it read the same', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 5 }), (source, size) => {
      const whole = new Reading().append(source, true);
      const pieces = new Reading();
      let shown = '';
      for (let at = 0; at < source.length; at += size)
        shown += pieces.append(source.slice(at, at + size), false);
      expect(shown + pieces.append('', true)).toBe(whole);
      expect(new Reading().read(source) ?? viewOf(source).text).toBe(whole);
    }),
    { numRuns: RUNS / 4 },
  );
});
