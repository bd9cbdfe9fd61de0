import type { View } from '../text/view.ts';
import { type CategoryRule, isGlue } from './rule.ts';
import type { Severity } from './patterns/spec.ts';

/** A sentence longer than this many units, counted from its first word that matters, is looked at in parts... */
const SENTENCE_UNITS = 600;
/** ...that overlap by this many, so that a rule which reaches no further is not cut in two. */
const OVERLAP_UNITS = 240;

/** What a word of a category does. */
export type TermRole = 'keyword' | 'always' | 'identifier' | 'block' | 'exception';

/** A word of a category, found by the automaton. */
export interface Term {
  readonly rule: CategoryRule;
  readonly role: TermRole;
  readonly name: string;
  readonly severity: Severity;
  /** Number of the pair it belongs to, within the program; -1 for the other roles. */
  readonly pair: number;
  readonly within: number;
  readonly edgeStart: boolean;
  readonly edgeEnd: boolean;
}

/** Takes a finding: positions in the view. */
export type TermSink = (rule: CategoryRule, start: number, end: number) => void;

/**
 * The words of categories that wait for the end of their sentence. What a sentence means is decided when its end is known,
 * so that the same text gives the same findings however it arrives. A clean text allocates nothing.
 */
export class Sentences {
  /** How many words wait. */
  count = 0;
  private readonly terms: Term[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Findings that end here or before were made with the previous part of a long sentence. */
  private decided = 0;

  reset(): void {
    this.count = 0;
    this.terms.length = 0;
    this.starts.length = 0;
    this.ends.length = 0;
    this.decided = 0;
  }

  /** Takes a word; words come in the order in which they end. */
  add(term: Term, start: number, end: number): void {
    this.terms.push(term);
    this.starts.push(start);
    this.ends.push(end);
    this.count += 1;
  }

  /** Where the earliest waiting word begins; Infinity without one. */
  earliest(): number {
    let earliest = Infinity;
    for (const start of this.starts) if (start < earliest) earliest = start;
    return earliest;
  }

  /** Decides every sentence whose end is known. `done`: nothing follows what the view holds. */
  settle(view: View, done: boolean, sink: TermSink): void {
    const { ends } = this;
    let head = 0;
    while (head < this.count) {
      const from = ends[head] as number;
      const limit = from + SENTENCE_UNITS;
      const end = sentenceEnd(view, from, limit, done);
      if (end < 0) break;
      let stop = head + 1;
      while (stop < this.count && (ends[stop] as number) <= end) stop += 1;
      this.decide(view, head, stop, sink);
      head += 1;
      const keep = end === limit ? end - OVERLAP_UNITS : end;
      while (head < stop && (ends[head] as number) <= keep) head += 1;
      this.decided = end;
    }
    if (head === 0) return;
    this.terms.splice(0, head);
    this.starts.splice(0, head);
    ends.splice(0, head);
    this.count -= head;
  }

  /** Decides the words from `head` to `stop`, which stand in one sentence. */
  private decide(view: View, head: number, stop: number, sink: TermSink): void {
    const { terms, ends } = this;
    for (let i = head; i < stop; i++) {
      const term = terms[i] as Term;
      if (term.role === 'block' || term.role === 'exception' || !this.isWord(view, i)) continue;
      if (term.role === 'identifier') {
        this.decidePairs(view, i, head, stop, sink);
        continue;
      }
      if ((ends[i] as number) <= this.decided) continue;
      if (term.role === 'keyword' && this.isShielded(view, term.rule, head, stop)) continue;
      sink(named(term.rule, term.name, term.severity), this.starts[i] as number, ends[i] as number);
    }
  }

  /** Looks for the nearest block word of an identifier. */
  private decidePairs(view: View, at: number, head: number, stop: number, sink: TermSink): void {
    const { terms, starts, ends } = this;
    const identifier = terms[at] as Term;
    let nearest = -1;
    let distance = identifier.within;
    for (let i = head; i < stop; i++) {
      const other = terms[i] as Term;
      if (other.role !== 'block' || other.pair !== identifier.pair) continue;
      const gap = Math.max(
        (starts[i] as number) - (ends[at] as number),
        (starts[at] as number) - (ends[i] as number),
      );
      if (gap < 0 || gap > distance || !this.isWord(view, i)) continue;
      nearest = i;
      distance = gap - 1;
    }
    if (nearest < 0) return;
    const start = Math.min(starts[at] as number, starts[nearest] as number);
    const end = Math.max(ends[at] as number, ends[nearest] as number);
    if (end <= this.decided || this.isShielded(view, identifier.rule, head, stop)) return;
    sink(named(identifier.rule, `${identifier.name} + ${(terms[nearest] as Term).name}`, 'high'), start, end);
  }

  /** An exception shields its own sentence, and only from its own category. */
  private isShielded(view: View, rule: CategoryRule, head: number, stop: number): boolean {
    for (let i = head; i < stop; i++) {
      const term = this.terms[i] as Term;
      if (term.role === 'exception' && term.rule === rule && this.isWord(view, i)) return true;
    }
    return false;
  }

  private isWord(view: View, at: number): boolean {
    const term = this.terms[at] as Term;
    return !term.edgeEnd || !isGlue(view.text.charCodeAt((this.ends[at] as number) - view.base));
  }
}

function named(rule: CategoryRule, name: string, severity: Severity): CategoryRule {
  return { ...rule, name, severity };
}

/**
 * Where the sentence that goes on at `from` ends: after `.`, `!` or `?` before white space or a closing mark, after an
 * ideographic full stop, at an empty line, or at `limit`. -1 while that cannot be known.
 */
function sentenceEnd(view: View, from: number, limit: number, done: boolean): number {
  const { text, base } = view;
  const stop = Math.min(limit - base, text.length);
  // A word may itself end with the mark that ends the sentence.
  for (let i = Math.max(0, from - base - 1); i < stop; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3002) return base + i + 1;
    if (code === 46 || code === 33 || code === 63) {
      if (i + 1 >= text.length) return done ? base + i + 1 : -1;
      if (closes(text.charCodeAt(i + 1))) return Math.max(from, base + i + 1);
    } else if (code === 10) {
      let next = i + 1;
      while (next < stop && isBlank(text.charCodeAt(next))) next += 1;
      if (next >= stop) break;
      if (text.charCodeAt(next) === 10) return Math.max(from, base + i + 1);
    }
  }
  // The unit after the end decides whether a word ends there.
  if (limit < view.end || (done && limit <= view.end)) return limit;
  return done ? view.end : -1;
}

/** White space, quotation marks and brackets after a full stop. */
function closes(code: number): boolean {
  return (
    code <= 32 ||
    code === 34 ||
    code === 39 ||
    code === 41 ||
    code === 93 ||
    code === 0x2019 ||
    code === 0x201d ||
    code === 0xbb
  );
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}
