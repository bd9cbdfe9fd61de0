import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import type { Clock } from '../../src/ports/clock.ts';
import type { NewKey } from '../../src/ports/keys.ts';
import type { SetBy } from '../../src/ports/protection.ts';
import type { StorageEvent } from '../../src/ports/storage-events.ts';
import type { NewTeamRecord } from '../../src/ports/teams.ts';
import { startEmbedded } from '../../src/storage/embedded/embedded.ts';

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A clock that stands still until it is told. */
export function stillClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): void } {
  let elapsed = 0;
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    advance(ms) {
      elapsed += ms;
    },
  };
}

export interface Recorder {
  readonly events: StorageEvent[];
  readonly onEvent: (event: StorageEvent) => void;
}

export function recorder(): Recorder {
  const events: StorageEvent[] = [];
  return { events, onEvent: (event) => events.push(event) };
}

/** A directory that is removed at the end. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const TEMPLATE = fileURLToPath(new URL('../../../../.cache/pglite-18-template', import.meta.url));

/**
 * A data directory in which the embedded database has been made already, without any tables. Making one takes seconds of
 * a whole core, so it is done once and copied.
 */
export async function preparedDirectory(): Promise<ReturnType<typeof temporaryDirectory>> {
  const directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  if (existsSync(TEMPLATE)) {
    cpSync(TEMPLATE, cluster, { recursive: true });
    return directory;
  }
  const server = await startEmbedded({ dataDir: directory.path, clock: realClock, ...recorder() });
  await server.close();
  const draft = `${TEMPLATE}.${process.pid}`;
  mkdirSync(join(TEMPLATE, '..'), { recursive: true });
  cpSync(cluster, draft, { recursive: true });
  try {
    renameSync(draft, TEMPLATE);
  } catch {
    // Another suite was faster; its copy is as good.
    rmSync(draft, { recursive: true, force: true });
  }
  return directory;
}

let databases = 0;

/** A database of its own on the server of `url`, so that suites can run at once. */
export async function temporaryDatabase(url: string): Promise<{ url: string; remove(): Promise<void> }> {
  databases += 1;
  const name = `portcullis_test_${process.pid}_${databases}`;
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`drop database if exists ${name} with (force)`);
  await admin.unsafe(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    async remove() {
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

export const ADMIN: SetBy = { by: 'alice', role: 'proxy_admin', atMs: 1_000 };
export const USER: SetBy = { by: 'bob', role: 'internal_user', atMs: 2_000 };

/** 64 hexadecimal digits that end in `text`, made of its bytes. */
export function hashLike(text: string): string {
  return Buffer.from(text).toString('hex').padStart(64, '0').slice(-64);
}

export function newKey(name: string, over: Partial<NewKey> = {}): NewKey {
  return {
    tokenHash: hashLike(name),
    keyName: `sk-...${name.slice(-4)}`,
    alias: { value: name, setBy: ADMIN },
    teamId: null,
    userId: null,
    organizationId: null,
    models: [],
    metadata: {},
    protection: {},
    limits: {},
    accountId: hashLike(name),
    keyType: 'default',
    blocked: false,
    expiresAtMs: null,
    createdAtMs: 1_700_000_000_000,
    createdBy: 'alice',
    updatedAtMs: 1_700_000_000_000,
    updatedBy: 'alice',
    ...over,
  };
}

export function newTeam(teamId: string, over: Partial<NewTeamRecord> = {}): NewTeamRecord {
  return {
    teamId,
    alias: { value: `alias of ${teamId}`, setBy: ADMIN },
    organizationId: null,
    members: [],
    models: [],
    metadata: {},
    protection: {},
    limits: {},
    blocked: false,
    createdAtMs: 1_700_000_000_000,
    createdBy: 'alice',
    updatedAtMs: 1_700_000_000_000,
    updatedBy: 'alice',
    ...over,
  };
}
