import { compose, foldCodePoint, foldsToItself, isCombiningMark } from './fold.ts';

// oxlint-disable-next-line no-control-regex -- the test is for ASCII, controls included
const ASCII = /^[\u0000-\u007f]*$/;

/** A letter can carry this many composing marks; later ones are dropped. Bounds what has to be held back. */
const MARKS_COMPOSED = 3;

/** Invisible characters and marks directly after a match belong to it, up to this many UTF-16 units. */
const WIDEN_UNITS = 64;

/**
 * A text as rules see it, growing piece by piece, with the exact source range of every unit.
 *
 * `text` holds the folded UTF-16 units that have not been dropped yet; unit `i` of it has the absolute view position
 * `base + i`. Source positions are UTF-16 offsets from the start of everything appended. While folding changes nothing
 * (always, for ASCII) no range is stored.
 *
 * Feeding a text in any pieces builds the same view: the last character is kept back until its successor is known.
 */
export class View {
  text = '';
  base = 0;
  /** Source position up to which the view has been built. */
  sourceEnd = 0;
  /** The view ends here and nothing is kept back. */
  complete = false;
  /** All of the source was ASCII. */
  ascii = true;

  private kept = '';
  /** View position minus source position while `starts` is null. */
  private shift = 0;
  private starts: Int32Array | null = null;
  private ends: Int32Array | null = null;

  /** Absolute view position of the end of what has been built. */
  get end(): number {
    return this.base + this.text.length;
  }

  /** Forgets everything, ready for another text. */
  reset(): void {
    this.text = '';
    this.base = 0;
    this.sourceEnd = 0;
    this.complete = false;
    this.ascii = true;
    this.kept = '';
    this.shift = 0;
    this.starts = null;
    this.ends = null;
  }

  /** Takes the next piece of the source; `done` marks the last one. */
  append(piece: string, done: boolean): void {
    const raw = this.kept.length > 0 ? this.kept + piece : piece;
    const use = done ? raw.length : lastSafeCut(raw);
    this.complete = done;
    if (use === 0) {
      this.kept = raw;
      return;
    }
    const part = use === raw.length ? raw : raw.slice(0, use);
    this.kept = use === raw.length ? '' : raw.slice(use);
    if (ASCII.test(part)) this.appendUnchanged(part, 0, part.length);
    else {
      this.ascii = false;
      this.fold(part);
    }
    this.sourceEnd += part.length;
  }

  /** Drops the units before the absolute view position `from`. Positions stay absolute. */
  trim(from: number): void {
    const drop = Math.min(from - this.base, this.text.length);
    if (drop <= 0) return;
    if (this.starts !== null && this.ends !== null) {
      const left = this.text.length - drop;
      const starts = this.starts.subarray(drop, drop + left);
      const ends = this.ends.subarray(drop, drop + left);
      const shift = left > 0 ? this.base + drop - (starts[0] ?? 0) : this.end - this.sourceEnd;
      if (isIdentity(starts, ends, this.base + drop, shift) && this.end - this.sourceEnd === shift) {
        this.starts = null;
        this.ends = null;
        this.shift = shift;
      } else {
        this.starts.copyWithin(0, drop, drop + left);
        this.ends.copyWithin(0, drop, drop + left);
      }
    }
    this.text = this.text.slice(drop);
    this.base += drop;
  }

  /** Source position where the unit at the absolute view position begins; the end of the view is the end of the source. */
  sourceStart(position: number): number {
    if (position >= this.end) return this.sourceEnd;
    return this.starts === null ? position - this.shift : (this.starts[position - this.base] ?? 0);
  }

  /**
   * Source position where a match ending before the absolute view position ends. Invisible characters and marks that
   * follow its last unit belong to it, so that no half character stays behind. The unit at `position` must be known
   * unless the view is complete.
   */
  sourceStop(position: number): number {
    if (this.starts === null || this.ends === null) return position - this.shift;
    const own = this.ends[position - 1 - this.base] ?? 0;
    const next = this.sourceStart(position);
    return next > own + WIDEN_UNITS ? own : Math.max(own, next);
  }

  private appendUnchanged(part: string, from: number, to: number): void {
    if (from === to) return;
    const piece = from === 0 && to === part.length ? part : part.slice(from, to);
    if (this.starts !== null && this.ends !== null) {
      const at = this.text.length;
      this.reserve(at + piece.length);
      for (let i = 0; i < piece.length; i++) {
        this.starts[at + i] = this.sourceEnd + from + i;
        this.ends[at + i] = this.sourceEnd + from + i + 1;
      }
    }
    this.text = this.text.length === 0 ? piece : this.text + piece;
  }

  private appendFolded(folded: string, start: number, end: number): void {
    if (folded.length === 1 && end - start === 1 && this.starts === null) {
      this.text += folded;
      return;
    }
    this.materialise();
    const at = this.text.length;
    this.reserve(at + folded.length);
    for (let i = 0; i < folded.length; i++) {
      if (this.starts !== null) this.starts[at + i] = start;
      if (this.ends !== null) this.ends[at + i] = end;
    }
    this.text += folded;
  }

  private fold(part: string): void {
    const offset = this.sourceEnd;
    let plainFrom = 0;
    let i = 0;
    while (i < part.length) {
      const unit = part.charCodeAt(i);
      // A following mark is what may change the folding of a character that else folds to itself.
      if (foldsToItself(unit) && !isCombiningMark(part.charCodeAt(i + 1))) {
        i += 1;
        continue;
      }
      const code = part.codePointAt(i) ?? 0;
      let next = i + (code > 0xffff ? 2 : 1);
      const marked = isCombiningMark(part.charCodeAt(next));
      let folded = foldCodePoint(code);
      if (marked && folded.length === 1) {
        for (let n = 0; n < MARKS_COMPOSED && next < part.length; n++) {
          const mark = part.charCodeAt(next);
          const whole = isCombiningMark(mark) ? compose(folded, mark) : null;
          if (whole === null) break;
          folded = whole;
          next += 1;
        }
      }
      // One unit for one unit, even another one, leaves all positions as they were.
      if (next - i !== folded.length || folded !== part.slice(i, next)) {
        this.appendUnchanged(part, plainFrom, i);
        this.appendFolded(folded, offset + i, offset + next);
        plainFrom = next;
      }
      i = next;
    }
    this.appendUnchanged(part, plainFrom, part.length);
  }

  /** From here on every unit has a stored range. */
  private materialise(): void {
    if (this.starts !== null) return;
    const size = Math.max(256, this.text.length * 2);
    const starts = new Int32Array(size);
    const ends = new Int32Array(size);
    for (let i = 0; i < this.text.length; i++) {
      starts[i] = this.base + i - this.shift;
      ends[i] = this.base + i - this.shift + 1;
    }
    this.starts = starts;
    this.ends = ends;
  }

  private reserve(size: number): void {
    if (this.starts === null || this.ends === null || size <= this.starts.length) return;
    const grown = Math.max(size, this.starts.length * 2);
    this.starts = copyInto(new Int32Array(grown), this.starts);
    this.ends = copyInto(new Int32Array(grown), this.ends);
  }
}

/** The whole folded view of a text. Shapes and positions as in {@link View}. */
export function viewOf(text: string): View {
  const view = new View();
  view.append(text, true);
  return view;
}

/** The folded form of a text, without positions. */
export function foldText(text: string): string {
  return ASCII.test(text) ? text : viewOf(text).text;
}

/** The folded, lower-case form in which keywords and context words are compared. */
export function foldKeyword(text: string): string {
  return viewOf(text).text.toLowerCase();
}

function copyInto(target: Int32Array, source: Int32Array): Int32Array {
  target.set(source);
  return target;
}

function isIdentity(starts: Int32Array, ends: Int32Array, base: number, shift: number): boolean {
  for (let i = 0; i < starts.length; i++) {
    if (starts[i] !== base + i - shift || ends[i] !== base + i - shift + 1) return false;
  }
  return true;
}

/** How much of a text can be folded without knowing what follows: all but the last character and its first marks. */
function lastSafeCut(raw: string): number {
  let at = raw.length;
  let marks = 0;
  while (at > 0 && isCombiningMark(raw.charCodeAt(at - 1))) {
    at -= 1;
    marks += 1;
    if (marks >= MARKS_COMPOSED) {
      // Three marks are known, but only if they are the first three: more before them change nothing.
      return raw.length;
    }
  }
  if (at === 0) return 0;
  const unit = raw.charCodeAt(at - 1);
  at -= 1;
  const low = unit >= 0xdc00 && unit <= 0xdfff;
  if (low && at > 0) {
    const before = raw.charCodeAt(at - 1);
    if (before >= 0xd800 && before <= 0xdbff) at -= 1;
  }
  return at;
}
