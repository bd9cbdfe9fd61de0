import type { ServerResponse } from 'node:http';

/** Counts the answers that are not out yet, so that a stop can wait for them and for nothing else. */
export class InFlight {
  #count = 0;
  #idle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  enter(response: ServerResponse): void {
    this.#count += 1;
    response.once('close', this.#leave);
  }

  /** Resolves when nothing is under way, or after `limitMs`. */
  drained(limitMs: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  readonly #leave = (): void => {
    this.#count -= 1;
    if (this.#count > 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  };
}
