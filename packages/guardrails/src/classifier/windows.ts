import type { FeatureReader } from './features.ts';

/** A text of at most this many words is judged as a whole. */
const WHOLE_WORDS = 48;
/** How many units of a longer text are judged together. */
const SPANS = [2, 4] as const;

/**
 * The parts of a text that are judged: all of a short one; of a longer one every two and every four neighbouring units, and
 * all of it. An attack planted in a long document would else drown in it.
 */
export class Windows {
  /** First unit, and the unit after the last, of each window. */
  bounds = new Int32Array(1_024);
  count = 0;

  /** Lays windows over the text that was read last. */
  over(reader: FeatureReader): void {
    const { units } = reader;
    this.count = 0;
    if (units === 0) return;
    this.add(0, units);
    if (reader.words <= WHOLE_WORDS || units === 1) return;
    for (const span of SPANS) {
      if (span >= units) break;
      for (let from = 0; from + span <= units; from += span / 2) this.add(from, from + span);
    }
  }

  private add(from: number, to: number): void {
    if (this.count * 2 === this.bounds.length) {
      const grown = new Int32Array(this.bounds.length * 2);
      grown.set(this.bounds);
      this.bounds = grown;
    }
    this.bounds[this.count * 2] = from;
    this.bounds[this.count * 2 + 1] = to;
    this.count += 1;
  }
}
