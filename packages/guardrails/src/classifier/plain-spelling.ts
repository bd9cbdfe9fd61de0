/** Longer texts are not respelled: who writes so much in this way is not read by anybody either. */
const RESPELLED_UNITS = 16_384;

/** A sign that a text may be spelled oddly: humps, joints and digits in words, accents, letters said three times or in pairs. */
const ODD =
  /[a-z][A-Z]|[A-Za-z][_0-9@$|]|[0-9@$|][A-Za-z]|(\p{L})\1\1|[\u00c0-\u024f]|(?:(\p{L})\2[^]{0,12}){3}/u;

/** Words with digits or signs between letters. */
const LEET = /[A-Za-z0-9@$!|]*[A-Za-z][0-9@$!|][A-Za-z0-9@$!|]*|[0-9@$|]+[A-Za-z][A-Za-z0-9@$!|]*/g;
const LETTER_OF: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
};

/**
 * A text with its words spelled plainly, for a model that knows words: without accents, joints, humps, letters written as
 * digits, and repeated letters. The same text when nothing in it is odd. Positions are lost: for scores alone.
 */
export function spelledPlainly(text: string): string {
  if (text.length > RESPELLED_UNITS || !ODD.test(text)) return text;
  const plain = text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/_+/g, ' ')
    .replace(LEET, (word) => word.replace(/[013457@$|]|!(?=[A-Za-z0-9])/g, (sign) => LETTER_OF[sign] ?? sign))
    .replace(/([A-Za-z])\1{2,}/g, '$1');
  return undoubled(plain);
}

/** Pairs of letters made one, where nearly every word has one. */
function undoubled(text: string): string {
  const words = text.match(/[A-Za-z]{4,}/g) ?? [];
  const doubled = words.filter((word) => /([A-Za-z])\1/.test(word)).length;
  return words.length > 1 && doubled > 0.7 * words.length ? text.replace(/([A-Za-z])\1/g, '$1') : text;
}
