import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import { DatabaseError } from '../../ports/database.ts';

/**
 * The lock of a data directory. Two processes on one embedded database lose rows without any error, so a lock is taken
 * over only when its holder is known to be gone.
 */

const FILE = 'portcullis.lock';
/** A holder whose process id means nothing here (another container or host) is alive while its mark is younger. */
const MARK_VALID_MS = 15_000;
const PROBE_MS = 1_000;

const holderSchema = z.object({
  pid: z.number().int(),
  host: z.string(),
  /** The boot and the process id space in which `pid` means something, and when that process started; null if unknown. */
  boot: z.string().nullable(),
  space: z.string().nullable(),
  started: z.string().nullable(),
  socket: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

export interface DirectoryLock {
  /** What was taken over from a process that is gone, or null. */
  readonly takenFrom: string | null;
  /** Renews the mark that this process is alive. */
  mark(): void;
  release(): void;
}

/** Takes the lock of `directory`, or says who holds it. `socket` is where the holder's database will listen. */
export async function lockDirectory(directory: string, socket: string, clock: Clock): Promise<DirectoryLock> {
  const file = join(directory, FILE);
  const own = ownHolder(socket);
  let takenFrom: string | null = null;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (create(file, own)) return held(file, own, takenFrom, clock);
    const found = read(file);
    if (found === undefined) continue;
    if (found.holder !== null && (await isAlive(found.holder, file, clock))) {
      throw new DatabaseError('locked', lockedMessage(directory, file, found.holder));
    }
    takenFrom = found.holder === null ? 'an unreadable lock' : `process ${found.holder.pid}`;
    if (!removeExactly(file, found.text)) takenFrom = null;
  }
  throw new DatabaseError(
    'locked',
    `the lock ${file} changes hands; another Portcullis is starting in ${directory}`,
  );
}

function lockedMessage(directory: string, file: string, { pid, host }: Holder): string {
  return (
    `the data directory ${directory} is in use by process ${pid} on ${host}. ` +
    `Stop that process, or give this one another data directory. ` +
    `If no Portcullis runs there any more, remove ${file}.`
  );
}

function held(file: string, own: Holder, takenFrom: string | null, clock: Clock): DirectoryLock {
  const text = JSON.stringify(own);
  return {
    takenFrom,
    mark() {
      const now = clock.now() / 1000;
      try {
        utimesSync(file, now, now);
      } catch {
        // The file is gone only when somebody removed it by hand; the socket still shows that this process lives.
      }
    },
    release() {
      removeExactly(file, text);
    },
  };
}

/** Writes the file completely and then gives it its name, so that nobody ever reads half of it. */
function create(file: string, own: Holder): boolean {
  const draft = `${file}.${process.pid}.new`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, JSON.stringify(own));
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function read(file: string): { text: string; holder: Holder | null } | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return { text, holder: holderSchema.parse(JSON.parse(text)) };
  } catch {
    return { text, holder: null };
  }
}

/** Removes the lock if it still is the one that was looked at; puts back what another process wrote meanwhile. */
function removeExactly(file: string, text: string): boolean {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    if (readFileSync(aside, 'utf8') === text) return true;
    linkSync(aside, file);
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}

async function isAlive(holder: Holder, file: string, clock: Clock): Promise<boolean> {
  const own = ownHolder('');
  const sameSpace = holder.host === own.host && holder.boot === own.boot && holder.space === own.space;
  if (sameSpace) {
    if (!processExists(holder.pid)) return false;
    const started = startOf(holder.pid);
    // The number of a process that is gone may have been given to another.
    return started === null || holder.started === null || started === holder.started;
  }
  if (holder.boot !== null && holder.host === own.host && holder.boot !== own.boot) return false;
  if (await answers(holder.socket)) return true;
  const age = ageOf(file, clock);
  return age !== null && age < MARK_VALID_MS;
}

function ageOf(file: string, clock: Clock): number | null {
  try {
    return clock.now() - statSync(file).mtimeMs;
  } catch {
    return null;
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection({ path: socket });
    const end = (alive: boolean) => {
      connection.destroy();
      resolve(alive);
    };
    connection.setTimeout(PROBE_MS, () => end(true));
    connection.once('connect', () => end(true));
    connection.once('error', () => end(false));
  });
}

function ownHolder(socket: string): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    boot: textOf('/proc/sys/kernel/random/boot_id'),
    space: spaceOfProcesses(),
    started: startOf(process.pid),
    socket,
  };
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process that may not be signalled is one that is there.
    return isCode(error, 'EPERM');
  }
}

/** When a process started, in ticks since the boot: field 22, counted after the name, which may hold spaces. */
function startOf(pid: number): string | null {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function spaceOfProcesses(): string | null {
  try {
    return String(statSync('/proc/self/ns/pid').ino);
  } catch {
    return null;
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
