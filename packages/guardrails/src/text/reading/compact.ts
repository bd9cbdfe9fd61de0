import { isDisguisedAt, latinDouble, mayBeDouble } from './confusables.ts';
import { fromHex } from './bytes.ts';
import { Lens } from './lens.ts';

/** Longest construct with what is looked at after it. */
const REACH = 4_200;
/** A word is looked at this far to both sides of a letter that may be a double. */
const WORD = 128;
/** Elements of a text written with something between every two of them. */
const MOST = 500;

/** Formatting that does not end a word. */
const INLINE =
  'b|i|u|s|a|q|em|strong|span|font|mark|small|big|sub|sup|code|kbd|tt|del|ins|wbr|abbr|cite|bdi|bdo|label|strike';
export const TAG = new RegExp(`<(?:/?(?:${INLINE})(?:\\s[^<>]{0,160})?/?>|!--[^<>]{0,160}?-->)`, 'iy');
const STARS = /\*{2,3}|~~/y;
const JOINED_STRINGS = /(["'])[ \t]{0,3}[+.&][ \t]{0,3}(?:\r?\n[ \t]{0,20})?\1/y;
const ARRAY = /(["'])([^\s"'\\])\1(?:,[ ]?(["'])[^\s"'\\]\3){4,500}/y;
const LINE_BREAK = /\t|\r?\n(?:>{1,3} )?/y;
const SPACED = /[^\s|](?:[ ]{1,2}[^\s|]){4,500}(?![^\s.,;:!?)"'\]}>])/y;
const POINTED = /([0-9A-Za-z])([.\-_*|'`·•,:/])[0-9A-Za-z](?:\2[0-9A-Za-z]){0,500}(?![0-9A-Za-z])/y;
/** Fewer pairs of hexadecimal digits are words and numbers. */
const LEAST_PAIRS = 6;
const HEX_PAIRS = /[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){5,1365}(?![0-9A-Za-z])/y;

const BRACKETED_AT = '[ ]?[\\[({<][ ]?(?:at|@|ät|arroba)[ ]?[\\])}>][ ]?';
const BRACKETED_DOT = '[ ]?[\\[({<][ ]?(?:dot|punkt|punto|point|\\.)[ ]?[\\])}>][ ]?';
const AT = new RegExp(`${BRACKETED_AT}|[ ](?:at|ät|arroba)[ ]|[ ]@[ ]?|@[ ]`, 'iy');
const DOT = new RegExp(`${BRACKETED_DOT}|[ ](?:dot|punkt|punto)[ ]`, 'iy');
const ANY_DOT = `(?:\\.|${BRACKETED_DOT}|[ ](?:dot|punkt|punto)[ ])`;
const ANY_AT = `(?:@|${BRACKETED_AT}|[ ](?:at|ät|arroba)[ ]|[ ]@[ ]?|@[ ])`;
/** An e-mail address with words in place of its signs. Searched in a short stretch only. */
const SPOKEN = new RegExp(
  `(?<![0-9A-Za-z_.@+-])[0-9A-Za-z_+-]{1,40}(?:${ANY_DOT}[0-9A-Za-z_+-]{1,40}){0,4}${ANY_AT}[0-9A-Za-z-]{1,40}(?:${ANY_DOT}[0-9A-Za-z-]{1,40}){0,3}${ANY_DOT}[A-Za-z]{2,12}(?![0-9A-Za-z])`,
  'gi',
);
const SPOKEN_REACH = 100;
const EDGE_DOT = new RegExp(`(?:${BRACKETED_DOT}|\u3002)(?=[0-9A-Za-z])`, 'iy');
/** Endings of domains that people spell out. */
const ENDINGS =
  /[. ](?:com|org|net|edu|gov|info|biz|dev|app|io|ai|co|me|tv|uk|us|ca|au|nz|ie|de|at|ch|fr|es|it|pt|nl|be|lu|dk|se|no|fi|pl|cz|sk|hu|ro|bg|gr|hr|si|ee|lv|lt|ru|ua|tr|il|in|cn|jp|kr|tw|hk|sg|my|th|id|ph|vn|za|ng|ke|eg|ma|br|mx|ar|cl|pe|eu)$/i;

const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const NUMBER = `(?:${NUMBERS.join('|')}|oh)`;
/** A number read out digit by digit; fewer digits are prose. */
const SPELLED = new RegExp(`${NUMBER}(?:(?:, |[ -])${NUMBER}){6,40}(?![A-Za-z])`, 'iy');

/** Where any construct can begin; what it is, is decided there. */
const TRIGGER =
  /<|\*\*|~~|["'][ \t]{0,3}[+.&,]|["'][^\s"'\\]["'],|[\n\t]|(?<![^\s=:("'`>])[^\s] {1,2}[^\s](?![^\s])|(?<![0-9A-Za-z])[0-9A-Za-z][.\-_*|'`·•,:/][0-9A-Za-z](?![0-9A-Za-z])|(?<![0-9A-Za-z])[0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2} |[ ]?[[({<][ ]?(?:at|dot|@|\.|ät|arroba|punkt|punto|point)[ ]?[\])}>]|(?<=[0-9A-Za-z])[ ](?:at|dot|ät|arroba|punkt|punto)[ ](?=[0-9A-Za-z])|(?<=[0-9A-Za-z])(?:[ ]@|@[ ])|(?<=[0-9A-Za-z])\u3002(?=[0-9A-Za-z])|(?<![A-Za-z])(?:zero|one|two|three|four|five|six|seven|eight|nine|oh)[ ,-]|[\u00c0-\u1fff\u2c00-\u2dff\u2170-\u217f\u2184\uab30-\uabbf]/gi;

/**
 * Puts together what was pulled apart: characters with spaces, dots or other signs between every two, values with formatting,
 * line breaks or string operators inside, spoken e-mail addresses, and words spelled with letters of other scripts. Reads
 * folded text.
 *
 * Positions in {@link weak} are those where a line break or tab was taken out between what may well be two values.
 */
export class CompactLens extends Lens {
  readonly weak: number[] = [];

  /** End of the spoken address that has been recognised, as an index in the lower text. */
  private spokenUntil = 0;
  /** The sign between the letters of the word before, and where that word ended in the lower text. */
  private sign = '';
  private signEnd = -1;

  override reset(): void {
    super.reset();
    this.weak.length = 0;
    this.spokenUntil = 0;
    this.sign = '';
    this.signEnd = -1;
  }

  /** Forgets marks before `position` of the rewritten text. */
  trimWeak(position: number): void {
    let drop = 0;
    while (drop < this.weak.length && (this.weak[drop] ?? 0) < position) drop += 1;
    if (drop > 0) this.weak.splice(0, drop);
  }

  /** Whether a doubtful place lies inside the range of the rewritten text. */
  isWeak(start: number, end: number): boolean {
    return this.weak.some((at) => at > start && at < end);
  }

  /**
   * The last token is never known; nor are the tokens before it that a construct may join with it, see {@link areLinked}.
   */
  protected settled(): number {
    const { buffer } = this;
    const stop = Math.max(this.from, buffer.length - REACH);
    let end = buffer.length;
    let at = tokenStart(buffer, end, stop);
    for (;;) {
      let gap = at;
      while (gap > stop && isSpace(buffer.charCodeAt(gap - 1))) gap -= 1;
      if (gap <= stop) return stop;
      const begin = tokenStart(buffer, gap, stop);
      const narrow = at - gap <= 2 && !isBreak(buffer.charCodeAt(gap)) && !isBreak(buffer.charCodeAt(at - 1));
      if (narrow && !areLinked(buffer.slice(begin, gap), buffer.slice(at, end))) return this.openTag(at);
      at = begin;
      end = gap;
      if (at <= stop) return stop;
    }
  }

  /** An open tag or comment may hold spaces. */
  private openTag(at: number): number {
    const from = Math.max(this.from, at - 176);
    const open = this.buffer.lastIndexOf('<', at);
    return open >= from && !this.buffer.slice(open, at).includes('>') ? open : at;
  }

  protected rewrite(safe: number): void {
    const { buffer } = this;
    while (this.from < safe) {
      TRIGGER.lastIndex = this.from;
      const found = TRIGGER.exec(buffer);
      if (found === null || found.index >= safe) break;
      this.pass(found.index);
      const before = this.from;
      this.construct(buffer.charCodeAt(before));
      if (this.from === before) this.pass(before + 1);
    }
    this.pass(safe);
  }

  private construct(code: number): void {
    if (code >= 0xc0 && code !== 0x3002) {
      this.double();
      return;
    }
    switch (code) {
      case 60: // <
        if (this.remove(TAG)) return;
        break;
      case 42: // *
      case 126: // ~
        if (standsInside(this.buffer, this.from)) {
          if (this.remove(STARS)) return;
        } else if (this.buffer.charCodeAt(this.from + 1) === code) {
          this.pass(signsEnd(this.buffer, this.from));
          return;
        }
        break;
      case 34: // "
      case 39: // '
        if (this.array() || this.remove(JOINED_STRINGS)) return;
        break;
      case 9:
      case 10:
        this.lineBreak();
        return;
      default:
    }
    if (this.spoken() || this.spelled()) return;
    if (this.hexPairs() || this.spaced() || this.pointed()) return;
  }

  private match(regex: RegExp): RegExpExecArray | null {
    regex.lastIndex = this.from;
    return regex.exec(this.buffer);
  }

  private remove(regex: RegExp): boolean {
    const found = this.match(regex);
    if (found === null) return false;
    this.take(found[0].length, '');
    return true;
  }

  private take(length: number, text: string): void {
    this.replace(this.from + length, text);
  }

  /** `["4", "1", "1", "1", "1"]` */
  private array(): boolean {
    const found = this.match(ARRAY)?.[0];
    if (found === undefined) return false;
    const end = this.from + found.length;
    for (let at = this.from; at < end; ) {
      const next = at + 1;
      if (next > this.from) this.take(next - this.from, '');
      this.pass(next + 1);
      at = next + 2;
      while (at < end && (this.buffer[at] === ',' || this.buffer[at] === ' ')) at += 1;
    }
    this.take(end - this.from, '');
    return true;
  }

  /** A line break or tab inside a value: only where digits or signs beside it say that it may be one. */
  private lineBreak(): void {
    const { buffer, from } = this;
    const found = this.match(LINE_BREAK)?.[0];
    if (found === undefined) return;
    const end = from + found.length;
    let last = from - 1;
    while (last > from - 3 && isBlank(buffer.charCodeAt(last))) last -= 1;
    let next = end;
    while (next < end + 2 && isBlank(buffer.charCodeAt(next))) next += 1;
    const before = buffer.charCodeAt(last);
    const after = buffer.charCodeAt(next);
    if (!isValue(before) || !isValue(after)) return;
    // A dash before a space begins an item of a list.
    if (after === 45 && isSpace(buffer.charCodeAt(next + 1))) return;
    const numeric = isDigit(after) || isSign(after) || hasDigit(buffer, last);
    if (!numeric) return;
    const joint = isSign(before) || isSign(after);
    this.take(found.length, '');
    if (!joint) this.weak.push(this.outEnd);
  }

  /** `4 1 1 1`, with two spaces where one was. */
  private spaced(): boolean {
    if (!this.atEdge()) return false;
    const found = this.match(SPACED)?.[0];
    if (found === undefined) return false;
    const end = this.from + found.length;
    while (this.from < end) {
      this.pass(this.from + 1);
      let gap = 0;
      while (this.from + gap < end && this.buffer[this.from + gap] === ' ') gap += 1;
      if (gap > 0) this.take(gap, gap === 2 ? ' ' : '');
    }
    return true;
  }

  /** `4.1.1.1`, `i-g-n-o-r-e`; short words of letters only behind a longer one of the same kind. */
  private pointed(): boolean {
    const found = this.match(POINTED);
    if (found === null) return false;
    const [text] = found;
    const sign = found[2] ?? '';
    const elements = (text.length + 1) / 2;
    const letters = !/\d/.test(text);
    const follows = this.sign === sign && this.map.inEnd - this.signEnd <= 2;
    if (elements > MOST || elements < (letters ? (follows ? 2 : 3) : 6)) {
      this.pass(this.from + text.length);
      return true;
    }
    const end = this.from + text.length;
    while (this.from < end) {
      this.pass(this.from + 1);
      if (this.from < end) this.take(1, '');
    }
    this.sign = sign;
    this.signEnd = this.map.inEnd;
    return true;
  }

  /** `34 31 31 31 31 31` */
  private hexPairs(): boolean {
    if (!this.atEdge()) return false;
    const found = this.match(HEX_PAIRS)?.[0];
    if (found === undefined) return false;
    const text = fromHex(found.replaceAll(' ', ''));
    if (text === null) this.printablePairs(found);
    else this.take(found.length, text);
    return true;
  }

  /** Of pairs that are no text as a whole, those that are for a while. */
  private printablePairs(pairs: string): void {
    const begin = this.from;
    let start = 0;
    for (let at = 0; at <= pairs.length; at += 3) {
      const byte = Number.parseInt(pairs.slice(at, at + 2), 16);
      if (byte >= 32 && byte < 127) continue;
      if (at - start >= 3 * LEAST_PAIRS) {
        this.pass(begin + start);
        this.take(at - 1 - start, fromHex(pairs.slice(start, at).replaceAll(' ', '')) ?? '');
      }
      start = at + 3;
    }
    this.pass(begin + pairs.length);
  }

  /** `four one one one one one one` */
  private spelled(): boolean {
    if (isWord(this.buffer.charCodeAt(this.from - 1))) return false;
    const found = this.match(SPELLED)?.[0];
    if (found === undefined) return false;
    let at = 0;
    for (const word of found.matchAll(/[A-Za-z]+/g)) {
      const digit = Math.max(0, NUMBERS.indexOf(word[0].toLowerCase()));
      const end = word.index + word[0].length;
      this.take(end - at, String(digit));
      at = end;
    }
    return true;
  }

  /** `jane [at] example (dot) org`, and dots in brackets between letters and digits anywhere. */
  private spoken(): boolean {
    if (this.map.inEnd < this.spokenUntil || this.recognise()) {
      for (const [regex, text] of [
        [AT, '@'],
        [DOT, '.'],
      ] as const) {
        const found = this.match(regex);
        if (found === null) continue;
        this.take(found[0].length, text);
        return true;
      }
      return false;
    }
    const dot = this.match(EDGE_DOT);
    if (dot === null || !isWord(this.buffer.charCodeAt(this.from - 1))) return false;
    this.take(dot[0].length, '.');
    return true;
  }

  /** Whether a spoken address stands around the current place. */
  private recognise(): boolean {
    const { buffer, from } = this;
    if (this.match(AT) === null && this.match(DOT) === null) return false;
    const begin = Math.max(0, from - SPOKEN_REACH);
    const stretch = buffer.slice(begin, from + SPOKEN_REACH);
    for (const found of stretch.matchAll(SPOKEN)) {
      const start = begin + found.index;
      const end = start + found[0].length;
      if (start > from) return false;
      // Plain words alone are prose: "meet me at example dot" needs a sign that somebody spells an address.
      if (
        end <= from ||
        !(/[[({<@]/.test(found[0]) || (/[ ](?:dot|punkt|punto)[ ]/i.test(found[0]) && ENDINGS.test(found[0])))
      )
        continue;
      this.spokenUntil = this.map.inEnd + (end - from);
      return true;
    }
    return false;
  }

  /** Letters of other scripts in a word that also has Latin ones. Looked at block by block, for long texts without spaces. */
  private double(): void {
    const { buffer, from } = this;
    let end = from;
    let any = false;
    while (end < buffer.length && end < from + WORD) {
      const code = buffer.charCodeAt(end);
      if (!isLetter(code) && !isWord(code) && !isLatin(code)) break;
      any ||= mayBeDouble(code);
      end += 1;
    }
    if (!any) {
      this.pass(Math.max(end, from + 1));
      return;
    }
    const disguised = isDisguisedAt(buffer, from);
    while (this.from < end) {
      const code = buffer.charCodeAt(this.from);
      const latin = disguised ? latinDouble(code) : null;
      if (latin === null) this.pass(this.from + 1);
      else this.take(1, latin);
    }
  }

  private atEdge(): boolean {
    return this.from === 0 || /[\s=:("'`>]/.test(this.buffer[this.from - 1] ?? '');
  }
}

/** End of the equal signs that begin at `at`. */
function signsEnd(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  let end = at + 1;
  while (text.charCodeAt(end) === sign) end += 1;
  return end;
}

/** Whether the signs of formatting that begin at `at` stand within a value or word; around one they hide nothing. */
export function standsInside(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const end = signsEnd(text, at);
  const after = text.charCodeAt(end);
  if (!(isValue(before) || before >= 0x80) || !(isValue(after) || after >= 0x80)) return false;
  return after !== 46 || isWord(text.charCodeAt(end + 1));
}

/** Signs that join tokens across spaces, and what may become the words for them. */
const JOINING =
  /[@[\](){}<>"'*~|`]|^[+.&-]|[+.&\-_]$|^(?:a|d|p)?$|^(?:at|do|dot|pu|pun|punk|punkt|punt|punto|po|poi|poin|point|ar|arr|arro|arrob|arroba|ät|ä)$|^(?:z|ze|zer|zero|o|oh|on|one|t|tw|two|th|thr|thre|three|f|fo|fou|four|fi|fiv|five|s|si|six|se|sev|seve|seven|e|ei|eig|eigh|eight|n|ni|nin|nine),?$/i;

/**
 * Whether a construct may hold two neighbouring tokens: one of them is a sign or the word for one, or both are short, as
 * elements of spaced text are.
 */
function areLinked(first: string, second: string): boolean {
  // `KEY=4 1 1 1`: the first element may follow a sign.
  const element = first.length - 1 - Math.max(first.lastIndexOf('='), first.lastIndexOf(':'));
  if (element <= 2 && (second.length <= 2 || /^.[^0-9A-Za-z]/.test(second))) return true;
  return JOINING.test(edges(first)) || JOINING.test(edges(second));
}

/** Enough of a token to see what it is. */
function edges(token: string): string {
  return token.length <= 96 ? token : token.slice(0, 48) + token.slice(-48);
}

function tokenStart(text: string, end: number, stop: number): number {
  let at = end;
  while (at > stop && !isSpace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** Whether the token that ends at `last` has a digit. */
function hasDigit(text: string, last: number): boolean {
  for (let at = last; at > last - 64 && at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) return false;
    if (isDigit(code)) return true;
  }
  return false;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLatin = (code: number): boolean =>
  ((code | 32) >= 97 && (code | 32) <= 122) ||
  (code >= 0xc0 && code <= 0x17f && code !== 0xd7 && code !== 0xf7);
const isWord = (code: number): boolean => isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 122);
const isLetter = (code: number): boolean => code >= 0x100;
const isBreak = (code: number): boolean => code >= 9 && code <= 13;
const isBlank = (code: number): boolean => code === 32 || code === 9;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
/** `.` `@` `_` `-` `+` */
const isSign = (code: number): boolean =>
  code === 46 || code === 64 || code === 95 || code === 45 || code === 43;
const isValue = (code: number): boolean => isWord(code) || isSign(code);
