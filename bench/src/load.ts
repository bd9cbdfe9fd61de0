import { Pool } from 'undici';

/** One request as it is sent over and over. */
export interface Shot {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly expectStatus: number;
}

/** Latencies in milliseconds, one per request; counts of what went wrong void a window. */
export interface Window {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly totalMs: Float64Array;
  readonly firstByteMs: Float64Array;
}

/**
 * Sends requests on kept connections for `seconds`.
 *
 * Closed loop (`rate: null`): `connections` requests are always under way. Fixed rate: requests start on a schedule and
 * their latency counts from the scheduled time, so that a stall is seen by all that wait behind it (no coordinated
 * omission).
 */
export async function fire(
  origin: string,
  shot: Shot,
  options: {
    readonly connections: number;
    readonly seconds: number;
    readonly rate: number | null;
    readonly maxRequests?: number;
  },
): Promise<Window> {
  const pool = new Pool(origin, { connections: options.connections, pipelining: 1 });
  const total: number[] = [];
  const first: number[] = [];
  let failed = 0;
  const started = performance.now();
  const endAt = started + options.seconds * 1_000;
  const limit = options.maxRequests ?? Number.POSITIVE_INFINITY;
  let sent = 0;

  const one = (scheduled: number): Promise<void> =>
    new Promise((resolve) => {
      let firstByte = 0;
      let good = false;
      pool.dispatch(
        { path: shot.path, method: 'POST', headers: shot.headers, body: shot.body },
        {
          onRequestStart() {},
          onResponseStart(_controller, status) {
            good = status === shot.expectStatus;
          },
          onResponseData() {
            if (firstByte === 0) firstByte = performance.now() - scheduled;
          },
          onResponseEnd() {
            if (good) {
              total.push(performance.now() - scheduled);
              first.push(firstByte);
            } else failed += 1;
            resolve();
          },
          onResponseError() {
            failed += 1;
            resolve();
          },
        },
      );
    });

  if (options.rate === null) {
    const worker = async (): Promise<void> => {
      while (performance.now() < endAt && sent < limit) {
        sent += 1;
        await one(performance.now());
      }
    };
    await Promise.all(Array.from({ length: options.connections }, worker));
  } else {
    const { rate } = options;
    const all = Math.min(Math.floor(options.seconds * rate), limit);
    const pending: Promise<void>[] = [];
    for (; sent < all; sent += 1) {
      const due = started + (sent / rate) * 1_000;
      await until(due);
      pending.push(one(due));
    }
    await Promise.all(pending);
  }
  const seconds = (performance.now() - started) / 1_000;
  await pool.close();
  return {
    requests: total.length,
    failed,
    seconds,
    totalMs: Float64Array.from(total).sort(),
    firstByteMs: Float64Array.from(first).sort(),
  };
}

/** Timers are late by a millisecond or more, so the last of them are spent going round the event loop, which stays free. */
const SPIN_MS = 2;

async function until(time: number): Promise<void> {
  for (let left = time - performance.now(); left > 0; left = time - performance.now()) {
    if (left > SPIN_MS) await new Promise((resolve) => setTimeout(resolve, left - SPIN_MS));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The value below which the share `q` of a sorted list lies; NaN for an empty one. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
