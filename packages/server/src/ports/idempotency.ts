/** The answer to a write, kept for a retry with the same `Idempotency-Key` (V7). */
export interface KeptAnswer {
  /** Of the method, the path and the body: another request with the same key is a mistake. */
  readonly requestHash: string;
  readonly status: number;
  readonly revision: number | null;
  /** The body as the text that was sent. */
  readonly body: string;
}

/** Answers of finished writes, by who asked and the key that came with the request. */
export interface IdempotencyStore {
  find(actor: string, key: string): Promise<KeptAnswer | null>;
  /** Keeps an answer in the transaction of the write itself, and forgets those of before `expiredAtMs`. */
  keep(actor: string, key: string, answer: KeptAnswer, atMs: number, expiredAtMs: number): Promise<void>;
}
