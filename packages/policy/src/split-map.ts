/**
 * A map with text keys that grows without long pauses.
 *
 * A `Map` that grows is copied whole, and a copy of 100,000 entries takes longer than a request may wait (S8). Many small
 * maps are copied one at a time.
 */
const PARTS = 64;

export class SplitMap<Value> {
  readonly #parts: (Map<string, Value> | undefined)[] = Array.from({ length: PARTS });

  get(key: string): Value | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  set(key: string, value: Value): void {
    const number = partOf(key);
    let part = this.#parts[number];
    if (part === undefined) {
      part = new Map();
      this.#parts[number] = part;
    }
    part.set(key, value);
  }
}

/** Names and ids differ most at their ends. */
function partOf(key: string): number {
  const { length } = key;
  if (length === 0) return 0;
  const last = key.charCodeAt(length - 1);
  const middle = key.charCodeAt(length >> 1);
  const before = length > 1 ? key.charCodeAt(length - 2) : 0;
  return (last + 7 * middle + 31 * before) % PARTS;
}
