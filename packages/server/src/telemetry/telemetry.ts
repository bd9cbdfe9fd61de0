import pino from 'pino';
import type { AppliedPolicy, RunRecord } from '@portcullis/policy';
import type { Clock } from '../ports/clock.ts';
import type { LogSink, LogStoreEvent, RequestDetails } from '../ports/logs.ts';
import type { RequestRecord, RequestSummary, Telemetry } from '../ports/records.ts';
import type { LimitsEvent } from '../ports/limits.ts';
import type { StorageEvent } from '../ports/storage-events.ts';
import { type ByteOutput, LineBatch } from './lines.ts';
import { recordText } from './record-text.ts';
import { Metrics } from './metrics.ts';
import { RecordRing } from './ring.ts';

const RECORDS_KEPT = 1_000;
/** Log lines wait here for the disk or pipe; beyond it lines are dropped and counted rather than held for ever. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** Lines are written together: one by one they would cost as much as the requests. */
const BATCH_BYTES = 64 * 1024;
const FLUSH_MS = 500;
const LOADS = 'portcullis_snapshot_loads_total';
const LOADS_HELP = 'Attempts to put a revision in force that ended otherwise than the one before';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface TelemetryOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  /** A file descriptor or path; standard output when not given. */
  readonly destination?: number | string;
}

/** Tells what happens: one helper for each event. Lines go out asynchronously; nothing here waits or throws. */
export class ServerTelemetry implements Telemetry {
  readonly metrics = new Metrics();
  readonly #ring = new RecordRing(RECORDS_KEPT);
  readonly #output: ReturnType<typeof pino.destination>;
  readonly #lines: LineBatch;
  readonly #flushing: NodeJS.Timeout;
  readonly #log: pino.Logger;
  readonly #logsRequests: boolean;
  readonly #clock: Clock;
  #store: LogSink | null = null;

  constructor(options: TelemetryOptions) {
    this.#clock = options.clock;
    const bytes = {
      dest: options.destination ?? 1,
      sync: false,
      minLength: 0,
      maxLength: MAX_BUFFERED_BYTES,
      contentMode: 'buffer' as const,
    };
    this.#output = pino.destination(bytes);
    this.#lines = new LineBatch(this.#output as unknown as ByteOutput, BATCH_BYTES);
    this.#flushing = setInterval(() => this.#lines.flush(), FLUSH_MS).unref();
    this.#output.on('drop', () =>
      this.metrics.event('portcullis_log_batches_dropped_total', 'Batches of log lines that were dropped'),
    );
    // A broken pipe (`portcullis serve | head`) must not end the gateway.
    this.#output.on('error', () =>
      this.metrics.event('portcullis_log_write_failures_total', 'Failures to write log lines'),
    );
    this.#log = pino(
      { level: options.level, base: null, timestamp: () => `,"time":${this.#clock.now()}` },
      this.#lines,
    );
    this.#logsRequests = this.#log.isLevelEnabled('info');
  }

  /** From now on every finished request also goes there, or nowhere else. */
  keepRequestsIn(store: LogSink | null): void {
    this.#store = store;
  }

  requestFinished(
    summary: RequestSummary,
    policies: readonly AppliedPolicy[],
    runs: readonly RunRecord[],
    late: Promise<readonly RunRecord[]> | null,
    details: RequestDetails,
  ): void {
    this.metrics.request(summary);
    if (summary.stripped_fields.length > 0) {
      this.metrics.event(
        'portcullis_stripped_fields_total',
        'Fields of callers that only the gateway may set',
        {},
        summary.stripped_fields.length,
      );
    }
    for (const run of runs) this.metrics.run(run);
    const text = recordText(summary, policies, runs);
    this.#ring.add(summary.call_id, text);
    if (late === null) {
      this.#logRequest(text);
      this.#store?.write({ summary, policies, runs, text, details });
      return;
    }
    late.then(
      (more) => {
        for (const run of more) this.metrics.run(run);
        const all = [...runs, ...more];
        const complete = recordText(summary, policies, all);
        this.#ring.replace(summary.call_id, complete);
        this.#logRequest(complete);
        this.#store?.write({ summary, policies, runs: all, text: complete, details });
      },
      (error: unknown) => {
        this.fault('late_runs', error);
        this.#logRequest(text);
        this.#store?.write({ summary, policies, runs, text, details });
      },
    );
  }

  /** The one line of a request is the hot one: it is pino's format, written without building the record twice. */
  #logRequest(text: string): void {
    if (this.#logsRequests) this.#lines.write(`{"level":30,"event":"request",${text.slice(1)}\n`);
  }

  runsMissing(callId: string, planned: number, recorded: number): void {
    this.metrics.event('portcullis_runs_missing_total', 'Records that were short of runs');
    this.#log.error({ event: 'runs_missing', call_id: callId, planned, recorded });
  }

  fault(where: string, error: unknown): void {
    this.metrics.event('portcullis_faults_total', 'Faults of the gateway itself', { where });
    this.#log.error({ event: 'fault', where, error: describe(error) });
  }

  snapshotLoaded(revision: number, digest: string, durationMs: number): void {
    this.metrics.event(LOADS, LOADS_HELP, { result: 'loaded' });
    this.#log.info({ event: 'snapshot_loaded', revision, digest, duration_ms: Math.round(durationMs) });
  }

  /** The last good snapshot is kept; `problem` says why and what to do. */
  snapshotRefused(problem: string): void {
    this.metrics.event(LOADS, LOADS_HELP, { result: 'refused' });
    this.#log.error({ event: 'snapshot_refused', problem });
  }

  /** Storage says how it is by itself; how loud that is, is decided here. */
  storage(event: StorageEvent): void {
    const { kind, ...details } = event;
    const line = { event: `storage_${kind}`, ...details };
    switch (kind) {
      case 'opened':
      case 'migrated':
      case 'checkpoint':
      case 'vacuum':
        this.#log.info(line);
        return;
      case 'lock_taken_over':
      case 'unavailable':
      case 'upkeep_failed':
      case 'restarted':
      case 'values_ignored':
        this.metrics.event('portcullis_storage_events_total', 'Trouble of the database', { kind });
        this.#log.warn(line);
    }
  }

  /** The same for the log store. */
  logStore(event: LogStoreEvent): void {
    const { kind, ...details } = event;
    const line = { event: `log_store_${kind}`, ...details };
    switch (event.kind) {
      case 'written':
        this.metrics.event('portcullis_log_records_written_total', 'Requests stored', {}, event.records);
        return;
      case 'dropped':
        this.metrics.event(
          'portcullis_log_records_dropped_total',
          'Requests that could not be stored',
          { reason: event.reason },
          event.records,
        );
        this.#log.error(line);
        return;
      case 'write_failed':
      case 'expiry_failed':
        this.metrics.event('portcullis_log_store_failures_total', 'Failures of the log store', {
          kind: event.kind,
        });
        this.#log.warn(line);
        return;
      case 'write_recovered':
      case 'expired':
        this.#log.info(line);
    }
  }

  /** A soft budget that was passed is told once in its period; it refuses nobody. */
  limits(event: LimitsEvent): void {
    const { kind, ...details } = event;
    this.metrics.event('portcullis_limits_events_total', 'Events of limits and budgets', { kind });
    const line = { event: `limits_${kind}`, ...details };
    if (kind === 'counters_back') this.#log.info(line);
    else this.#log.warn(line);
  }

  info(event: string, details: Readonly<Record<string, unknown>>): void {
    this.#log.info({ event, ...details });
  }

  warn(event: string, details: Readonly<Record<string, unknown>>): void {
    this.#log.warn({ event, ...details });
  }

  find(callId: string): RequestRecord | null {
    const text = this.#ring.find(callId);
    return text === null ? null : (JSON.parse(text) as RequestRecord);
  }

  /** Writes what is still buffered. */
  close(): Promise<void> {
    clearInterval(this.#flushing);
    this.#lines.flush();
    return new Promise((resolve) => {
      this.#output.once('error', () => resolve());
      this.#output.once('close', () => resolve());
      this.#output.end();
    });
  }
}

/** An error for the log: its place in the code, and the chain of causes. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...('code' in error ? { code: error.code } : {}),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}
