import type { Clock } from '../../ports/clock.ts';
import { type Database, DatabaseError } from '../../ports/database.ts';
import type { LogStoreEvents } from '../../ports/logs.ts';

/** How often it is looked whether a round is due. */
const TICK_MS = 30_000;
const BATCH = 1_000;

export interface RetentionSettings {
  /** How long requests are kept, in milliseconds; null for ever. */
  readonly keepMs: number | null;
  /** Time between two rounds. */
  readonly everyMs: number;
}

export interface Retention {
  /** One look, as the timer does it. Rounds never overlap. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Deletes requests that are older than `general_settings.maximum_spend_logs_retention_period`: the oldest first, in
 * batches of 1,000, each a transaction of its own, so that nothing else waits long. The first round is at the first look.
 * After a failure the next look tries again. The daily counts are kept.
 */
export function startRetention(options: {
  readonly database: Pick<Database, 'transaction'>;
  readonly clock: Clock;
  /** Read at each round, because the configuration may change. */
  readonly settings: () => RetentionSettings;
  readonly onEvent: LogStoreEvents;
}): Retention {
  const { database, clock, onEvent } = options;
  let last = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  let stopped = false;
  const isStopped = (): boolean => stopped;

  async function expire(keepMs: number): Promise<void> {
    const start = clock.monotonic();
    const before = clock.now() - keepMs;
    let records = 0;
    let gone: number;
    do {
      gone = await database.transaction(({ logs }) => logs.deleteBefore(before, BATCH));
      records += gone;
    } while (gone === BATCH && !isStopped());
    if (records > 0) onEvent({ kind: 'expired', records, durationMs: clock.monotonic() - start });
  }

  async function look(): Promise<void> {
    const { keepMs, everyMs } = options.settings();
    const now = clock.monotonic();
    if (stopped || keepMs === null || now - last < everyMs) return;
    try {
      await expire(keepMs);
      last = now;
    } catch (error) {
      if (stopped) return;
      const reason = error instanceof DatabaseError ? error.message : 'a fault of the program';
      onEvent({ kind: 'expiry_failed', reason });
    }
  }

  const round = (): Promise<void> => {
    running ??= look().finally(() => {
      running = null;
    });
    return running;
  };

  const timer = setInterval(() => void round(), TICK_MS);
  timer.unref();
  return {
    round,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
