import { Mapping } from './mapping.ts';

/** How much of the text before a position a lens may look at. */
const CONTEXT = 256;
/** The buffer is cut back only when this much can go. */
const SLACK = 4_096;

/**
 * Rewrites a growing text, piece by piece, with the exact range of what every unit stands for.
 *
 * Any cutting gives the same result, because what is made of a place depends only on a bounded stretch of text around it,
 * and is decided only when that stretch is known. A subclass says up to where that is so, and rewrites from left to right.
 */
export abstract class Lens {
  readonly map = new Mapping();
  /** Whether anything was rewritten. */
  changed = false;
  /** Text not yet rewritten, from `from` on, and some of the text before it. */
  protected buffer = '';
  protected from = 0;
  private out = '';

  reset(): void {
    this.map.reset();
    this.changed = false;
    this.buffer = '';
    this.from = 0;
    this.out = '';
  }

  /** Takes the next piece; `done` marks the last one. @returns what can be said of the rewritten text, after what was said before. */
  append(piece: string, done: boolean): string {
    this.buffer = this.buffer.length === 0 ? piece : this.buffer + piece;
    const safe = done ? this.buffer.length : this.settled();
    if (safe > this.from || done) this.rewrite(safe);
    const { out } = this;
    this.out = '';
    if (this.from > CONTEXT + SLACK) {
      this.buffer = this.buffer.slice(this.from - CONTEXT);
      this.from = CONTEXT;
    }
    return out;
  }

  /** Index in the buffer before which every construct that begins there is known to its end. */
  protected abstract settled(): number;

  /** Rewrites everything that begins before the index `safe`, with {@link pass} and {@link replace}. */
  protected abstract rewrite(safe: number): void;

  /** Copies up to the index `to`. */
  protected pass(to: number): void {
    if (to <= this.from) return;
    const part =
      this.from === 0 && to === this.buffer.length ? this.buffer : this.buffer.slice(this.from, to);
    this.out = this.out.length === 0 ? part : this.out + part;
    this.map.copy(to - this.from);
    this.from = to;
  }

  /** Puts `text` in the place of everything up to the index `to`. */
  protected replace(to: number, text: string): void {
    this.changed = true;
    this.out += text;
    this.map.block(text.length, to - this.from);
    this.from = to;
  }

  /** Length of the rewritten text with what has not been handed out. */
  protected get outEnd(): number {
    return this.map.outEnd;
  }
}
