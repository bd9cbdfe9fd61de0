import { BINARY_KINDS, CONTENT_KINDS, type ContentKind, type Edit, type Segment } from '@portcullis/policy';
import { HttpFailure, type Subject } from '../../guardrail.ts';

/** What a service that reads texts can read. */
export const TEXT_KINDS: ReadonlySet<ContentKind> = new Set(
  CONTENT_KINDS.filter((kind) => !BINARY_KINDS.has(kind) && kind !== 'files'),
);

/** A text made of several segments, so that a service is not asked once for each small leaf. */
export interface Document {
  readonly text: string;
  /** In order; `from` is where the part begins in its segment, which may be longer than a document. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly segment: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** Documents that one run may lead to. Beyond it the content is too complex (E1). */
const MAX_DOCUMENTS = 64;
const SEPARATOR = '\n';

/** A run whose content would lead to more questions than one run may put. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

export interface DocumentLimits {
  /** UTF-16 code units of one document at most. */
  readonly maxChars: number;
  /** How far the pieces of a segment that is longer overlap, so that a cut hides nothing shorter. */
  readonly overlap: number;
}

/**
 * Packs the texts of a subject into as few documents as fit: segments in order, a line break between them, except
 * between the adjacent text parts of one message, which are read joined (E9).
 *
 * @param include which segments; all texts by default
 * @throws TooMuch beyond 64 documents
 */
export function documentsOf(
  subject: Pick<Subject, 'segments'>,
  { maxChars, overlap }: DocumentLimits,
  include: (segment: Segment, index: number) => boolean = () => true,
): readonly Document[] {
  const documents: Document[] = [];
  let text = '';
  let parts: Part[] = [];
  let join: number | null = null;
  const flush = () => {
    if (parts.length > 0) documents.push({ text, parts });
    if (documents.length > MAX_DOCUMENTS) throw new TooMuch();
    text = '';
    parts = [];
  };
  for (const [index, segment] of subject.segments.entries()) {
    if (segment.text === '' || BINARY_KINDS.has(segment.kind) || !include(segment, index)) continue;
    const gap = parts.length === 0 || (join !== null && segment.join === join) ? '' : SEPARATOR;
    join = segment.join;
    if (text.length + gap.length + segment.text.length <= maxChars) {
      const start = text.length + gap.length;
      text += gap + segment.text;
      parts.push({ segment: index, from: 0, start, end: text.length });
      continue;
    }
    flush();
    for (const { from, to } of pieces(segment.text, maxChars, overlap)) {
      if (parts.length > 0) flush();
      text = segment.text.slice(from, to);
      parts.push({ segment: index, from, start: 0, end: text.length });
    }
  }
  flush();
  return documents;
}

function* pieces(text: string, maxChars: number, overlap: number) {
  for (let from = 0; ; ) {
    const to = notInPair(text, Math.min(from + maxChars, text.length));
    yield { from, to };
    if (to >= text.length) return;
    from = notInPair(text, Math.max(to - overlap, from + 1));
  }
}

/** An offset that does not cut a surrogate pair. */
function notInPair(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at > 0 && at < text.length && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

export interface Place {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

/** Where `[start, end)` of a document is: one place in each segment it touches. */
export function placesIn({ parts }: Document, start: number, end: number): readonly Place[] {
  return parts.flatMap((part) => {
    const from = Math.max(start, part.start);
    const to = Math.min(end, part.end);
    if (from >= to) return [];
    const shift = part.from - part.start;
    return [{ segment: part.segment, start: from + shift, end: to + shift }];
  });
}

/** UTF-16 offsets of code point offsets, which is how Python counts. */
export class CodePoints {
  readonly #text: string;
  /** Null when both ways of counting agree. */
  readonly #offsets: readonly number[] | null;

  constructor(text: string) {
    this.#text = text;
    this.#offsets = /[\u{10000}-\u{10ffff}]/u.test(text) ? offsets(text) : null;
  }

  /** @throws HttpFailure `fault` for an offset outside the text */
  utf16(codePoints: number): number {
    const length = this.#offsets === null ? this.#text.length : this.#offsets.length - 1;
    if (!Number.isInteger(codePoints) || codePoints < 0 || codePoints > length) {
      throw new HttpFailure('fault', 'the service gave a place outside the text');
    }
    return this.#offsets?.[codePoints] ?? codePoints;
  }
}

/** Code point offsets of UTF-16 offsets, asked for in rising order. */
export class CodePointOffsets {
  readonly #text: string;
  #at = 0;
  #points = 0;

  constructor(text: string) {
    this.#text = text;
  }

  of(utf16: number): number {
    for (; this.#at < utf16; this.#points++)
      this.#at += (this.#text.codePointAt(this.#at) ?? 0) > 0xffff ? 2 : 1;
    return this.#points;
  }
}

function offsets(text: string): readonly number[] {
  const list: number[] = [];
  let at = 0;
  for (const character of text) {
    list.push(at);
    at += character.length;
  }
  list.push(at);
  return list;
}

/** Edits in the order an inspection needs, of overlapping ones the longest. */
export function withoutOverlaps(edits: readonly Edit[]): readonly Edit[] {
  const length = (edit: Edit) => edit.end - edit.start;
  const kept: Edit[] = [];
  for (const edit of [...edits].sort((a, b) => length(b) - length(a))) {
    const clash = kept.some(
      (other) => other.segment === edit.segment && edit.start < other.end && other.start < edit.end,
    );
    if (!clash) kept.push(edit);
  }
  return kept.sort((a, b) => a.segment - b.segment || a.start - b.start);
}

/** The one edit that turns a text into another, without what both begin and end with; null for equal texts. */
export function editBetween(segment: number, before: string, after: string): Edit | null {
  if (before === after) return null;
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < shortest - start && before[before.length - 1 - tail] === after[after.length - 1 - tail])
    tail++;
  start = notInPair(before, start);
  const end = before.length - tail;
  const cut = notInPair(before, end) === end ? end : end + 1;
  return {
    segment,
    start,
    end: cut,
    replacement: after.slice(start, after.length - (before.length - cut)),
  };
}
