import { PortcullisError } from '@portcullis/contract';
import type { Clock } from '../../ports/clock.ts';
import type { Identity } from '../../ports/identity.ts';

const MINUTE_MS = 60_000;
/** Trials of one caller in a minute. */
const PER_MINUTE = 60;
/** Trials of all callers at once: guardrails that traffic waits for must not wait for trials. */
const AT_ONCE = 4;
/** So many callers are remembered; a window that is over is forgotten first. */
const CALLERS = 1_000;

/**
 * Bounds how many trials this process runs (D-77): real guardrails cost time, and services outside cost money.
 */
export class TrialAllowance {
  readonly #clock: Clock;
  readonly #windows = new Map<string, { readonly endsAt: number; used: number }>();
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws PortcullisError `rate_limited`. */
  async spend<T>(identity: Identity, trial: () => Promise<T>): Promise<T> {
    const caller = identity.policy.key_hash ?? identity.policy.user_id ?? '';
    const now = this.#clock.monotonic();
    let window = this.#windows.get(caller);
    if (window === undefined || window.endsAt <= now) {
      this.#forget(now);
      window = { endsAt: now + MINUTE_MS, used: 0 };
      this.#windows.set(caller, window);
    }
    if (window.used >= PER_MINUTE) {
      throw refusal(
        `At most ${PER_MINUTE} trials a minute are run for one caller.`,
        Math.ceil((window.endsAt - now) / 1_000),
      );
    }
    if (this.#running >= AT_ONCE) throw refusal(`${AT_ONCE} trials are running already.`, 1);
    window.used += 1;
    this.#running += 1;
    try {
      return await trial();
    } finally {
      this.#running -= 1;
    }
  }

  #forget(now: number): void {
    if (this.#windows.size < CALLERS) return;
    for (const [caller, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(caller);
    // Everybody is new: the oldest windows go, which lets their callers begin anew a little early.
    for (const caller of this.#windows.keys()) {
      if (this.#windows.size < CALLERS) break;
      this.#windows.delete(caller);
    }
  }
}

function refusal(message: string, seconds: number): PortcullisError {
  return new PortcullisError('rate_limited', `${message} Try again in ${seconds} s.`, {
    fields: { retry_after_seconds: seconds },
  });
}
