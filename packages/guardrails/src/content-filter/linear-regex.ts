import { RRegex } from 'rregex';
import { foldCodePoint } from '../text/fold.ts';
import { type Extent, regexExtent } from './regex-extent.ts';

/** Longest source of a custom expression, in UTF-16 units (semantics 14). */
const REGEX_CHARACTERS = 2_000;

/** Expanded size up to which counted repeats are accepted. Larger ones stay linear and still cost milliseconds per KB. */
const REGEX_STATES = 20_000;

/** Matches longer than this cannot be awaited in a stream; such an expression counts as unbounded. */
const STREAM_MAX = 4_096;

// oxlint-disable-next-line no-control-regex -- the test is for ASCII, controls included
const ASCII = /^[\u0000-\u007f]*$/;

/** An expression that cannot be used, with the reason and what to do about it. */
export class RegexProblem extends Error {
  override readonly name = 'RegexProblem';
}

/** Receives a match as UTF-16 offsets in the searched text. Returning false stops the search. */
export type MatchSink = (start: number, end: number) => boolean;

/**
 * A regular expression written by an administrator, on an engine whose time is linear in the text (the Rust `regex` crate
 * as WebAssembly). Matching is leftmost-first, as in Python and JavaScript, and ignores case unless the expression says
 * `(?-i)`. Character classes such as `\w` are Unicode ones, as in Python.
 */
export class LinearRegex {
  /** Longest match in UTF-16 units; Infinity when it is unbounded. */
  readonly max: number;
  /** How many units outside a match decide about it. */
  readonly before: number;
  readonly after: number;

  private readonly unicode: RRegex;
  /** Same matches on ASCII text, many times faster than Unicode classes. */
  private readonly ascii: RRegex;
  /** Finds in ASCII text what every match contains, at a fraction of the cost of the engine; null when nothing is known. */
  private readonly required: RegExp | null;
  private freed = false;

  /** @throws RegexProblem when the expression cannot be used. */
  constructor(source: string) {
    if (source.length > REGEX_CHARACTERS) {
      throw new RegexProblem(`a regular expression has at most ${REGEX_CHARACTERS} characters`);
    }
    const unicodeSource = pythonEnd(source);
    const unicode = compile(unicodeSource);
    try {
      const extent = measure(unicodeSource);
      refuseUnusable(extent, unicode);
      this.max = extent.max > STREAM_MAX ? Infinity : extent.max;
      // One unit more than assertions name: a surrogate pair or a word edge next to the match.
      this.before = extent.before + 2;
      this.after = extent.after + 2;
      this.required = extent.required === '' ? null : new RegExp(escapeRegex(extent.required), 'i');
      this.ascii = compile(asciiClasses(unicodeSource));
    } catch (error) {
      unicode.free();
      throw error;
    }
    this.unicode = unicode;
  }

  /**
   * Finds the matches that begin at or after `from`, in order and without overlap. What lies before `from` still counts for
   * edges such as `\b`, and `^` means the beginning of `text`.
   */
  search(text: string, from: number, sink: MatchSink): void {
    // An edge looks at one character; more of what lies before would only cost time.
    const skip = from <= 2 ? 0 : startOfCharacter(text, from - 2);
    const part = skip === 0 ? text : text.slice(skip);
    const plain = ASCII.test(part);
    if (plain && this.required !== null && !this.required.test(part)) return;
    const regex = plain ? this.ascii : this.unicode;
    const counter = plain ? null : new UnitCounter(part);
    const units = (byte: number) => skip + (counter === null ? byte : counter.unit(byte));
    if (from === 0) {
      for (const match of regex.findAll(part)) if (!sink(units(match.start), units(match.end))) return;
      return;
    }
    let bytes = counter === null ? from - skip : counter.byte(from - skip);
    for (;;) {
      const match = regex.findAt(part, bytes);
      if (match === undefined || !sink(units(match.start), units(match.end))) return;
      bytes = match.end;
    }
  }

  /** Frees the WebAssembly memory. The object must not be used afterwards. */
  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.unicode.free();
    this.ascii.free();
  }
}

/** A position inside a surrogate pair moves to its beginning. */
export function startOfCharacter(text: string, at: number): number {
  if (at <= 0 || at >= text.length) return at;
  const code = text.charCodeAt(at);
  const before = text.charCodeAt(at - 1);
  return code >= 0xdc00 && code <= 0xdfff && before >= 0xd800 && before <= 0xdbff ? at - 1 : at;
}

/** Converts between UTF-8 and UTF-16 positions of one text, for rising positions. A lone surrogate is sent as 3 bytes. */
class UnitCounter {
  private units = 0;
  private bytes = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  unit(byte: number): number {
    while (this.bytes < byte) this.step();
    return this.units;
  }

  byte(unit: number): number {
    while (this.units < unit) this.step();
    return this.bytes;
  }

  private step(): void {
    const code = this.text.codePointAt(this.units) ?? 0;
    this.units += code > 0xffff ? 2 : 1;
    this.bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function compile(source: string): RRegex {
  try {
    return new RRegex(`(?i)${source}`);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new RegexProblem(explain(text));
  }
}

/** The engine's reason in one line, with the way out for what Python has and a linear engine cannot have. */
function explain(text: string): string {
  if (text.includes('look-around')) {
    return 'look-around is not supported, because the engine guarantees linear time; put context into a prebuilt pattern, or match the surrounding text, too';
  }
  if (text.includes('backreferences'))
    return 'backreferences are not supported, because the engine guarantees linear time';
  if (text.includes('size limit')) return 'the compiled expression is too large; lower the repeat counts';
  const reason = /error: ([^\n]*)/.exec(text)?.[1];
  return `the expression does not compile: ${reason ?? 'syntax error'}`;
}

function measure(source: string): Extent {
  try {
    return regexExtent(source);
  } catch (error) {
    throw new RegexProblem(
      `the expression cannot be measured: ${error instanceof Error ? error.message : 'syntax error'}`,
    );
  }
}

function refuseUnusable(extent: Extent, compiled: RRegex): void {
  if (extent.min === 0 || compiled.isMatch('')) {
    throw new RegexProblem(
      'the expression matches the empty text, so it would match everywhere; require at least one character',
    );
  }
  if (extent.states > REGEX_STATES) {
    throw new RegexProblem('the repeat counts multiply to an expression that is too large; lower them');
  }
  for (const code of extent.literals) {
    const folded = foldCodePoint(code);
    if (code >= 0x80 && folded !== String.fromCodePoint(code)) {
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
      const hint = folded === '' ? 'leave it out' : `write ${JSON.stringify(folded)} instead`;
      throw new RegexProblem(
        `the character ${name} can never match, because texts are normalised before matching: ${hint}`,
      );
    }
  }
}

/** Python's `\Z` is the end of the text, which Rust writes `\z`. */
function pythonEnd(source: string): string {
  return source.replace(/\\[^]/g, (escape) => (escape === '\\Z' ? '\\z' : escape));
}

const ASCII_CLASSES: Readonly<Record<string, string>> = {
  '\\d': '[0-9]',
  '\\D': '[^0-9]',
  '\\w': '[0-9A-Za-z_]',
  '\\W': '[^0-9A-Za-z_]',
  '\\s': '[\\t\\n\\v\\f\\r ]',
  '\\S': '[^\\t\\n\\v\\f\\r ]',
  '\\b': '(?-u:\\b)',
};

function asciiClasses(source: string): string {
  return source.replace(/\\b\{[^}]*\}|\\[^]/g, (escape) => ASCII_CLASSES[escape] ?? escape);
}
