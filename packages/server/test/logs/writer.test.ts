import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import fc from 'fast-check';
import { type Database, DatabaseError, type Stores } from '../../src/ports/database.ts';
import type { LoggedRequest, LogSinkStatus, LogStoreEvent } from '../../src/ports/logs.ts';
import { LogWriter, type LogWriterLimits } from '../../src/storage/logs/writer.ts';
import { describeWith } from '../../../../e2e/support/needs.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { Cable } from '../storage/cable.ts';
import { realClock, recorder, stillClock, temporaryDatabase } from '../storage/kit.ts';
import { logged } from './kit.ts';

/** A database that keeps ids, and can be away, refuse, or lose its answer after the work was done. */
class Shelf {
  readonly rows = new Set<string>();
  readonly batches: number[] = [];
  state: 'there' | 'away' | 'refuses' | 'loses_answers' | 'hangs' = 'there';
  poison: ReadonlySet<string> = new Set();

  readonly database = {
    transaction: async <T>(work: (stores: Stores) => Promise<T>): Promise<T> => {
      if (this.state === 'away') throw new DatabaseError('unavailable', 'the database is away');
      if (this.state === 'refuses') throw new DatabaseError('fault', 'the database refuses everything');
      if (this.state === 'hangs') await new Promise(() => undefined);
      const append = (batch: readonly LoggedRequest[]): Promise<number> => {
        const ids = batch.map(({ summary }) => summary.call_id);
        if (ids.some((id) => this.poison.has(id))) {
          return Promise.reject(new DatabaseError('fault', 'the database refused a statement (22P05)'));
        }
        this.batches.push(ids.length);
        for (const id of ids) this.rows.add(id);
        return Promise.resolve(ids.length);
      };
      const result = await work({ logs: { append } } as unknown as Stores);
      if (this.state === 'loses_answers') throw new DatabaseError('timeout', 'the answer was lost');
      return result;
    },
  } satisfies Pick<Database, 'transaction'>;
}

let shelf: Shelf;
let clock: ReturnType<typeof stillClock>;
let events: LogStoreEvent[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  shelf = new Shelf();
  clock = stillClock();
  events = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const writer = (limits: Partial<LogWriterLimits> = {}): LogWriter =>
  new LogWriter({ database: shelf.database, clock, onEvent: (event) => events.push(event), limits });

let made = 0;
const some = (count: number): LoggedRequest[] =>
  Array.from({ length: count }, () => logged(`id-${(made += 1)}`));

/** Time passes, for the clock and for the timers. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
}

/** Accepted is what was written, dropped or is queued: nothing gets lost without a trace (E2). */
function expectWhole({ accepted, written, queued, dropped }: LogSinkStatus): void {
  const all = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  expect(accepted).toBe(written + all + queued);
}

test('writing waits for nothing: records go to the database together, a moment later', async () => {
  const log = writer();
  for (const request of some(7)) log.write(request);
  expect(shelf.batches).toEqual([]);
  expect(log.status).toMatchObject({ accepted: 7, queued: 7, written: 0 });
  await pass(200);
  expect(shelf.batches).toEqual([7]);
  expect(log.status).toMatchObject({ accepted: 7, queued: 0, written: 7, problem: null });
});

test('a full batch is written at once, and no transaction is larger', async () => {
  const log = writer({ batchRecords: 10 });
  for (const request of some(25)) log.write(request);
  await pass(0);
  expect(shelf.batches).toEqual([10, 10, 5]);
});

test('batches are cut by their bytes too, and one large record goes alone', async () => {
  const log = writer({ batchBytes: 5_000 });
  const large = logged('large', { error_message: 'x'.repeat(9_000) });
  for (const request of [...some(1), large, ...some(1)]) log.write(request);
  await log.round();
  expect(shelf.batches).toEqual([1, 1, 1]);
});

describe('a database that is away', () => {
  test('bounds the queue by records: the newest are dropped, counted and told once a second', async () => {
    shelf.state = 'away';
    const log = writer({ records: 100 });
    for (const request of some(150)) log.write(request);
    await pass(200);
    expect(log.status).toMatchObject({
      queued: 100,
      dropped: { queue_full: 50 },
      problem: 'the database is away',
    });
    for (const request of some(30)) log.write(request);
    await pass(400);
    expect(events.filter(({ kind }) => kind === 'dropped')).toEqual([
      { kind: 'dropped', reason: 'queue_full', records: 50 },
    ]);
    await pass(5_000);
    expect(events.filter(({ kind }) => kind === 'dropped')).toEqual([
      { kind: 'dropped', reason: 'queue_full', records: 50 },
      { kind: 'dropped', reason: 'queue_full', records: 30 },
    ]);
    expectWhole(log.status);
  });

  test('bounds the queue by bytes, stored content included', () => {
    shelf.state = 'away';
    const content = { messages: [], withheld: null, answer: [], bytes: 100_000 };
    const log = writer({ bytes: 1_000_000 });
    for (let number = 0; number < 50; number += 1) log.write(logged(`c${number}`, {}, { content }));
    expect(log.status.queued).toBeLessThan(10);
    expect(log.status.dropped.queue_full).toBe(50 - log.status.queued);
  });

  test('is told once, asked again after growing pauses, and caught up with when it is back, without a restart', async () => {
    shelf.state = 'away';
    const asked = vi.spyOn(shelf.database, 'transaction');
    const log = writer();
    for (const request of some(400)) log.write(request);
    await pass(200);
    expect(asked).toHaveBeenCalledTimes(1);
    await pass(200);
    expect(asked).toHaveBeenCalledTimes(1);
    for (let second = 0; second < 60; second += 1) await pass(1_000);
    expect(asked.mock.calls.length).toBeLessThan(10);
    expect(events.filter(({ kind }) => kind === 'write_failed')).toHaveLength(1);

    shelf.state = 'there';
    for (let second = 0; second < 16; second += 1) await pass(1_000);
    expect(shelf.rows.size).toBe(400);
    expect(log.status).toMatchObject({ queued: 0, written: 400, problem: null });
    expect(events.map(({ kind }) => kind)).toContain('write_recovered');
  });

  test('whose answer was lost is written to again, and the record counts once', async () => {
    const log = writer();
    shelf.state = 'loses_answers';
    for (const request of some(5)) log.write(request);
    await pass(200);
    expect(log.status).toMatchObject({ written: 0, queued: 5 });
    shelf.state = 'there';
    await pass(2_000);
    await pass(2_000);
    expect(log.status).toMatchObject({ written: 5, queued: 0 });
    expect(shelf.rows.size).toBe(5);
  });
});

test('a record that the database refuses is found, dropped and counted, and holds no other up', async () => {
  const log = writer();
  const records = some(20);
  shelf.poison = new Set([records[0]!.summary.call_id, records[11]!.summary.call_id]);
  for (const request of records) log.write(request);
  await log.round();
  expect(shelf.rows.size).toBe(18);
  expect(log.status).toMatchObject({ written: 18, queued: 0, dropped: { refused: 2 }, problem: null });
});

test('a database that refuses everything is given time before records are given up', async () => {
  shelf.state = 'refuses';
  const log = writer();
  for (const request of some(50)) log.write(request);
  await pass(200);
  for (let second = 0; second < 10; second += 1) await pass(1_000);
  expect(log.status).toMatchObject({ queued: 50, dropped: { refused: 0 } });
  for (let second = 0; second < 60; second += 1) await pass(1_000);
  expect(log.status).toMatchObject({ queued: 0, dropped: { refused: 50 } });
});

test('a record larger than any honest one is dropped and counted', () => {
  const log = writer();
  log.write(logged('huge', { error_message: 'x'.repeat(1_100_000) }));
  expect(log.status).toMatchObject({ queued: 0, dropped: { too_large: 1 } });
});

describe('the end', () => {
  test('writes what is queued', async () => {
    const log = writer({ batchRecords: 10 });
    for (const request of some(35)) log.write(request);
    await log.close();
    expect(shelf.rows.size).toBe(35);
    expect(log.status).toMatchObject({ written: 35, queued: 0 });
  });

  test('tries once more although a pause is not over', async () => {
    shelf.state = 'away';
    const log = writer();
    for (const request of some(3)) log.write(request);
    await pass(200);
    shelf.state = 'there';
    await log.close();
    expect(shelf.rows.size).toBe(3);
  });

  test('does not wait for a database that hangs; what was not written is counted and told', async () => {
    shelf.state = 'hangs';
    const log = writer({ batchRecords: 10 });
    for (const request of some(35)) log.write(request);
    const closed = log.close();
    await pass(5_000);
    await closed;
    expect(log.status).toMatchObject({ queued: 0, dropped: { closed: 35 } });
    expect(events).toContainEqual({ kind: 'dropped', reason: 'closed', records: 35 });
    log.write(logged('late'));
    expect(log.status.dropped.closed).toBe(36);
    expectWhole(log.status);
  });
});

test('whatever happens, records accepted are written, dropped or queued, and rows are what counts as written (E2)', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({
      kind: fc.constant('state' as const),
      state: fc.constantFrom('there', 'away', 'refuses', 'loses_answers'),
    }),
    fc.record({ kind: fc.constant('poison' as const), count: fc.integer({ min: 1, max: 5 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      shelf = new Shelf();
      const log = writer({ records: 60, batchRecords: 8 });
      for (const now of steps) {
        if (now.kind === 'write') for (const request of some(now.count)) log.write(request);
        if (now.kind === 'pass') await pass(now.ms);
        if (now.kind === 'state') shelf.state = now.state as Shelf['state'];
        if (now.kind === 'poison') {
          const records = some(now.count);
          shelf.poison = new Set([...shelf.poison, ...records.map(({ summary }) => summary.call_id)]);
          for (const request of records) log.write(request);
        }
        expectWhole(log.status);
        expect(log.status.queued).toBeLessThanOrEqual(60);
      }
      shelf.state = 'there';
      await log.close();
      expectWhole(log.status);
      expect(log.status.queued).toBe(0);
      // A record that was given up may have been written by an attempt whose answer was lost.
      expect(shelf.rows.size).toBeGreaterThanOrEqual(log.status.written);
      if (steps.every((now) => now.kind !== 'state')) expect(shelf.rows.size).toBe(log.status.written);
    }),
    { numRuns: 60 },
  );
});

describeWith('DATABASE_URL_TEST', 'a PostgreSQL that goes away and comes back', (url) => {
  test('gets every record that the queue had room for, without a restart', async () => {
    vi.useRealTimers();
    const own = await temporaryDatabase(url);
    const cable = new Cable(own.url);
    await cable.plug();
    const database = await openDatabase({
      dataDir: '/nowhere',
      url: cable.url,
      clock: realClock,
      ...recorder(),
    });
    const log = new LogWriter({
      database,
      clock: realClock,
      onEvent: (event) => events.push(event),
      limits: { records: 300, pausesMs: [50], delayMs: 20 },
    });
    const stored = async (): Promise<number> =>
      (
        await database.stores.logs.list({
          filter: { scope: null },
          sortBy: 'startTime',
          descending: true,
          offset: 0,
          limit: 1,
        })
      ).total;
    for (const request of some(50)) log.write(request);
    await vi.waitFor(() => expect(log.status.written).toBe(50), 5_000);

    await cable.pull();
    for (const request of some(400)) log.write(request);
    await vi.waitFor(() => expect(log.status.problem).not.toBeNull(), 15_000);
    expect(log.status).toMatchObject({ written: 50, queued: 300, dropped: { queue_full: 100 } });

    await cable.plug();
    await vi.waitFor(
      () => expect(log.status).toMatchObject({ queued: 0, written: 350, problem: null }),
      15_000,
    );
    expect(await stored()).toBe(350);
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['write_failed', 'write_recovered']),
    );
    expectWhole(log.status);

    await log.close();
    await database.close();
    await cable.pull();
    await own.remove();
  }, 60_000);
});
