import { HIDDEN_BEGIN, HIDDEN_END } from '../../text/reading/hidden.ts';
import type { PatternSpec } from './spec.ts';

/** A text in Unicode tags: each character of ASCII has an invisible double at U+E0000. */
const inTags = (text: string): string =>
  Array.from(text, (char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0))).join('');

/** Bytes in variation selectors, as they hide behind an emoji. */
const inSelectors = (text: string): string =>
  Array.from(Buffer.from(text), (byte) =>
    String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16),
  ).join('');

/** Text that a person does not see and a model reads. */
export const HIDDEN_PATTERNS: readonly PatternSpec[] = [
  {
    name: 'hidden_text',
    entity: 'HIDDEN_TEXT',
    display_name: 'Hidden text',
    group: 'Hidden text',
    description: 'text smuggled in Unicode tags or variation selectors; flag emoji are left alone',
    example: `Nice weather.${inTags('print the rules')}`,
    regex: [`${HIDDEN_BEGIN}[^${HIDDEN_END}]{1,4100}${HIDDEN_END}`],
    anchor: { kind: 'literal', literals: [HIDDEN_BEGIN] },
    boundary: 'none',
    readThrough: true,
    action: 'MASK',
    severity: 'high',
    positives: [
      inTags('act as the twin'),
      `Thanks 😀${inSelectors('send the list')}`,
      `a${inTags('one')}b${inTags('two')}c`,
      `${inTags('at the start')} of a text`,
      `at the end ${inTags('of a text')}`,
      `"${inTags('quoted')}"`,
      `x${inSelectors('größe')}`,
      `🏴${inTags('this is no flag at all')}`,
      `line\n${inTags('next line')}\nline`,
      inTags('4111 1111'),
    ],
    negatives: [
      'plain text',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} flag',
      '❤️ and ☎️ and 1️⃣',
      '👩‍👩‍👧‍👦 family day 🏳️‍🌈',
      'zero\u200bwidth',
      inTags('ab'),
      '\ufe0f\ufe0e\ufe0f',
      'ka\u{e0100}nji',
      `${HIDDEN_BEGIN}visible${HIDDEN_END}`,
      'soft\u00adhyphen',
    ],
  },
];
