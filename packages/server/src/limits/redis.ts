import type { Redis } from 'ioredis';

const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
const LONGEST_PAUSE_MS = 2_000;

/**
 * A connection to Redis or Valkey for counting. A command that cannot be sent now fails now: the caller has another way,
 * and a late count is no count. The client takes 14 MB, which only those who use it have to pay.
 */
export async function connectRedis(url: string): Promise<Redis> {
  const { Redis: Client } = await import('ioredis');
  return new Client(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: CONNECT_MS,
    retryStrategy: (attempt) => Math.min(100 * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS),
  });
}

/** Ends a connection, whatever state it is in. Never rejects. */
export async function closeRedis(redis: Redis): Promise<void> {
  redis.removeAllListeners();
  redis.on('error', () => undefined);
  try {
    await redis.quit();
  } catch {
    redis.disconnect();
  }
}
