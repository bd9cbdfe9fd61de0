/**
 * Counters by name and labels, in this process. The shape is the one of Prometheus, so that an exporter can read them.
 * Label values come from short lists; nothing a caller writes may become one.
 */
export class Counters {
  readonly #values = new Map<string, number>();

  add(name: string, labels = '', amount = 1): void {
    const key = labels === '' ? name : `${name}{${labels}}`;
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  get(name: string, labels = ''): number {
    return this.#values.get(labels === '' ? name : `${name}{${labels}}`) ?? 0;
  }

  /** All counters, sorted by name. */
  entries(): [string, number][] {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
