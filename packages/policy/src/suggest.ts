/** Finds the known name that a misspelt one was probably meant to be. */

/** Suggestions cost a comparison with every known name; a document with more mistakes than this gets no more of them. */
const MAX_SUGGESTIONS = 50;

/** Names that differ in length by more than this are not compared. */
const MAX_DISTANCE = 3;

export class Suggester {
  readonly #names: readonly string[];
  #left = MAX_SUGGESTIONS;

  constructor(names: Iterable<string>) {
    this.#names = [...names].slice(0, 10_000);
  }

  /** `; did you mean "..."?`, or an empty text when no known name is near. */
  hint(unknown: string): string {
    if (this.#left === 0) return '';
    this.#left--;
    const name = this.#nearest(unknown);
    return name === null ? '' : `; did you mean "${name}"?`;
  }

  #nearest(unknown: string): string | null {
    // A third of the letters may differ: more, and the suggestion is a guess.
    let limit = Math.min(MAX_DISTANCE, Math.floor(unknown.length / 3));
    let best: string | null = null;
    for (const name of this.#names) {
      if (Math.abs(name.length - unknown.length) > limit) continue;
      const distance = editDistance(unknown, name);
      if (distance > limit || (distance === limit && best !== null)) continue;
      [best, limit] = [name, distance];
    }
    return best;
  }
}

/** The number of inserted, deleted, replaced or swapped characters between two texts (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
