/** Failures in a row after which a service is left alone. */
const FAILURES = 5;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * A circuit breaker: a service that failed several times in a row is not asked for a while, then by one question at a
 * time until one is answered. A refused question is `unreachable`, so that the guardrail's own setting decides (E1).
 */
export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #closedUntilMs = 0;
  #pauseMs = 0;
  #probing = false;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a question may be put now. */
  get passes(): boolean {
    if (this.#failures < FAILURES) return true;
    return !this.#probing && this.#now() >= this.#closedUntilMs;
  }

  /** Milliseconds until the next question may be put; 0 when it may be now. */
  get waitMs(): number {
    return this.#failures < FAILURES ? 0 : Math.max(0, this.#closedUntilMs - this.#now());
  }

  /** A question is put. */
  started(): void {
    if (this.#failures >= FAILURES) this.#probing = true;
  }

  /** It was answered, or its end says nothing about the service. */
  answered(): void {
    this.#failures = 0;
    this.#pauseMs = 0;
    this.#probing = false;
  }

  /** Its asker gave up: nothing is known. */
  abandoned(): void {
    this.#probing = false;
  }

  failed(): void {
    this.#failures++;
    this.#probing = false;
    if (this.#failures < FAILURES) return;
    this.#pauseMs = this.#pauseMs === 0 ? FIRST_PAUSE_MS : Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#closedUntilMs = this.#now() + this.#pauseMs;
  }
}
