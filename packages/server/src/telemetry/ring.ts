/**
 * The newest records by call id, as JSON texts: one object each, so that keeping a thousand of them costs the garbage
 * collector nothing. An older one makes room for each that is added beyond the capacity.
 */
export class RecordRing {
  readonly #ids: string[];
  readonly #texts = new Map<string, string>();
  #next = 0;

  constructor(capacity: number) {
    this.#ids = Array.from({ length: capacity }, () => '');
  }

  add(callId: string, text: string): void {
    const oldest = this.#ids[this.#next];
    if (oldest !== undefined && oldest !== '') this.#texts.delete(oldest);
    this.#ids[this.#next] = callId;
    this.#texts.set(callId, text);
    this.#next = this.#next + 1 === this.#ids.length ? 0 : this.#next + 1;
  }

  /** Puts a completed record in the place of the one with the same call id, if it is still there. */
  replace(callId: string, text: string): void {
    if (this.#texts.has(callId)) this.#texts.set(callId, text);
  }

  find(callId: string): string | null {
    return this.#texts.get(callId) ?? null;
  }
}
