import { fromBase32, fromBase64, fromHex } from './bytes.ts';
import { Lens } from './lens.ts';

/** Longest run of base 64 or hexadecimal read as one; a longer one is read in blocks of this length (a multiple of 4). */
const RUN = 4_096;
/** Shorter runs hold too little to say, and are words. */
const LEAST = 15;
/** Longest construct with what is looked at after it. */
const REACH = RUN + 32;

const TRIGGER = /[%&\\=]|(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{15}/g;
const AT_RUN = /[0-9A-Za-z+/_-]{15,4096}/y;
const PERCENT = /(?:%[0-9A-Fa-f]{2}){1,1024}|%u[0-9A-Fa-f]{4}/y;
const QUOTED_PRINTABLE = /(?:=[0-9A-F]{2}){2,1024}/y;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z]{2,8}));/y;
const ESCAPE =
  /\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|U([0-9A-Fa-f]{8})|([nrtbf"'`/\\])|([0-3][0-7]{2}))/y;
const PADDING = /={1,6}/y;

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  commat: '@',
  period: '.',
  sol: '/',
  bsol: '\\',
  colon: ':',
  semi: ';',
  comma: ',',
  lowbar: '_',
  hyphen: '-',
  dash: '-',
  ndash: '-',
  mdash: '-',
  num: '#',
  plus: '+',
  equals: '=',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  rsqb: ']',
  lcub: '{',
  rcub: '}',
  excl: '!',
  quest: '?',
  dollar: '$',
  percnt: '%',
  ast: '*',
  vert: '|',
  grave: '`',
  Tab: '\t',
  NewLine: '\n',
  shy: '\u00ad',
  zwj: '\u200d',
  zwnj: '\u200c',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/**
 * Decodes in place: percent escapes, HTML entities, the escapes of JSON and JavaScript, quoted-printable, and runs of base 64,
 * base 32 and hexadecimal that are text. An escape is mapped on its own; of a run, every unit stands for the whole run.
 * Encodings in encodings take one lens each.
 */
export class DecoderLens extends Lens {
  /** Units that came out of runs. */
  decoded = 0;

  override reset(): void {
    super.reset();
    this.decoded = 0;
  }

  /** No construct holds white space, so all but the last token is known. */
  protected settled(): number {
    const { buffer } = this;
    const stop = Math.max(this.from, buffer.length - REACH);
    let at = buffer.length;
    while (at > stop && !isSpace(buffer.charCodeAt(at - 1))) at -= 1;
    return at;
  }

  protected rewrite(safe: number): void {
    const { buffer } = this;
    // A run that goes on after a block or an escape has no edge in front of it.
    let touching = this.from > 0 && isRun(buffer.charCodeAt(this.from - 1)) && this.goesOn;
    while (this.from < safe) {
      let at = this.from;
      if (!touching || !isRun(buffer.charCodeAt(at))) {
        TRIGGER.lastIndex = at;
        const found = TRIGGER.exec(buffer);
        if (found === null || found.index >= safe) break;
        at = found.index;
      }
      this.pass(at);
      touching = this.construct(buffer.charCodeAt(at));
    }
    this.goesOn = touching && this.from >= safe;
    this.pass(safe);
  }

  private goesOn = false;

  /** Reads the construct at the current place. @returns whether a run can go on directly after it. */
  private construct(code: number): boolean {
    switch (code) {
      case 37:
        return this.percent(PERCENT);
      case 61:
        return this.percent(QUOTED_PRINTABLE);
      case 38:
        return this.entity();
      case 92:
        return this.escape();
      default:
        return this.run();
    }
  }

  private match(regex: RegExp): RegExpExecArray | null {
    regex.lastIndex = this.from;
    return regex.exec(this.buffer);
  }

  /** One unit that is nothing special. */
  private plain(): boolean {
    this.pass(this.from + 1);
    return true;
  }

  private put(length: number, text: string): true {
    this.replace(this.from + length, text);
    return true;
  }

  /** Bytes behind `%` or `=`: each character of UTF-8 on its own, what is none stays as it is. */
  private percent(regex: RegExp): boolean {
    const found = this.match(regex)?.[0];
    if (found === undefined) return this.plain();
    if (found.charCodeAt(1) === 117)
      return this.put(6, String.fromCharCode(Number.parseInt(found.slice(2), 16)));
    for (let i = 0; i < found.length; ) {
      const lead = Number.parseInt(found.slice(i + 1, i + 3), 16);
      const count =
        lead < 0x80
          ? 1
          : lead >= 0xc2 && lead < 0xe0
            ? 2
            : lead >= 0xe0 && lead < 0xf0
              ? 3
              : lead >= 0xf0 && lead < 0xf5
                ? 4
                : 0;
      const text = count === 0 ? null : fromHex(found.slice(i, i + 3 * count).replace(/[%=]/g, ''));
      if (count === 1) this.put(3, String.fromCharCode(lead));
      else if (text !== null && Array.from(text).length === 1) this.put(3 * count, text);
      else this.pass(this.from + 3);
      i += 3 * (text === null ? 1 : count);
    }
    return true;
  }

  private entity(): boolean {
    const found = this.match(ENTITY);
    if (found === null) return this.plain();
    const [whole, decimal, hex, name] = found;
    const code =
      decimal === undefined ? (hex === undefined ? null : Number.parseInt(hex, 16)) : Number(decimal);
    const text = code === null ? NAMED[name ?? ''] : characterOf(code);
    if (text === undefined) return this.plain();
    return this.put(whole.length, text);
  }

  private escape(): boolean {
    const found = this.match(ESCAPE);
    if (found === null) return this.plain();
    const [whole, braces, unit, byte, long, simple, octal] = found;
    const hex = braces ?? unit ?? byte ?? long;
    const text =
      hex !== undefined
        ? characterOf(Number.parseInt(hex, 16))
        : octal !== undefined
          ? String.fromCharCode(Number.parseInt(octal, 8))
          : (CONTROLS[simple ?? ''] ?? simple);
    if (text === undefined) return this.plain();
    return this.put(whole.length, text);
  }

  private run(): boolean {
    const found = this.match(AT_RUN)?.[0];
    if (found === undefined) {
      let end = this.from + 1;
      while (isRun(this.buffer.charCodeAt(end))) end += 1;
      this.pass(end);
      return false;
    }
    PADDING.lastIndex = this.from + found.length;
    const padding = found.length < RUN ? (PADDING.exec(this.buffer)?.[0].length ?? 0) : 0;
    const text = decode(found);
    if (text !== null) this.emit(found.length + padding, text);
    else this.parts(found);
    return found.length === RUN;
  }

  private emit(length: number, text: string): void {
    this.decoded += text.length;
    this.put(length, text);
  }

  /** A run with `/`, `-` or `_` in it may be a path or a name one part of which is encoded. */
  private parts(run: string): void {
    const end = this.from + run.length;
    const begin = this.from;
    for (const part of run.matchAll(/[0-9A-Za-z+]{15,}/g)) {
      if (part[0].length === run.length) break;
      const text = decode(part[0]);
      if (text === null) continue;
      this.pass(begin + part.index);
      this.emit(part[0].length, text);
    }
    this.pass(end);
  }
}

/** Whether a run, or a part of it, is read as text. */
export function decodesTo(run: string): boolean {
  if (run.length >= RUN || decode(run) !== null) return true;
  if (!/[/_-]/.test(run)) return false;
  for (const part of run.matchAll(/[0-9A-Za-z+]{15,}/g)) if (decode(part[0]) !== null) return true;
  return false;
}

function decode(run: string): string | null {
  if (run.length < LEAST) return null;
  if (run.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(run)) {
    const text = fromHex(run);
    if (text !== null && isMeant(run, text)) return text;
  }
  return fromBase64(run) ?? (/^[A-Z2-7]+$/.test(run) ? fromBase32(run) : null);
}

/** Numbers and account numbers are hexadecimal by chance: short runs have to give plain text, digits alone a value. */
function isMeant(run: string, text: string): boolean {
  if (/^\d+$/.test(run)) return /^[0-9A-Za-z .@+:/_-]+$/.test(text);
  return run.length >= 32 || /^[\x20-\x7e]+$/.test(text);
}

function characterOf(code: number): string | undefined {
  if (code === 0 || code > 0x10ffff) return undefined;
  return code >= 0xd800 && code <= 0xdfff ? String.fromCharCode(code) : String.fromCodePoint(code);
}

function isRun(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    ((code | 32) >= 97 && (code | 32) <= 122) ||
    code === 43 ||
    code === 45 ||
    code === 47 ||
    code === 95
  );
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}
