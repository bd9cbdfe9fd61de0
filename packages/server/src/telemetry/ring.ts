import type { RequestRecord } from '../ports/records.ts';

/** The newest records, found by call id. An older one makes room for each that is added beyond the capacity. */
export class RecordRing {
  readonly #slots: (RequestRecord | undefined)[];
  readonly #byId = new Map<string, RequestRecord>();
  #next = 0;

  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity });
  }

  add(record: RequestRecord): void {
    const oldest = this.#slots[this.#next];
    if (oldest !== undefined && this.#byId.get(oldest.call_id) === oldest) this.#byId.delete(oldest.call_id);
    this.#slots[this.#next] = record;
    this.#byId.set(record.call_id, record);
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  /** Puts a completed record in the place of the one with the same call id, if it is still there. */
  replace(record: RequestRecord): void {
    const known = this.#byId.get(record.call_id);
    if (known === undefined) return;
    this.#slots[this.#slots.indexOf(known)] = record;
    this.#byId.set(record.call_id, record);
  }

  find(callId: string): RequestRecord | null {
    return this.#byId.get(callId) ?? null;
  }
}
