import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory } from '../../src/storage/embedded/lock.ts';
import { realClock, temporaryDirectory } from './kit.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let socket: string;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, 'portcullis.lock');
  socket = join(directory.path, 's');
});
afterEach(() => directory.remove());

const lock = () => lockDirectory(directory.path, socket, realClock);

/** Rewrites what is known of the holder. */
function pretend(changes: Record<string, unknown>): void {
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
}

describe('the lock of the data directory', () => {
  test('is refused to a second holder, naming the process and the way out', async () => {
    const first = await lock();
    await expect(lock()).rejects.toMatchObject({
      kind: 'locked',
      message: expect.stringMatching(
        new RegExp(`in use by process ${process.pid} .*remove .*portcullis\\.lock`, 'u'),
      ),
    });
    first.release();
    const second = await lock();
    expect(second.takenFrom).toBeNull();
    second.release();
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test('is never taken from another process that lives', async () => {
    const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      await once(sleeper, 'spawn');
      await lock();
      pretend({ pid: sleeper.pid, started: null });
      await expect(lock()).rejects.toThrow(`process ${sleeper.pid}`);
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  test('is taken from a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await lock();
    pretend({ pid });
    expect((await lock()).takenFrom).toBe(`process ${pid}`);
  });

  test('is taken from a process whose number another one has now', async () => {
    await lock();
    pretend({ started: '1' });
    expect((await lock()).takenFrom).toBe(`process ${process.pid}`);
  });

  test('is not taken from another container while its database answers or its mark is fresh', async () => {
    await lock();
    pretend({ space: 'another', host: 'another', pid: 1 });
    await expect(lock()).rejects.toMatchObject({ kind: 'locked' });

    utimesSync(file, 0, 0);
    const server = createServer().listen(socket);
    await once(server, 'listening');
    await expect(lock()).rejects.toMatchObject({ kind: 'locked' });
    server.close();
    await once(server, 'close');
    expect((await lock()).takenFrom).toBe('process 1');
  });

  test('that is unreadable is replaced', async () => {
    writeFileSync(file, 'half');
    expect((await lock()).takenFrom).toBe('an unreadable lock');
  });

  test('goes to exactly one of many that find an old one', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (let round = 0; round < 20; round += 1) {
      await lock();
      pretend({ pid });
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, lock));
      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      winners[0]?.value.release();
    }
  });
});
