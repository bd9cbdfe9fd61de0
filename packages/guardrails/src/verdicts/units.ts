import type { Segment } from '@portcullis/policy';
import { digestOf } from './keyed-hash.ts';

/** Units that are also looked up together: a long history then costs a few look-ups, not one for each message. */
export const UNITS_PER_BLOCK = 16;

/** Whether no half of a surrogate pair stands alone. A method of ES2024, which every Node that we run on has. */
const isWellFormed = (text: string): boolean =>
  (text as unknown as { isWellFormed(): boolean }).isWellFormed();

/**
 * A content as detectors that judge segment by segment see it: in units of one segment, or of adjacent text parts of one
 * message, which are looked at joined too (E9). Knows the digests of its texts, which all guardrails of a hook share.
 */
export class Units {
  readonly segments: readonly Segment[];
  /** Where each unit begins, and the end of the last. */
  readonly #starts: readonly number[];
  readonly #digests: (string | null | undefined)[] = [];
  readonly #blocks: (string | null | undefined)[] = [];

  constructor(segments: readonly Segment[]) {
    this.segments = segments;
    const starts: number[] = [];
    let join: number | null = null;
    for (const [place, segment] of segments.entries()) {
      if (segment.join === null || segment.join !== join) starts.push(place);
      join = segment.join;
    }
    starts.push(segments.length);
    this.#starts = starts;
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  /** Segments `[start, end)` of a unit. */
  start(unit: number): number {
    return this.#starts[unit] ?? this.segments.length;
  }

  /** Everything of a unit that a verdict may depend on; null when its bytes cannot be told apart from others'. */
  digest(unit: number): string | null {
    return (this.#digests[unit] ??= this.#digestOf(unit, unit + 1));
  }

  /** The same of the units of a whole block. */
  blockDigest(block: number): string | null {
    const from = block * UNITS_PER_BLOCK;
    return (this.#blocks[block] ??= this.#digestOf(from, from + UNITS_PER_BLOCK));
  }

  #digestOf(from: number, to: number): string | null {
    let text = '';
    for (let unit = from; unit < to; unit++) {
      text += `${this.start(unit + 1) - this.start(unit)} `;
      for (let place = this.start(unit); place < this.start(unit + 1); place++) {
        const segment = this.segments[place] as Segment;
        const role = segment.role ?? '';
        // With its lengths in front, no two contents are written alike.
        text += `${segment.kind} ${segment.leaf} ${role.length} ${segment.text.length} ${role} ${segment.text}`;
      }
    }
    return isWellFormed(text) ? digestOf(text) : null;
  }
}
