import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/ports/database.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startEmbedded } from '../../src/storage/embedded/embedded.ts';
import { hashLike, newKey, realClock, recorder, temporaryDirectory } from './kit.ts';

const heard = recorder();
const directory = temporaryDirectory();
const options = { dataDir: directory.path, url: null, clock: realClock, onEvent: heard.onEvent };
const socketPath = join(directory.path, 'run', '.s.PGSQL.5432');
const connect = () => postgres({ path: socketPath, username: 'postgres', database: 'postgres', max: 1 });
let database: Database;

beforeAll(async () => {
  database = await openDatabase(options);
});
afterAll(async () => {
  await database.close();
  directory.remove();
});

describe('the embedded database', () => {
  test('is behind a socket that only its owner can reach', () => {
    expect(statSync(join(directory.path, 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(socketPath).isSocket()).toBe(true);
  });

  test('is refused to a second opener, in the same process and in another', async () => {
    await expect(openDatabase(options)).rejects.toMatchObject({
      kind: 'locked',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });

  test('opens again quickly and does not apply a step twice', async () => {
    await database.transaction(({ keys }) => keys.insert(newKey('stays')));
    await database.close();
    heard.events.length = 0;
    database = await openDatabase(options);
    expect(heard.events).toEqual([{ kind: 'opened', database: 'embedded', durationMs: expect.any(Number) }]);
    expect(await database.stores.keys.find(hashLike('stays'))).not.toBeNull();
  });

  test('does not stop the event loop while it works', async () => {
    const sql = connect();
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 5);
    const started = performance.now();
    await sql`select count(*) from generate_series(1, 3000000) a`;
    const took = performance.now() - started;
    clearInterval(timer);
    await sql.end();
    expect(longest).toBeLessThan(took / 2);
  });

  test('whose directory another version of PostgreSQL made is refused in our own words', async () => {
    const other = temporaryDirectory();
    const cluster = join(other.path, 'postgres');
    mkdirSync(cluster);
    writeFileSync(join(cluster, 'PG_VERSION'), '17\n');
    const opening = openDatabase({ ...options, dataDir: other.path });
    await expect(opening).rejects.toMatchObject({
      kind: 'incompatible',
      message: expect.stringMatching(/made by PostgreSQL 17, this version has PostgreSQL 18\. Export/u),
    });
    // The lock is not left behind.
    const again = openDatabase({ ...options, dataDir: other.path });
    await expect(again).rejects.toMatchObject({ kind: 'incompatible' });
    other.remove();
  });

  test('whose thread is ended comes back with all that was committed', async () => {
    const other = temporaryDirectory();
    const server = await startEmbedded({ dataDir: other.path, clock: realClock, onEvent: heard.onEvent });
    const sql = postgres({
      path: server.socketPath,
      username: 'postgres',
      database: 'postgres',
      max: 1,
      backoff: () => 0.05,
    });
    await sql`create table kept (n int)`;
    await sql`insert into kept values (1)`;
    heard.events.length = 0;
    server.restart('a test');
    await expect
      .poll(() => sql`select n from kept`.catch(() => null), { timeout: 15_000 })
      .toEqual([{ n: 1 }]);
    expect(heard.events.map(({ kind }) => kind)).toEqual(['upkeep_failed', 'restarted']);
    await sql.end();
    await server.close();
    other.remove();
  });

  test('that a newer version has changed is refused, and so is one with a foreign step', async () => {
    const sql = connect();
    await sql`insert into portcullis.migrations (number, name, digest) values (9999, '9999_from_the_future.sql', 'x')`;
    await sql.end();
    await database.close();
    await expect(openDatabase(options)).rejects.toMatchObject({
      kind: 'incompatible',
      message: expect.stringContaining('9999_from_the_future.sql'),
    });
    await expect(openDatabase(options)).rejects.toMatchObject({ kind: 'incompatible' });
    expect(() => readFileSync(join(directory.path, 'portcullis.lock'))).toThrow(/ENOENT/u);
  });
});
