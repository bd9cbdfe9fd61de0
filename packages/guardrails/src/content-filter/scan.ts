import { withoutAccents } from '../text/fold.ts';
import { View } from '../text/view.ts';
import { startOfCharacter } from './linear-regex.ts';
import { type Cluster, compareMatches, takeClusters } from './overlaps.ts';
import {
  DIGIT_LOOK,
  type DigitRules,
  LONGEST_RUN,
  NEXT_CLASSES,
  nextClass,
  type Program,
} from './program.ts';
import { type ContextWindow, isGlue, type KeywordRule, type Match, type PatternRule } from './rule.ts';
import { Sentences } from './sentences.ts';

/** The view is cut back only when this many units can go, so that the cost of cutting stays small. */
const TRIM_UNITS = 2_048;
/** In place of a rule in the queue: a run of digits, for every rule that begins at one. */
const DIGITS = -1;

const NO_CLUSTERS: readonly Cluster[] = [];
/** Longest run of backslashes that is counted. */
const LONGEST_SLASHES = 8;

/** Where ASCII text is read from; scans are synchronous, so one is enough. Longer texts are read in parts. */
const bytes = Buffer.alloc(16_384);
/** Shorter pieces are read faster from the string itself. */
const WORTH_COPYING = 48;

/**
 * One pass over one text, whole or in pieces, with the same result for any cutting.
 *
 * What makes it so: every decision depends on a bounded stretch of the normalised text around a possible beginning of a
 * match, and is made only when that stretch is known (or the text has ended). Possible beginnings come from the automaton
 * and from runs of digits, are queued in the order in which the text reveals them, and each rule works through its own
 * in that order. What lies before the earliest undecided beginning is certain.
 *
 * Memory is bounded by the longest match, the windows, and the open matches. An object is reused for many texts: a clean
 * text allocates nothing.
 */
export class Scan {
  /** Source position up to which everything is decided. */
  certainUpTo = 0;

  private readonly program: Program;
  /** The folded text. */
  readonly view = new View();
  private readonly table: Int32Array;
  private readonly ascii: Uint16Array;

  private scanned = 0;
  private state = 0;
  private readonly queueRules: number[] = [];
  private readonly queueStarts: number[] = [];
  /** Per rule: where its next match may begin. */
  private readonly cursors: Int32Array;
  /** Per rule: the round in which one of its beginnings had to wait. */
  private readonly waiting: Int32Array;
  private round = 0;
  /** Words of any context, in the order in which they end: where, and which literal. */
  private readonly wordStarts: number[] = [];
  private readonly wordEnds: number[] = [];
  private readonly wordLiterals: number[] = [];
  /** Per context: the mark of the last run of digits that had one of its words near. */
  private readonly nearSets: Float64Array;
  private mark = 0;
  /** Digits from the run that is being tried on; -1 until somebody asks. */
  private digits = -1;
  /** Matches that nobody has taken yet, in the order in which they became certain. */
  readonly found: Match[] = [];
  private readonly onHit: (literal: number, length: number) => void;
  /** Words of categories, waiting for the end of their sentence. */
  private readonly sentences = new Sentences();
  private readonly onFinding: (rule: Match['rule'], start: number, end: number) => void;
  private hitEnd = 0;

  /** The text is JSON, so that edits must not cut its escapes apart. */
  json = false;
  /** This is a text read through, in which hidden text stands between marks. */
  private readonly readThrough: boolean;

  constructor(program: Program, readThrough = false) {
    this.program = program;
    this.readThrough = readThrough;
    this.table = program.automaton.table;
    this.ascii = program.automaton.ascii;
    this.cursors = new Int32Array(program.rules.length);
    this.waiting = new Int32Array(program.rules.length);
    this.nearSets = new Float64Array(program.contextSets);
    this.onHit = (literal, length) => this.hit(literal, length);
    this.onFinding = (rule, start, end) => this.record(rule, start, end);
  }

  /** Forgets everything, ready for another text. */
  reset(): void {
    this.view.reset();
    this.certainUpTo = 0;
    this.json = false;
    this.scanned = 0;
    this.state = 0;
    this.queueRules.length = 0;
    this.queueStarts.length = 0;
    this.cursors.fill(0);
    this.found.length = 0;
    this.wordStarts.length = 0;
    this.wordEnds.length = 0;
    this.wordLiterals.length = 0;
    this.sentences.reset();
  }

  /**
   * Takes the next piece; `done` marks the last one.
   * @returns the clusters that have become certain, in order of position.
   */
  feed(piece: string, done: boolean): readonly Cluster[] {
    const limit = this.advance(piece, done);
    let clusters = NO_CLUSTERS;
    if (this.found.length > 0) {
      this.found.sort(compareMatches);
      clusters = takeClusters(this.found, limit);
    }
    this.certainUpTo = Math.min(limit, this.found[0]?.start ?? limit);
    return clusters;
  }

  /**
   * Takes the next piece, and leaves what is found in {@link found}.
   * @returns the source position before which no match begins that is not there.
   */
  advance(piece: string, done: boolean): number {
    this.view.append(piece, done);
    this.readAhead();
    const known = done ? Infinity : this.view.end;
    if (this.queueRules.length > 0) this.decide(known);
    if (this.program.customRules.length > 0) this.searchCustom(known);
    if (this.sentences.count > 0) this.sentences.settle(this.view, done, this.onFinding);
    const undecided = done ? this.view.end : this.earliestUndecided();
    const limit = this.view.sourceStart(undecided);
    if (!done) this.forget(undecided);
    return limit;
  }

  /** Source position before which nothing is looked at any more. */
  get retainedFrom(): number {
    return this.view.sourceStart(this.view.base);
  }

  /** Runs the automaton over what is new, queueing every place where a match may begin. */
  private readAhead(): void {
    const { text, base, ascii } = this.view;
    const end = base + text.length;
    if (!this.program.anchored) this.scanned = end;
    else if (ascii && end - this.scanned >= WORTH_COPYING) {
      while (this.scanned < end) this.readBytes(Math.min(end, this.scanned + bytes.length));
    } else this.readUnits();
  }

  /**
   * As {@link readUnits}, for ASCII: a string tells its characters one call at a time, bytes are read at once. Where
   * nothing has begun, characters at which nothing can begin are passed by.
   */
  private readBytes(to: number): void {
    const { table, ascii } = this;
    const { automaton, numbers, idle } = this.program;
    const { text, base } = this.view;
    const from = this.scanned - base;
    const part = from === 0 && to - base === text.length ? text : text.slice(from, to - base);
    const length = bytes.write(part, 'latin1');
    const start = base + from;
    let afterDigit = from > 0 && isDigit(text.charCodeAt(from - 1));
    let state = this.state;
    for (let i = 0; i < length; i++) {
      let code = bytes[i] as number;
      if (state === 0) {
        const first = i;
        while (idle[code] === 1 && ++i < length) code = bytes[i] as number;
        if (i === length) {
          afterDigit &&= first === i;
          break;
        }
        if (i > first) afterDigit = false;
      }
      const info = ascii[code] as number;
      const entry = table[state + (info & 255)] as number;
      state = entry >> 1;
      const digit = info >= 256;
      if (digit && numbers && !afterDigit) this.enqueue(DIGITS, start + i);
      afterDigit = digit;
      if ((entry & 1) !== 0) {
        this.hitEnd = start + i + 1;
        automaton.forEachHit(state, this.onHit);
      }
    }
    this.state = state;
    this.scanned = to;
  }

  private readUnits(): void {
    const { table, ascii } = this;
    const { automaton } = this.program;
    const { text, base } = this.view;
    const { numbers } = this.program;
    let state = this.state;
    for (let i = this.scanned - base; i < text.length; i++) {
      const code = text.charCodeAt(i);
      let kind = 0;
      let info = 0;
      if (code < 128) {
        info = ascii[code] as number;
        kind = info & 255;
      } else kind = automaton.wideClass(code);
      const entry = table[state + kind] as number;
      state = entry >> 1;
      if (info >= 256 && numbers && (i === 0 || !isDigit(text.charCodeAt(i - 1))))
        this.enqueue(DIGITS, base + i);
      if ((entry & 1) !== 0) {
        this.hitEnd = base + i + 1;
        automaton.forEachHit(state, this.onHit);
      }
    }
    this.state = state;
    this.scanned = base + text.length;
  }

  /** Tries the rules that can begin at the run of digits that begins at the absolute position `start`. */
  private tryDigits(start: number): void {
    const { text, base } = this.view;
    const { digitRules, letterRules } = this.program;
    const at = start - base;
    const run = runLength(text, at);
    const cell = run * NEXT_CLASSES + nextClass(text.charCodeAt(at + run));
    this.digits = -1;
    const near = this.markWordsNear(start);
    for (const rules of digitRules) {
      if (rules.lead > at) continue;
      const first = at - rules.lead;
      if (rules.lead > 0 && !isLead(text.charCodeAt(first))) continue;
      this.tryDigitRules(rules, cell, start, rules.lead, near);
    }
    const letters = lettersBefore(text, at, letterRules.length);
    const rules = letterRules[letters] ?? null;
    if (rules !== null) this.tryDigitRules(rules, cell, start, letters, near);
  }

  private tryDigitRules(rules: DigitRules, cell: number, start: number, lead: number, near: boolean): void {
    const free = rules.free[cell] ?? [];
    const gated = near ? (rules.gated[cell] ?? []) : [];
    if (free.length === 0 && gated.length === 0) return;
    const { text, base } = this.view;
    const from = start - lead;
    const glued = from > base && isGlue(text.charCodeAt(from - base - 1));
    if (this.digits < 0) this.digits = countDigits(text, start - base);
    for (const { rule, minDigits } of free) {
      if (minDigits > this.digits) break;
      if ((glued && rule.edge) || from < (this.cursors[rule.id] as number)) continue;
      this.tryPattern(rule, from);
    }
    for (const { rule, minDigits } of gated) {
      if (minDigits > this.digits) break;
      if (this.nearSets[rule.context?.set ?? 0] !== this.mark) continue;
      if ((glued && rule.edge) || from < (this.cursors[rule.id] as number)) continue;
      this.tryPattern(rule, from);
    }
  }

  /** Marks the contexts that have a word near enough to a run of digits to matter; whether there is any. */
  private markWordsNear(start: number): boolean {
    const { wordEnds, wordLiterals, program } = this;
    if (wordEnds.length === 0) return false;
    const to = start + program.digitReach;
    let i = firstAfter(wordEnds, start - program.digitBefore - program.maxLead);
    if (i >= wordEnds.length || (wordEnds[i] as number) > to) return false;
    this.mark += 1;
    for (; i < wordEnds.length && (wordEnds[i] as number) <= to; i++) {
      for (const set of program.uses[wordLiterals[i] as number]?.contexts ?? [])
        this.nearSets[set] = this.mark;
    }
    return true;
  }

  private hit(literal: number, length: number): void {
    const uses = this.program.uses[literal];
    if (uses === undefined) return;
    const start = this.hitEnd - length;
    const { text, base } = this.view;
    const glued = start > 0 && isGlue(text.charCodeAt(start - 1 - base));
    for (const id of uses.rules) {
      const rule = this.program.rules[id];
      if (rule?.kind === 'keyword') {
        if (!(glued && rule.edgeStart)) this.enqueue(id, start);
      } else if (rule?.kind === 'pattern') {
        if (rule.back !== null) this.enqueueBack(rule, start, length);
        else if (!(glued && rule.edge)) this.enqueue(id, start);
      }
    }
    for (const term of uses.terms)
      if (!(glued && term.edgeStart)) this.sentences.add(term, start, this.hitEnd);
    if (uses.contexts.length === 0 || (glued && !isHump(text, start - base))) return;
    this.wordStarts.push(start);
    this.wordEnds.push(this.hitEnd);
    this.wordLiterals.push(literal);
  }

  /** Queues the beginning of the run before a literal, unless what stands there cannot be one. */
  private enqueueBack(rule: PatternRule, from: number, length: number): void {
    const { text, base } = this.view;
    const start = this.runStart(rule, from);
    const before = text.charCodeAt(start - base - 1);
    if (rule.edge && isGlue(before)) return;
    const fits = rule.back?.fits;
    if (fits === undefined || fits(from - start, text.charCodeAt(from - base), length, before))
      this.enqueue(rule.id, start);
  }

  /** Where the run of characters that may precede a literal at `from` begins. */
  private runStart(rule: PatternRule, from: number): number {
    if (rule.back === null) return from;
    const { text, base } = this.view;
    const { accepts, first, max } = rule.back;
    let at = from - base;
    const stop = Math.max(0, at - max);
    while (at > stop && accepts(text.charCodeAt(at - 1))) at -= 1;
    if (first !== undefined) while (at < from - base && !first(text.charCodeAt(at))) at += 1;
    return base + at;
  }

  private enqueue(rule: number, start: number): void {
    this.queueRules.push(rule);
    this.queueStarts.push(start);
  }

  /** Tries the queued beginnings whose surroundings are known up to `known`, each rule in its own order. */
  private decide(known: number): void {
    const { queueRules, queueStarts, waiting, cursors } = this;
    this.round += 1;
    let left = 0;
    for (let i = 0; i < queueRules.length; i++) {
      const id = queueRules[i] as number;
      const start = queueStarts[i] as number;
      if (id === DIGITS) {
        if (start + this.program.digitReach <= known) {
          this.tryDigits(start);
          continue;
        }
        queueRules[left] = id;
        queueStarts[left] = start;
        left += 1;
        continue;
      }
      const rule = this.program.rules[id];
      if (
        rule === undefined ||
        rule.kind === 'regex' ||
        rule.kind === 'category' ||
        start < (cursors[id] as number)
      )
        continue;
      if (waiting[id] === this.round || start + rule.max + rule.after > known) {
        waiting[id] = this.round;
        queueRules[left] = id;
        queueStarts[left] = start;
        left += 1;
      } else if (rule.kind === 'keyword') this.tryKeyword(rule, start);
      else this.tryPattern(rule, start);
    }
    queueRules.length = left;
    queueStarts.length = left;
  }

  private tryKeyword(rule: KeywordRule, start: number): void {
    const { text, base } = this.view;
    let end = start + rule.length;
    if (rule.regex !== null) {
      const length = this.keywordLength(rule.regex, start - base, rule.max);
      if (length === 0) return;
      end = start + length;
    }
    if (rule.edgeEnd && isGlue(text.charCodeAt(end - base))) return;
    this.record(rule, start, end);
  }

  /** Length of a keyword with spaces or `*` at an index of the text, with or without accents; 0 when it is not there. */
  private keywordLength(regex: RegExp, at: number, max: number): number {
    const { text, ascii } = this.view;
    regex.lastIndex = at;
    if (regex.test(text)) return regex.lastIndex - at;
    if (ascii) return 0;
    regex.lastIndex = 0;
    return regex.test(withoutAccents(text.slice(at, at + max))) ? regex.lastIndex : 0;
  }

  private tryPattern(rule: PatternRule, start: number): void {
    const { text, base } = this.view;
    const at = start - base;
    if (rule.edge && at > 0 && isGlue(text.charCodeAt(at - 1))) return;
    if (rule.readThrough && !this.readThrough) return;
    if (rule.context?.always === true && !this.mayBeNear(rule.context, start, start + rule.max)) return;
    for (const { regex, grouped } of rule.regexes) {
      regex.lastIndex = at;
      let from = at;
      let to: number;
      if (grouped) {
        const found = regex.exec(text);
        const span = found?.indices?.[1] ?? found?.indices?.[0];
        if (span === undefined) continue;
        [from, to] = span;
      } else {
        if (!regex.test(text)) continue;
        to = regex.lastIndex;
      }
      if (rule.trim !== null) to = from + rule.trim(text.slice(from, to));
      if (to <= from) continue;
      const verdict = rule.validate === null ? 'unknown' : rule.validate(text.slice(from, to));
      if (verdict === 'fail') continue;
      const near = rule.context !== null && this.isNear(rule.context, base + from, base + to);
      if (rule.context !== null && !near && (rule.context.always || verdict === 'unknown')) continue;
      if (rule.avoid !== null && this.isNear(rule.avoid, base + from, base + to)) {
        // Of two words before a number the nearer one says what it is.
        const own = near && rule.context !== null ? this.lastBefore(rule.context, base + from) : -1;
        if (own <= this.lastBefore(rule.avoid, base + from)) continue;
      }
      this.record(rule, base + from, base + to, (near ? 2 : 0) + (verdict === 'pass' ? 1 : 0));
      return;
    }
  }

  /** Whether a word of the window's set can be near any match in the range. Saves running expressions. */
  private mayBeNear(window: ContextWindow, start: number, end: number): boolean {
    const { wordEnds, wordLiterals } = this;
    const to = end + window.after;
    for (let i = firstAfter(wordEnds, start - window.before); i < wordEnds.length; i++) {
      if ((wordEnds[i] as number) > to) return false;
      if (this.isWordOf(wordLiterals[i] as number, window.set)) return true;
    }
    return false;
  }

  /** Whether a word of the window's set ends, as a word, within the window around a match. */
  private isNear(window: ContextWindow, start: number, end: number): boolean {
    const { wordStarts, wordEnds, wordLiterals } = this;
    const { text, base } = this.view;
    const to = end + window.after;
    for (let i = firstAfter(wordEnds, start - window.before); i < wordEnds.length; i++) {
      const wordEnd = wordEnds[i] as number;
      if (wordEnd > to) return false;
      if (!this.isWordOf(wordLiterals[i] as number, window.set)) continue;
      const outside = wordEnd <= start || (wordStarts[i] as number) >= end;
      if (outside && (!isGlue(text.charCodeAt(wordEnd - base)) || isHump(text, wordEnd - base))) return true;
    }
    return false;
  }

  /** Where the last word of the window's set before a position ends; -1 when there is none. */
  private lastBefore(window: ContextWindow, position: number): number {
    const { wordEnds, wordLiterals } = this;
    for (let i = firstAfter(wordEnds, position) - 1; i >= 0; i--) {
      if ((wordEnds[i] as number) < position - window.before) return -1;
      if (this.isWordOf(wordLiterals[i] as number, window.set)) return wordEnds[i] as number;
    }
    return -1;
  }

  private isWordOf(literal: number, set: number): boolean {
    return this.program.contextMembers[literal * this.program.contextSets + set] === 1;
  }

  /** Searches with the administrator's expressions from where each of them stopped. */
  private searchCustom(known: number): void {
    const { view, cursors } = this;
    for (const rule of this.program.customRules) {
      const sure = known - rule.max - rule.after;
      let cursor = cursors[rule.id] as number;
      if (sure < cursor && known !== Infinity) continue;
      const from = startOfCharacter(view.text, cursor - view.base);
      rule.regex.search(view.text, from, (start, end) => {
        if (view.base + start > sure) return false;
        this.record(rule, view.base + start, view.base + end);
        cursor = view.base + end;
        return true;
      });
      cursors[rule.id] = Math.max(cursor, known === Infinity ? view.end : sure + 1);
    }
  }

  private record(rule: Match['rule'], start: number, end: number, strength = 0): void {
    this.cursors[rule.id] = end;
    let [from, to] = [start, end];
    if (this.json) {
      from = Math.min(from + this.brokenEscape(from), to);
      if (this.brokenEscape(to) > 0) to -= 1;
      if (from >= to) return;
    }
    this.found.push({
      rule,
      start: this.view.sourceStart(from),
      end: this.view.sourceStop(to),
      value: this.view.text.slice(from - this.view.base, to - this.view.base),
      strength,
    });
  }

  /**
   * How many units of an escape of JSON would be cut off at `position`, after its backslash. The rest of it, an `n` or `u00e9`
   * that looks like text, does not belong to a value that begins there.
   */
  private brokenEscape(position: number): number {
    const { text, base } = this.view;
    let slashes = 0;
    while (slashes < LONGEST_SLASHES && text.charCodeAt(position - base - 1 - slashes) === 92) slashes += 1;
    if (slashes % 2 === 0) return 0;
    return text.charCodeAt(position - base) === 117 ? 5 : 1;
  }

  /** View position before which no match can begin any more. */
  private earliestUndecided(): number {
    const { program, view } = this;
    let earliest = view.end - Math.max(program.maxLead, program.automaton.depth(this.state));
    for (let i = 0; i < this.queueStarts.length; i++) {
      const lead = this.queueRules[i] === DIGITS ? program.maxLead : 0;
      earliest = Math.min(earliest, (this.queueStarts[i] as number) - lead);
    }
    for (const rule of program.customRules) earliest = Math.min(earliest, this.cursors[rule.id] as number);
    const open = view.end - program.automaton.depth(this.state);
    for (const rule of program.backRules) earliest = Math.min(earliest, this.runStart(rule, open));
    if (this.sentences.count > 0) earliest = Math.min(earliest, this.sentences.earliest());
    return Math.max(view.base, earliest);
  }

  /** Drops text, and words near it, that no decision can need. */
  private forget(undecided: number): void {
    const from = undecided - this.program.retain;
    if (from - this.view.base < TRIM_UNITS) return;
    this.view.trim(from);
    const { wordStarts } = this;
    let drop = 0;
    while (drop < wordStarts.length && (wordStarts[drop] as number) < from) drop += 1;
    if (drop === 0) return;
    wordStarts.splice(0, drop);
    this.wordEnds.splice(0, drop);
    this.wordLiterals.splice(0, drop);
  }
}

/** Index of the first of the rising positions that is greater than `from`. */
function firstAfter(positions: readonly number[], from: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((positions[middle] as number) <= from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Digits that follow each other from `at` on, counted up to a limit. */
function runLength(text: string, at: number): number {
  let end = at + 1;
  while (end < at + LONGEST_RUN && isDigit(text.charCodeAt(end))) end += 1;
  return end - at;
}

/** Letters directly before a position, counted up to a limit. */
function lettersBefore(text: string, at: number, limit: number): number {
  let count = 0;
  while (count < limit && isLetter(text.charCodeAt(at - count - 1))) count += 1;
  return count;
}

/** Digits that a match of digits and separators beginning at `at` can have. */
function countDigits(text: string, at: number): number {
  const stop = Math.min(text.length, at + DIGIT_LOOK);
  let count = 0;
  for (let i = at; i < stop; i++) {
    const code = text.charCodeAt(i);
    if (isDigit(code)) count += 1;
    else if (!isDigitSeparator(code)) return count;
  }
  return count;
}

/** Whether a capital follows a small letter at `at`, as where words are joined in the names of fields. */
function isHump(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const before = text.charCodeAt(at - 1);
  return code >= 65 && code <= 90 && before >= 97 && before <= 122;
}

/** What a match can begin with before its first digit: a letter, `+` or `(`. */
function isLead(code: number): boolean {
  return code === 43 || code === 40 || isLetter(code);
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** ` ` `(` `)` `+` `,` `-` `.` `/` */
function isDigitSeparator(code: number): boolean {
  return code === 32 || (code >= 40 && code <= 47 && code !== 42);
}
