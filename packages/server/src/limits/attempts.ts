import type { Redis } from 'ioredis';
import type { Attempted, Attempts } from '../ports/attempts.ts';
import type { Clock } from '../ports/clock.ts';
import { closeRedis, connectRedis } from './redis.ts';

/** How many names are remembered; the ones that were begun first make room. About 2 MB. */
const NAMES = 20_000;
const PREFIX = '{portcullis}:attempts:';

export interface AttemptsOptions {
  readonly clock: Clock;
  /** The Redis or Valkey that replicas count in together; null to count in memory. */
  readonly redisUrl: string | null;
}

/**
 * Counts attempts in windows that begin with the first of them. While Redis is away each replica counts by itself, so
 * together they may let through as many times the limit as there are replicas; nothing is ever let through uncounted.
 */
export function createAttempts({ clock, redisUrl }: AttemptsOptions): Attempts {
  const memory = new MemoryAttempts(clock);
  if (redisUrl === null) return memory;
  const shared = new SharedAttempts(connectRedis(redisUrl));
  return {
    async take(attempted) {
      try {
        return await shared.take(attempted);
      } catch {
        return memory.take(attempted);
      }
    },
    async forget(names) {
      await memory.forget(names);
      await shared.forget(names).catch(() => undefined);
    },
    close: () => shared.close(),
  };
}

interface Window {
  count: number;
  readonly endsAt: number;
}

class MemoryAttempts implements Attempts {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(attempted: readonly Attempted[]): Promise<{ retryAfterMs: number } | null> {
    const now = this.#clock.monotonic();
    let waitMs = 0;
    for (const { name, most } of attempted) {
      const window = this.#windows.get(name);
      if (window !== undefined && window.endsAt <= now) this.#windows.delete(name);
      else if (window !== undefined && window.count >= most) waitMs = Math.max(waitMs, window.endsAt - now);
    }
    if (waitMs > 0) return Promise.resolve({ retryAfterMs: waitMs });
    for (const { name, windowMs } of attempted) {
      const window = this.#windows.get(name);
      if (window === undefined) this.#windows.set(name, { count: 1, endsAt: now + windowMs });
      else window.count += 1;
    }
    while (this.#windows.size > NAMES) {
      const [first] = this.#windows.keys();
      if (first === undefined) break;
      this.#windows.delete(first);
    }
    return Promise.resolve(null);
  }

  forget(names: readonly string[]): Promise<void> {
    for (const name of names) this.#windows.delete(name);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** For each key: its limit and window. Answers how long to wait, or 0 when it was counted. */
const SCRIPT = `
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key))
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0`;

class SharedAttempts implements Attempts {
  readonly #redis: Promise<Redis>;

  constructor(redis: Promise<Redis>) {
    // Whoever asks gets the failure; readiness tells of the same Redis through the limits.
    this.#redis = redis;
    redis.then((ready) => ready.on('error', () => undefined)).catch(() => undefined);
  }

  async take(attempted: readonly Attempted[]): Promise<{ retryAfterMs: number } | null> {
    const keys = attempted.map(({ name }) => PREFIX + name);
    const args = attempted.flatMap(({ most, windowMs }) => [most, windowMs]);
    const waitMs = Number(await (await this.#redis).eval(SCRIPT, keys.length, ...keys, ...args));
    return waitMs > 0 ? { retryAfterMs: waitMs } : null;
  }

  async forget(names: readonly string[]): Promise<void> {
    if (names.length > 0) await (await this.#redis).del(...names.map((name) => PREFIX + name));
  }

  async close(): Promise<void> {
    await closeRedis(await this.#redis);
  }
}
