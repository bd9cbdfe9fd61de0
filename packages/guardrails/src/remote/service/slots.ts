/** Waiting askers for each slot, at most. */
const WAITING_PER_SLOT = 8;

/** Lets a number of things happen at one time; the rest waits in order, and a bounded number of them. */
export class Slots {
  readonly #limit: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Waits for a slot, to be given back with {@link release}.
   * @returns false when too many wait already, or when the signal ended the wait
   */
  async take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#taken < this.#limit) {
      this.#taken++;
      return true;
    }
    if (this.#waiting.size >= this.#limit * WAITING_PER_SLOT) return false;
    return new Promise((resolve) => {
      const turn = () => {
        signal.removeEventListener('abort', gone);
        resolve(true);
      };
      const gone = () => {
        this.#waiting.delete(turn);
        resolve(false);
      };
      this.#waiting.add(turn);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else {
      // The slot goes from hand to hand.
      this.#waiting.delete(next);
      next();
    }
  }
}
