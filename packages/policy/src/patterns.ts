/** Finds the patterns that a value hits, without looking at the ones it does not hit. */
import { hasIdForm, parsePattern } from './pattern.ts';
import { SplitMap } from './split-map.ts';

/** The dimensions in which an attachment, or a guardrail's tag mode, can ask for a value. */
export const DIMENSIONS = ['teams', 'keys', 'models', 'tags'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * The distinct patterns of one dimension: a hash for exact ones, one hash per prefix length for prefixes. Every pattern
 * has a number that is unique across dimensions.
 *
 * In `teams` and `keys` an exact pattern in the form of an id is compared with ids alone, every other with aliases alone.
 */
class DimensionPatterns {
  readonly #exact = new SplitMap<number>();
  readonly #ids = new SplitMap<number>();
  readonly #prefixes = new Map<number, SplitMap<number>>();
  #lengths: number[] = [];
  readonly #hasIds: boolean;

  constructor(dimension: Dimension) {
    this.#hasIds = dimension === 'teams' || dimension === 'keys';
  }

  intern(text: string, create: () => number): number {
    const pattern = parsePattern(text);
    if (pattern.kind === 'exact') {
      return internIn(this.#hasIds && hasIdForm(text) ? this.#ids : this.#exact, text, create);
    }
    const prefix = pattern.kind === 'any' ? '' : pattern.prefix;
    let ofLength = this.#prefixes.get(prefix.length);
    if (ofLength === undefined) {
      ofLength = new SplitMap();
      this.#prefixes.set(prefix.length, ofLength);
      this.#lengths = [...this.#lengths, prefix.length].sort((a, b) => a - b);
    }
    return internIn(ofLength, prefix, create);
  }

  internExact(text: string, create: () => number): number {
    return internIn(this.#exact, text, create);
  }

  hits(value: string): number[] {
    const found: number[] = [];
    const exact = this.#exact.get(value);
    if (exact !== undefined) found.push(exact);
    for (const length of this.#lengths) {
      if (length > value.length) break;
      const prefix = this.#prefixes.get(length)?.get(value.slice(0, length));
      if (prefix !== undefined) found.push(prefix);
    }
    return found;
  }

  idHits(id: string): number[] {
    const found = this.#ids.get(id);
    return found === undefined ? [] : [found];
  }
}

function internIn(map: SplitMap<number>, text: string, create: () => number): number {
  const known = map.get(text);
  if (known !== undefined) return known;
  const id = create();
  map.set(text, id);
  return id;
}

/** All distinct patterns of a snapshot, numbered from 0. */
export class PatternTable {
  readonly #dimensions: Readonly<Record<Dimension, DimensionPatterns>> = {
    teams: new DimensionPatterns('teams'),
    keys: new DimensionPatterns('keys'),
    models: new DimensionPatterns('models'),
    tags: new DimensionPatterns('tags'),
  };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of a pattern, new or known. */
  intern(dimension: Dimension, text: string): number {
    return this.#dimensions[dimension].intern(text, () => this.#size++);
  }

  /** The number of an exact text, in which a final `*` means itself (tag modes, O5). */
  internExact(dimension: Dimension, text: string): number {
    return this.#dimensions[dimension].internExact(text.normalize('NFC'), () => this.#size++);
  }

  /** The patterns that an alias, a model name or a tag hits. The value is compared in NFC. */
  hits(dimension: Dimension, value: string): number[] {
    return this.#dimensions[dimension].hits(value.normalize('NFC'));
  }

  /** The patterns that an id hits. */
  idHits(dimension: 'teams' | 'keys', id: string): number[] {
    return this.#dimensions[dimension].idHits(id);
  }
}
