import { decodesTo } from './decoder.ts';
import { standsInside, TAG } from './compact.ts';
import { isDisguisedAt, mayBeDouble } from './confusables.ts';

/** What a character can begin, end or be part of. 0 is a letter or digit, which can only be part of a run. */
const SPACE = 1;
const BREAK = 2;
/** Signs that may stand between the letters of a word, and are part of runs. */
const JOINER = 3;
/** Signs that may stand between the letters of a word. */
const POINT = 4;
/** Signs that begin something. */
const SIGN = 5;
const OTHER = 6;
const WIDE = 7;

const KINDS = new Uint8Array(128).fill(OTHER);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[0-9A-Za-z+]/.test(char)) KINDS[code] = 0;
  else if (char === ' ') KINDS[code] = SPACE;
  else if (/[\t\n\v\f\r]/.test(char)) KINDS[code] = BREAK;
  else if (/[/_-]/.test(char)) KINDS[code] = JOINER;
  else if (/[.:,|`]/.test(char)) KINDS[code] = POINT;
  else if (/[%&\\=<*~"'@[({]/.test(char)) KINDS[code] = SIGN;
}

/** Runs of base 64 and hexadecimal shorter than this are words. */
const RUN = 15;
/**
 * Spaced text has at least so many single characters, or pairs of hexadecimal digits; the first and the last may touch a sign.
 */
const SINGLES = 3;
const PAIRS = 4;
/** Numbers read out digit by digit have so many digits. */
const SPELLED = 5;

const PERCENT = /%(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})/y;
const ENTITY = /&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});/y;
const ESCAPE =
  /\\(?:u\{[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8}|[nrtbf"'`/\\]|[0-3][0-7]{2})/y;
const QUOTED_PRINTABLE = /=[0-9A-F]{2}=[0-9A-F]{2}/y;
const STRINGS = /["'][ \t]{0,3}(?:[+.&][ \t]{0,3}(?:\r?\n[ \t]{0,20})?["']|,[ ]?["'][^\s]["'],)/y;
const BRACKETED = /[[({<][ ]?(?:at|dot|@|\.|ät|arroba|punkt|punto|point)[ ]?[\])}>]/iy;

/** What the characters that nobody sees may hide, before folding takes them away. */
const HIDDEN = /[\u202e\udb40\ufdd0\ufdd1]|[\ufe00-\ufe0f]{4}/;

const NUMBER = 1;
const DOT = 2;
/** Words that matter, by their first two letters and length; a hit has to be looked at. */
const WORDS = new Map<string, number>([
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'oh'].map(
    (word) => [word, NUMBER] as const,
  ),
  ...['dot', 'punkt', 'punto'].map((word) => [word, DOT] as const),
]);
const WORD_SIEVE = new Uint8Array(8_192);
for (const word of WORDS.keys()) WORD_SIEVE[sieve(word.charCodeAt(0), word.charCodeAt(1), word.length)] = 1;

function sieve(first: number, second: number, length: number): number {
  return ((first & 31) << 8) | ((second & 31) << 3) | (length & 7);
}

/**
 * Says whether reading a text through (see `reading.ts`) can show anything else than its folded form. It may say so in vain and
 * must never miss anything. Prose has to pass quickly: one look at each character, a closer one where something can begin. One
 * object serves any number of texts.
 */
export class Suspicion {
  private text = '';
  private found = false;
  private tokenStart = 0;
  private gap = 0;
  private singles = 0;
  private pairs = 0;
  private numbers = 0;
  private doublesUntil = 0;

  /** @param text The folded form of `source`. */
  falls(source: string, text: string, ascii: boolean): boolean {
    if (!ascii && HIDDEN.test(source)) return true;
    this.text = text;
    this.found = false;
    this.tokenStart = 0;
    this.gap = 0;
    this.singles = 0;
    this.pairs = 0;
    this.numbers = 0;
    this.doublesUntil = 0;
    this.look(text);
    this.text = '';
    return this.found;
  }

  private look(text: string): void {
    let runStart = 0;
    const { length } = text;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      const kind = code < 128 ? (KINDS[code] as number) : WIDE;
      if (kind === 0) continue;
      if (kind === JOINER) {
        this.pointed(i, code);
        if (code === 45) this.numberPart(i);
        if (this.found) return;
        continue;
      }
      if (i - runStart >= RUN) this.run(runStart, i);
      runStart = i + 1;
      if (kind === SPACE) this.token(i);
      else if (kind === BREAK) {
        this.token(i);
        this.singles = 0;
        this.pairs = 0;
        if (code === 9 || code === 10) this.lineBreak(i);
      } else if (kind === POINT) this.pointed(i, code);
      else if (kind === SIGN) this.sign(i, code);
      else if (kind === WIDE) this.wide(i, code);
      if (this.found) return;
    }
    if (length - runStart >= RUN) this.run(runStart, length);
    this.token(length);
  }

  private run(start: number, end: number): void {
    if (decodesTo(this.text.slice(start, end))) this.found = true;
  }

  /** Looks at the token that ends at `end`, where white space follows. */
  private token(end: number): void {
    const { text, tokenStart } = this;
    const length = end - tokenStart;
    this.tokenStart = end + 1;
    if (length === 0) {
      this.gap += 1;
      // Spaced text has one or two spaces; more are columns.
      if (this.gap === 2) this.singles = 0;
      return;
    }
    this.gap = 0;
    const first = text.charCodeAt(tokenStart);
    if ((length === 1 && first !== 124) || (length <= 3 && first >= 0x80)) {
      this.singles += 1;
      this.pairs = 0;
      if (this.singles >= SINGLES) this.found = true;
    } else if (length === 2 && isHex(first) && isHex(text.charCodeAt(tokenStart + 1))) {
      this.pairs += 1;
      this.singles = 0;
      if (this.pairs >= PAIRS) this.found = true;
    } else {
      this.singles = 0;
      this.pairs = 0;
    }
    if (this.numbers > 0) this.word(lastPart(this.text, tokenStart, end), end);
    else if (length <= 6) this.word(tokenStart, end);
  }

  private word(start: number, end: number): void {
    const stop = this.text.charCodeAt(end - 1) === 44 ? end - 1 : end;
    const kind = this.wordKind(start, stop);
    if (kind === NUMBER) this.count();
    else {
      this.numbers = 0;
      if (kind === DOT) this.found = true;
    }
  }

  /** One of several words of a number joined by dashes. */
  private numberPart(dash: number): void {
    const { text } = this;
    let start = dash;
    while (start > dash - 6 && start > this.tokenStart && text.charCodeAt(start - 1) !== 45) start -= 1;
    if (this.wordKind(start, dash) === NUMBER) this.count();
  }

  private count(): void {
    this.numbers += 1;
    if (this.numbers >= SPELLED) this.found = true;
  }

  private wordKind(start: number, end: number): number {
    const { text } = this;
    const length = end - start;
    if (length < 2 || length > 5) return 0;
    if (WORD_SIEVE[sieve(text.charCodeAt(start), text.charCodeAt(start + 1), length)] === 0) return 0;
    return WORDS.get(text.slice(start, end).toLowerCase()) ?? 0;
  }

  /** `a.b.c` */
  private pointed(at: number, sign: number): void {
    const { text } = this;
    if (
      text.charCodeAt(at + 2) === sign &&
      isWord(text.charCodeAt(at + 1)) &&
      isWord(text.charCodeAt(at - 1)) &&
      !isWord(text.charCodeAt(at - 2)) &&
      isWord(text.charCodeAt(at + 3)) &&
      // Fewer than six digits are a version, a date, a list.
      (!isDigit(text.charCodeAt(at - 1)) || text.charCodeAt(at + 8) === sign)
    )
      this.found = true;
  }

  private sign(at: number, code: number): void {
    const { text } = this;
    switch (code) {
      case 37: // %
        if (this.is(PERCENT, at)) this.found = true;
        return;
      case 38: // &
        if (this.is(ENTITY, at)) this.found = true;
        return;
      case 92: // \
        if (this.is(ESCAPE, at)) this.found = true;
        return;
      case 61: // =
        if (this.is(QUOTED_PRINTABLE, at)) this.found = true;
        return;
      case 60: // <
        if (this.is(TAG, at) || this.is(BRACKETED, at)) this.found = true;
        return;
      case 42: // *
      case 126: // ~
        if (text.charCodeAt(at + 1) === code) this.found ||= standsInside(text, at);
        else if (code === 42) this.pointed(at, code);
        return;
      case 34: // "
      case 39: // '
        if (this.is(STRINGS, at)) this.found = true;
        else if (code === 39) this.pointed(at, code);
        return;
      case 64: // @
        if (isSpaceBeside(text, at)) this.found = true;
        return;
      default:
        if (this.is(BRACKETED, at)) this.found = true;
    }
  }

  private is(regex: RegExp, at: number): boolean {
    regex.lastIndex = at;
    return regex.test(this.text);
  }

  /** A line break or tab between what may be two halves of a value. */
  private lineBreak(at: number): void {
    const { text } = this;
    let last = at - 1;
    if (text.charCodeAt(last) === 13) last -= 1;
    for (let n = 0; n < 2 && isBlank(text.charCodeAt(last)); n++) last -= 1;
    let next = at + 1;
    if (text.charCodeAt(next) === 62) {
      while (next < at + 4 && text.charCodeAt(next) === 62) next += 1;
      if (text.charCodeAt(next) === 32) next += 1;
    }
    for (let n = 0; n < 2 && isBlank(text.charCodeAt(next)); n++) next += 1;
    const before = text.charCodeAt(last);
    const after = text.charCodeAt(next);
    if (!isValue(before) || !isValue(after)) return;
    if (after === 45 && isSpace(text.charCodeAt(next + 1))) return;
    const numeric = isDigit(after) || isSign(after) || this.hasDigit(last);
    if (numeric) this.found = true;
  }

  private hasDigit(last: number): boolean {
    const { text } = this;
    for (let at = last; at > last - 64 && at >= 0; at--) {
      const code = text.charCodeAt(at);
      if (isSpace(code)) return false;
      if (isDigit(code)) return true;
    }
    return false;
  }

  private wide(at: number, code: number): void {
    const { text } = this;
    if (code === 0x3002) this.found ||= isWord(text.charCodeAt(at - 1)) && isWord(text.charCodeAt(at + 1));
    else if (code === 0xb7 || code === 0x2022) this.pointed(at, code);
    else if (code >= 0x131 && at >= this.doublesUntil && mayBeDouble(code)) {
      let end = at + 1;
      while (end < at + 128 && isLetter(text.charCodeAt(end))) end += 1;
      this.doublesUntil = end;
      this.found ||= isDisguisedAt(text, at);
    }
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isWord = (code: number): boolean => isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 122);
const isLetter = (code: number): boolean => code >= 0xc0 || isWord(code);
const isHex = (code: number): boolean => isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 102);
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
const isBlank = (code: number): boolean => code === 32 || code === 9;
/** `.` `@` `_` `-` `+` */
const isSign = (code: number): boolean =>
  code === 46 || code === 64 || code === 95 || code === 45 || code === 43;
const isValue = (code: number): boolean => isWord(code) || isSign(code);
/** Where the part of a token behind its last dash begins. */
function lastPart(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && text.charCodeAt(at - 1) !== 45) at -= 1;
  return at;
}

function isSpaceBeside(text: string, at: number): boolean {
  return text.charCodeAt(at - 1) === 32 || text.charCodeAt(at + 1) === 32;
}
