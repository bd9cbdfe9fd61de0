import { View } from '../view.ts';
import { CompactLens } from './compact.ts';
import { DecoderLens } from './decoder.ts';
import { HiddenLens } from './hidden.ts';

/** Encodings within encodings are followed this far. */
const DEPTH = 3;
/** Most text that may come out of encoded runs of one text, in UTF-16 units. */
const DECODED_UNITS = 256 * 1024;
/** Positions behind the one still needed that are kept, for ranges that are widened to the left. */
const MARGIN = 256;

/**
 * A text as somebody reads it who knows the usual tricks: hidden characters shown, escapes and encodings undone, what was
 * pulled apart put together. Grows piece by piece and gives the same for any pieces; every position leads back to the source.
 */
export class Reading {
  private readonly hidden = new HiddenLens();
  private readonly folded = new View();
  private readonly decoders = Array.from({ length: DEPTH }, () => new DecoderLens());
  private readonly refolded = new View();
  private readonly compact = new CompactLens();

  /** Decoders in use. */
  private depth = DEPTH;

  reset(): void {
    this.depth = DEPTH;
    this.hidden.reset();
    this.folded.reset();
    for (const decoder of this.decoders) decoder.reset();
    this.refolded.reset();
    this.compact.reset();
  }

  /** Takes the next piece of the source; `done` marks the last one. @returns what has become known of the text. */
  append(piece: string, done: boolean): string {
    let text = fold(this.folded, this.hidden.append(piece, done), done);
    for (const decoder of this.decoders) text = decoder.append(text, done);
    return this.compact.append(fold(this.refolded, text, done), done);
  }

  /** Reads a whole text. @returns null when that shows nothing but its folded form. */
  read(text: string): string | null {
    this.reset();
    this.depth = 0;
    let shown = fold(this.folded, this.hidden.append(text, true), true);
    for (const decoder of this.decoders) {
      shown = decoder.append(shown, true);
      this.depth += 1;
      if (!decoder.changed) break;
    }
    shown = this.compact.append(fold(this.refolded, shown, true), true);
    return this.hidden.changed || this.decoders[0]?.changed === true || this.compact.changed ? shown : null;
  }

  /** Whether more came out of encoded runs than is looked at. */
  get overflows(): boolean {
    return this.decoders.some((decoder) => decoder.decoded > DECODED_UNITS);
  }

  /** Where in the source the unit at `position` begins; the end of what is known is as far as the source has been read. */
  sourceStart(position: number): number {
    let at = this.refolded.sourceStart(this.compact.map.start(position));
    for (let i = this.depth - 1; i >= 0; i--) at = this.decoders[i]?.map.start(at) ?? at;
    return this.hidden.map.start(this.folded.sourceStart(at));
  }

  /** Where in the source the unit before `position` ends, with the marks and invisible characters that belong to it. */
  sourceStop(position: number): number {
    let at = this.refolded.sourceStop(this.compact.map.stop(position));
    for (let i = this.depth - 1; i >= 0; i--) at = this.decoders[i]?.map.stop(at) ?? at;
    return this.hidden.map.stop(this.folded.sourceStop(at));
  }

  /** Whether something between two possible values was taken out inside the range. */
  isDoubtful(start: number, end: number): boolean {
    return this.compact.isWeak(start, end);
  }

  /** Forgets what lies before `position`. */
  trim(position: number): void {
    let at = position - MARGIN;
    if (at <= 0) return;
    this.compact.trimWeak(at);
    this.compact.map.trim(at);
    at = this.compact.map.start(at) - MARGIN;
    at = trimView(this.refolded, at);
    for (let i = DEPTH - 1; i >= 0; i--) {
      const { map } = this.decoders[i] as DecoderLens;
      map.trim(at);
      at = map.start(Math.max(0, at)) - MARGIN;
    }
    at = trimView(this.folded, at);
    this.hidden.map.trim(Math.max(0, at));
  }
}

/** Feeds a view and returns what it built. */
function fold(view: View, piece: string, done: boolean): string {
  const before = view.end;
  view.append(piece, done);
  return before === view.base ? view.text : view.text.slice(before - view.base);
}

/** Cuts a view back when it pays. @returns the source position of what is kept. */
function trimView(view: View, position: number): number {
  const at = Math.min(Math.max(view.base, position), view.end);
  if (at - view.base > 4_096) view.trim(at);
  return Math.max(0, view.sourceStart(at) - MARGIN);
}
