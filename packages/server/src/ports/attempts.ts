/** Something of which there may only be so many in a while. */
export interface Attempted {
  /** What is counted, such as `address 192.0.2.1`; holds no secret. */
  readonly name: string;
  readonly most: number;
  readonly windowMs: number;
}

/** Counts attempts, so that nobody can guess for long. */
export interface Attempts {
  /** Counts one attempt at each of them, or none at all when one is used up: then says how long to wait. */
  take(attempted: readonly Attempted[]): Promise<{ readonly retryAfterMs: number } | null>;
  /** Forgets what was counted, as after a success. */
  forget(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
