import type { Clock } from '../../ports/clock.ts';
import type { StorageEvents } from '../../ports/storage-events.ts';

/**
 * What a PostgreSQL server does in the background and PGlite does not: checkpoints, vacuum. Without them the log of
 * changes and the tables grow without end.
 */

const TICK_MS = 5_000;
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
const CHECKPOINT_MS = 5 * 60_000;
const VACUUM_BYTES = 128 * 1024 * 1024;
const VACUUM_MS = 60 * 60_000;
/** A question this old means that the thread hangs. */
const HANGS_MS = 60_000;

export interface UpkeepTasks {
  /** Bytes ever written to the log of changes. */
  written(): Promise<number>;
  checkpoint(): Promise<void>;
  vacuum(): Promise<void>;
  /** Shows other processes that this one lives. */
  mark(): void;
  /** Called when a task has not ended for a minute. */
  hangs(): void;
}

export interface Upkeep {
  /** One round, as the timer does it. Rounds never overlap. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

export function startUpkeep(tasks: UpkeepTasks, clock: Clock, onEvent: StorageEvents): Upkeep {
  let checkpoint: Mark | undefined;
  let vacuum: Mark | undefined;
  let running: { readonly since: number; readonly done: Promise<void> } | undefined;
  let stopped = false;

  async function timed(kind: 'checkpoint' | 'vacuum', task: () => Promise<void>): Promise<void> {
    const start = clock.monotonic();
    await task();
    onEvent({ kind, durationMs: clock.monotonic() - start });
  }

  async function work(): Promise<void> {
    const bytes = await tasks.written();
    const now = clock.monotonic();
    checkpoint ??= { bytes, at: now };
    vacuum ??= { bytes, at: now };
    if (isDue(vacuum, bytes, now, VACUUM_BYTES, VACUUM_MS)) {
      await timed('vacuum', () => tasks.vacuum());
      vacuum = { bytes: await tasks.written(), at: now };
    }
    if (isDue(checkpoint, bytes, now, CHECKPOINT_BYTES, CHECKPOINT_MS)) {
      await timed('checkpoint', () => tasks.checkpoint());
      // The checkpoint itself writes a little, which must not make the next one due.
      checkpoint = { bytes: await tasks.written(), at: now };
    }
  }

  async function round(): Promise<void> {
    if (stopped) return;
    tasks.mark();
    if (running !== undefined) {
      if (clock.monotonic() - running.since > HANGS_MS) tasks.hangs();
      return;
    }
    const done = work()
      .catch((error: unknown) => {
        if (stopped) return;
        onEvent({ kind: 'upkeep_failed', reason: error instanceof Error ? error.message : String(error) });
      })
      .finally(() => {
        running = undefined;
      });
    running = { since: clock.monotonic(), done };
    await done;
  }

  const timer = setInterval(() => void round(), TICK_MS);
  timer.unref();
  return {
    round,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running?.done;
    },
  };
}

interface Mark {
  readonly bytes: number;
  readonly at: number;
}

/** Due by volume, or by time when anything was written at all. */
function isDue(last: Mark, bytes: number, now: number, everyBytes: number, everyMs: number): boolean {
  const fresh = bytes - last.bytes;
  return fresh >= everyBytes || (fresh > 0 && now - last.at >= everyMs);
}
