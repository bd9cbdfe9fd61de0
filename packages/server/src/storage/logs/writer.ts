import type { Clock } from '../../ports/clock.ts';
import { type Database, DatabaseError } from '../../ports/database.ts';
import type { DropReason, LoggedRequest, LogSink, LogSinkStatus, LogStoreEvents } from '../../ports/logs.ts';

export interface LogWriterLimits {
  /** Records that may wait. */
  readonly records: number;
  /** About how much memory they may hold. */
  readonly bytes: number;
  readonly bytesOfOne: number;
  /** Records written in one transaction, and their bytes. */
  readonly batchRecords: number;
  readonly batchBytes: number;
  /** How long a record waits for others, in milliseconds. */
  readonly delayMs: number;
  /** Pauses after failures in a row; the last one stays. */
  readonly pausesMs: readonly number[];
  /** How long the end waits for what is queued. */
  readonly closeMs: number;
}

const LOG_WRITER_LIMITS: LogWriterLimits = {
  records: 20_000,
  bytes: 64 * 1024 * 1024,
  bytesOfOne: 1024 * 1024,
  // The embedded database has one connection, and a batch holds it: some 40 ms for so many.
  batchRecords: 100,
  batchBytes: 4 * 1024 * 1024,
  delayMs: 200,
  pausesMs: [250, 1_000, 5_000, 15_000],
  closeMs: 5_000,
};

/** Whole batches that the database refused, before their records are given up: longer than a wrong grant takes to mend. */
const REFUSED_ROUNDS = 5;
/** So many refusals at the start of a batch, and one at its end, stand for a database that refuses everything. */
const PROBES = 3;

/**
 * Writes finished requests in batches, off their way.
 *
 * Requests are never slowed down by their log: there is no back-pressure on them. What the database cannot take waits in
 * a queue of at most 20,000 records and about 64 MiB; beyond either, and for a record above 1 MiB, the newest record is
 * dropped and counted by its reason, in {@link LogWriter.status} (readiness), in the metrics and, once a second at most,
 * in the log. A database that is away is asked again after 0.25, 1, 5, then every 15 seconds, and everything queued is
 * written when it is back. A batch whose fate is unknown is written again: the store counts each request once. A record
 * that the database refuses by itself is found, dropped and counted, and does not hold the others up. The end waits five
 * seconds for the queue.
 */
export class LogWriter implements LogSink {
  readonly #database: Pick<Database, 'transaction'>;
  readonly #clock: Clock;
  readonly #onEvent: LogStoreEvents;
  readonly #limits: LogWriterLimits;
  readonly #queue = new RecordQueue();
  readonly #dropped: Record<DropReason, number> = { queue_full: 0, too_large: 0, refused: 0, closed: 0 };
  readonly #told: Record<DropReason, number> = { queue_full: 0, too_large: 0, refused: 0, closed: 0 };
  #toldAt = Number.NEGATIVE_INFINITY;
  #accepted = 0;
  #written = 0;
  #problem: string | null = null;
  #failures = 0;
  #refusedRounds = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #closing = false;
  #closed = false;

  constructor(options: {
    readonly database: Pick<Database, 'transaction'>;
    readonly clock: Clock;
    readonly onEvent: LogStoreEvents;
    readonly limits?: Partial<LogWriterLimits>;
  }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#onEvent = options.onEvent;
    this.#limits = { ...LOG_WRITER_LIMITS, ...options.limits };
  }

  write(request: LoggedRequest): void {
    this.#accepted += 1;
    const { content } = request.details;
    const bytes = request.text.length + (content === null ? 0 : content.bytes);
    const reason = this.#refusal(request.text.length, bytes);
    if (reason === null) {
      this.#queue.add(request, bytes);
      // A full batch need not wait, and one that is being written looks for more by itself.
      if (this.#queue.length === this.#limits.batchRecords) this.#schedule(0);
    } else {
      this.#dropped[reason] += 1;
    }
    if (this.#timer === null && !this.#closed) this.#schedule(this.#limits.delayMs);
  }

  get status(): LogSinkStatus {
    return {
      accepted: this.#accepted,
      written: this.#written,
      queued: this.#queue.length,
      dropped: { ...this.#dropped },
      problem: this.#problem,
    };
  }

  /** Writes everything that is queued, unless a pause after a failure is not over. Never rejects; rounds never overlap. */
  round(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Writes what is queued, for five seconds at most; the rest is dropped and counted. */
  async close(): Promise<void> {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limits.closeMs);
    });
    await Promise.race([this.#flush(), late]);
    clearTimeout(timer);
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    // Of a batch that is still under way nobody will know what became of it.
    this.#drop('closed', this.#queue.length);
    this.#queue.remove(this.#queue.length);
    this.#tellDropped();
  }

  async #flush(): Promise<void> {
    await this.#running;
    // One more try, whatever the pause says: there will be no later one.
    this.#notBefore = Number.NEGATIVE_INFINITY;
    await this.round();
  }

  #refusal(textBytes: number, bytes: number): DropReason | null {
    const { bytesOfOne, bytes: allBytes, records } = this.#limits;
    if (this.#closed) return 'closed';
    if (textBytes > bytesOfOne) return 'too_large';
    return this.#queue.length >= records || this.#queue.bytes + bytes > allBytes ? 'queue_full' : null;
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.round().then(() => {
        const isIdle = this.#queue.length === 0 && !this.#hasUntold();
        if (this.#timer === null && !isIdle && !this.#closed) this.#schedule(this.#waitMs());
      });
    }, delayMs);
    this.#timer.unref();
  }

  #waitMs(): number {
    return Math.max(this.#limits.delayMs, this.#notBefore - this.#clock.monotonic());
  }

  async #drain(): Promise<void> {
    this.#tellDropped();
    while (this.#queue.length > 0 && this.#clock.monotonic() >= this.#notBefore && !this.#closed) {
      const { batchRecords, batchBytes } = this.#limits;
      // It stays in the queue, and counts there, until it is known to be written.
      const batch = this.#queue.first(batchRecords, batchBytes);
      const start = this.#clock.monotonic();
      const end = await this.#writeBatch(batch);
      // The end has counted everything as dropped that was not written by then.
      if (this.#closed) return;
      if (end.failure !== null) this.#failed(end.failure);
      if (end.done) this.#finished(batch.length, end.refused, this.#clock.monotonic() - start);
    }
  }

  async #writeBatch(batch: readonly Queued[]): Promise<BatchEnd> {
    const failure = await this.#append(batch);
    if (failure === null) return { done: true, refused: 0, failure: null };
    return failure.kind === 'fault' ? this.#oneByOne(batch, failure) : { done: false, refused: 0, failure };
  }

  /** A refused batch holds a record that can never be written, or the database refuses everything, perhaps not for ever. */
  async #oneByOne(batch: readonly Queued[], cause: DatabaseError): Promise<BatchEnd> {
    let refused = 0;
    const last = batch.at(-1);
    for (const [index, queued] of batch.entries()) {
      const failure = await this.#append([queued]);
      // What was written so far is known to the store and counted once when the batch comes again.
      if (failure !== null && failure.kind !== 'fault') return { done: false, refused: 0, failure };
      if (failure !== null) refused += 1;
      const isHopeless = refused === PROBES && index === PROBES - 1;
      if (isHopeless && last !== undefined && (await this.#append([last])) !== null) refused = batch.length;
      if (refused === batch.length) break;
    }
    if (refused < batch.length) return { done: true, refused, failure: null };
    this.#refusedRounds += 1;
    return { done: this.#refusedRounds >= REFUSED_ROUNDS, refused, failure: cause };
  }

  /** Null when the records are in the store. */
  async #append(batch: readonly Queued[]): Promise<DatabaseError | null> {
    try {
      await this.#database.transaction(({ logs }) => logs.append(batch.map(({ request }) => request)));
      return null;
    } catch (error) {
      if (error instanceof DatabaseError) return error;
      return new DatabaseError('fault', 'a record could not be made into a row', { cause: error });
    }
  }

  #finished(records: number, refused: number, durationMs: number): void {
    this.#queue.remove(records);
    this.#drop('refused', refused);
    this.#refusedRounds = 0;
    const written = records - refused;
    if (written === 0) return;
    this.#written += written;
    this.#failures = 0;
    if (this.#problem !== null) {
      this.#problem = null;
      this.#onEvent({ kind: 'write_recovered', queued: this.#queue.length });
    }
    this.#onEvent({ kind: 'written', records: written, durationMs });
  }

  #failed(failure: DatabaseError): void {
    const { pausesMs } = this.#limits;
    const pauseMs = pausesMs[Math.min(this.#failures, pausesMs.length - 1)] ?? 1_000;
    this.#failures += 1;
    this.#notBefore = this.#clock.monotonic() + pauseMs;
    if (this.#problem === null) {
      this.#onEvent({ kind: 'write_failed', reason: failure.message, queued: this.#queue.length });
    }
    this.#problem = failure.message;
  }

  #drop(reason: DropReason, records: number): void {
    this.#dropped[reason] += records;
  }

  #hasUntold(): boolean {
    return REASONS.some((reason) => this.#dropped[reason] > this.#told[reason]);
  }

  /** Drops come by the thousand: they are told together. */
  #tellDropped(): void {
    const now = this.#clock.monotonic();
    if (!this.#closed && now - this.#toldAt < TELL_EVERY_MS) return;
    for (const reason of REASONS) {
      const records = this.#dropped[reason] - this.#told[reason];
      if (records === 0) continue;
      this.#told[reason] += records;
      this.#toldAt = now;
      this.#onEvent({ kind: 'dropped', reason, records });
    }
  }
}

const TELL_EVERY_MS = 1_000;
const REASONS: readonly DropReason[] = ['queue_full', 'too_large', 'refused', 'closed'];

/** What became of a batch. `done`: nothing of it is to be written any more. */
interface BatchEnd {
  readonly done: boolean;
  readonly refused: number;
  readonly failure: DatabaseError | null;
}

interface Queued {
  readonly request: LoggedRequest;
  readonly bytes: number;
}

/** First in, first out. Taken ones leave a gap at the front that is closed now and then, not at every turn. */
class RecordQueue {
  #items: (Queued | undefined)[] = [];
  #front = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(request: LoggedRequest, bytes: number): void {
    this.#items.push({ request, bytes });
    this.#bytes += bytes;
  }

  /** The oldest, at least one if there is any. They stay. */
  first(records: number, bytes: number): readonly Queued[] {
    const found: Queued[] = [];
    let size = 0;
    for (let index = this.#front; found.length < records; index += 1) {
      const next = this.#items[index];
      if (next === undefined || (found.length > 0 && size + next.bytes > bytes)) break;
      size += next.bytes;
      found.push(next);
    }
    return found;
  }

  remove(records: number): void {
    for (const end = this.#front + records; this.#front < end; this.#front += 1) {
      this.#bytes -= this.#items[this.#front]?.bytes ?? 0;
      this.#items[this.#front] = undefined;
    }
    if (this.#front * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#front);
    this.#front = 0;
  }
}
