import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import { DatabaseError } from '../../ports/database.ts';
import type { StorageEvents } from '../../ports/storage-events.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';

/**
 * PostgreSQL inside this process (PGlite), in a thread of its own, reached over a unix socket like any other PostgreSQL.
 * What a real server would do by itself - lock its directory, come back after a crash - is done here.
 */

/** The same place from `src` and from `dist`. */
const WORKER = new URL('../../../worker/pglite.mjs', import.meta.url);

/** The major version of PostgreSQL in the pinned PGlite. A data directory of another one cannot be opened. */
const MAJOR = '18';
/** The folder of the data directory that the database is in. */
const CLUSTER = 'postgres';
const START_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 20_000;
const RESTART_PAUSES_MS = [0, 1_000, 5_000, 30_000] as const;
/** Linux takes 107 bytes for the path of a socket, macOS 103. */
const SOCKET_PATH_BYTES = 100;

export interface EmbeddedServer {
  readonly socketPath: string;
  readonly lock: DirectoryLock;
  /** Ends the thread as it is and starts it again: what was committed is kept. */
  restart(reason: string): void;
  /** Writes everything out and lets go of the directory. */
  close(): Promise<void>;
}

/** Whether this directory may hold a database already. Without one there, nothing can have been stored. */
export function mayHoldDatabase(dataDir: string): boolean {
  return existsSync(join(resolve(dataDir), CLUSTER));
}

export async function startEmbedded(options: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly onEvent: StorageEvents;
}): Promise<EmbeddedServer> {
  const { clock, onEvent } = options;
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const socketPath = makeSocketPath(dataDir);
  const lock = await lockDirectory(dataDir, socketPath, clock);
  try {
    if (lock.takenFrom !== null) onEvent({ kind: 'lock_taken_over', holder: lock.takenFrom });
    const clusterDir = join(dataDir, CLUSTER);
    checkVersion(clusterDir);
    mkdirSync(clusterDir, { recursive: true, mode: 0o700 });
    const thread = await keepRunning({ clusterDir, socketPath, onEvent });
    return {
      socketPath,
      lock,
      restart: (reason) => thread.restart(reason),
      async close() {
        try {
          await thread.close();
        } finally {
          rmSync(socketPath, { force: true });
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The socket has no password, so it lies in a directory that only this user can enter. */
function makeSocketPath(dataDir: string): string {
  const directory = join(dataDir, 'run');
  const path = join(directory, '.s.PGSQL.5432');
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
    return join(mkdtempSync(join(tmpdir(), 'portcullis-')), '.s.PGSQL.5432');
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  return path;
}

function checkVersion(clusterDir: string): void {
  let found: string;
  try {
    found = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return; // not made yet
  }
  if (found === MAJOR) return;
  throw new DatabaseError(
    'incompatible',
    `the data in ${clusterDir} were made by PostgreSQL ${found}, this version has PostgreSQL ${MAJOR}. ` +
      `Export them with the version of Portcullis that made them, and import them into an empty data directory.`,
  );
}

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('closed') }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

interface Thread {
  restart(reason: string): void;
  close(): Promise<void>;
}

async function keepRunning(options: {
  readonly clusterDir: string;
  readonly socketPath: string;
  readonly onEvent: StorageEvents;
}): Promise<Thread> {
  const { onEvent } = options;
  let closing = false;
  let restarts = 0;
  let pause: NodeJS.Timeout | undefined;
  let worker = await startThread(options);
  watch(worker);

  function watch(current: Worker): void {
    current.once('exit', (code) => {
      if (!closing && current === worker) again(`the thread ended with code ${code}`);
    });
    // Without a listener an error of the thread would end the process; `exit` follows and starts it again.
    current.on('error', () => undefined);
  }

  function again(reason: string): void {
    onEvent({ kind: 'restarted', reason });
    const wait = RESTART_PAUSES_MS[Math.min(restarts, RESTART_PAUSES_MS.length - 1)];
    restarts += 1;
    pause = setTimeout(() => {
      startThread(options).then(
        (started) => {
          if (closing) return void started.terminate();
          restarts = 0;
          worker = started;
          watch(started);
        },
        (error: unknown) => {
          if (!closing) again(error instanceof Error ? error.message : String(error));
        },
      );
    }, wait);
  }

  return {
    restart(reason) {
      const stuck = worker;
      if (closing) return;
      onEvent({ kind: 'upkeep_failed', reason });
      void stuck.terminate();
    },
    async close() {
      closing = true;
      clearTimeout(pause);
      await closeThread(worker);
    },
  };
}

async function startThread({
  clusterDir,
  socketPath,
}: {
  readonly clusterDir: string;
  readonly socketPath: string;
}): Promise<Worker> {
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  rmSync(socketPath, { force: true });
  const worker = new Worker(WORKER, {
    workerData: { dataDir: clusterDir, socketPath },
    // The options of the main thread (a debugger, a loader of the tests) are not for this one.
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  try {
    await messageOf(worker, 'ready', START_LIMIT_MS);
    return worker;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

async function closeThread(worker: Worker): Promise<void> {
  const closed = messageOf(worker, 'closed', CLOSE_LIMIT_MS);
  worker.postMessage('close');
  try {
    await closed;
  } finally {
    await worker.terminate();
  }
}

function messageOf(worker: Worker, kind: 'ready' | 'closed', limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) =>
      settle(() => reject(new DatabaseError('unavailable', `the embedded database: ${reason}`)));
    const timer = setTimeout(() => fail(`not ${kind} within ${limitMs} ms`), limitMs);
    const onMessage = (message: unknown) => {
      const parsed = messageSchema.safeParse(message);
      if (!parsed.success) return;
      if (parsed.data.kind === 'failed') fail(parsed.data.message);
      else if (parsed.data.kind === kind) settle(resolve);
    };
    const onExit = (code: number) => fail(`the thread ended with code ${code}`);
    const onError = (error: Error) => fail(error.message);
    function settle(end: () => void): void {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      worker.off('error', onError);
      end();
    }
    worker.on('message', onMessage);
    worker.on('exit', onExit);
    worker.on('error', onError);
  });
}
