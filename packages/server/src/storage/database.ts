import { drizzle } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import { type Database, DatabaseError, type PrincipalChange, type Stores } from '../ports/database.ts';
import type { StorageEvents } from '../ports/storage-events.ts';
import { auditStore } from './audit.ts';
import { type EmbeddedServer, startEmbedded } from './embedded/embedded.ts';
import { startUpkeep, type Upkeep } from './embedded/upkeep.ts';
import { documentSource } from './documents.ts';
import { databaseError } from './faults.ts';
import { fleetStore } from './fleet.ts';
import { idempotencyStore } from './idempotency.ts';
import { keyStore } from './keys.ts';
import { logStore } from './logs/store.ts';
import { migrate, readMigrations } from './migrations.ts';
import { Notified } from './notified.ts';
import { policyStore, REVISION_CHANNEL } from './policies.ts';
import { appendPrincipalChange, PRINCIPAL_CHANNEL, principalFeed } from './principal-feed.ts';
import { invitationStore, sessionStore } from './sessions.ts';
import { submissionStore } from './submissions.ts';
import { type Queries, type Session, sessionOn, type Touched, withinTime } from './session.ts';
import { spendStore } from './spend.ts';
import { tagStore } from './tags.ts';
import { teamStore } from './teams.ts';
import { connectionOptions } from './url.ts';
import { userStore } from './users.ts';

const STATEMENT_LIMIT_MS = 10_000;
const TRANSACTION_LIMIT_MS = 15_000;
const LOCK_LIMIT_MS = 5_000;
const CONNECT_LIMIT_S = 5;
const CLOSE_LIMIT_S = 5;
/** How long after a failed attempt to prepare the tables the next one is made. */
const RETRY_MS = 1_000;

export interface DatabaseOptions {
  /** Where the embedded database lives. */
  readonly dataDir: string;
  /** A PostgreSQL to use instead, or null. */
  readonly url: string | null;
  readonly clock: Clock;
  readonly onEvent: StorageEvents;
  /** For tests. */
  readonly statementLimitMs?: number;
  readonly transactionLimitMs?: number;
}

/**
 * Opens the database and brings its tables to this version.
 *
 * A PostgreSQL that is away is no reason to fail: the database is handed out all the same, its questions fail as
 * `unavailable` until it comes back, and its tables are prepared then. A held data directory, and data that this version
 * cannot work with, are thrown.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const start = options.clock.monotonic();
  const database =
    options.url === null ? await openEmbedded(options) : await openPostgres(options, options.url);
  options.onEvent({ kind: 'opened', database: database.kind, durationMs: options.clock.monotonic() - start });
  return database;
}

async function openEmbedded(options: DatabaseOptions): Promise<Database> {
  const server = await startEmbedded(options);
  // One connection: PGlite has one backend, so a second one would only wait, and transactions could meet in it.
  const sql = postgres({
    path: server.socketPath,
    username: 'postgres',
    database: 'postgres',
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: CONNECT_LIMIT_S,
    backoff: () => 0.2,
    onnotice: () => undefined,
  });
  try {
    const prepared = preparation(sql, options);
    await prepared();
    const upkeep = embeddedUpkeep(sql, server, options);
    return assemble('embedded', sql, prepared, options, async () => {
      await upkeep.stop();
      await sql.end({ timeout: CLOSE_LIMIT_S });
      await server.close();
    });
  } catch (error) {
    await sql.end({ timeout: 0 });
    await server.close();
    throw databaseError(error);
  }
}

async function openPostgres(options: DatabaseOptions, url: string): Promise<Database> {
  const { url: address, options: fromUrl } = connectionOptions(url);
  const sql = postgres(address, {
    ...fromUrl,
    connect_timeout: CONNECT_LIMIT_S,
    backoff: (retries) => Math.min(0.1 * 2 ** retries, 2),
    onnotice: () => undefined,
    connection: {
      ...fromUrl.connection,
      statement_timeout: options.statementLimitMs ?? STATEMENT_LIMIT_MS,
      idle_in_transaction_session_timeout: options.transactionLimitMs ?? TRANSACTION_LIMIT_MS,
      lock_timeout: LOCK_LIMIT_MS,
    },
  });
  const close = () => sql.end({ timeout: CLOSE_LIMIT_S });
  const prepared = preparation(sql, options);
  try {
    await prepared();
  } catch (error) {
    const fault = databaseError(error);
    if (fault.kind !== 'unavailable' && fault.kind !== 'timeout') {
      await close();
      throw fault;
    }
    options.onEvent({ kind: 'unavailable', reason: fault.message });
  }
  return assemble('postgres', sql, prepared, options, close);
}

/** Prepares the tables once; after a failure again, but not more often than every second. */
function preparation(sql: Sql, { clock, onEvent }: DatabaseOptions): () => Promise<void> {
  const migrations = readMigrations();
  let running: Promise<void> | undefined;
  let failed: { readonly at: number; readonly error: DatabaseError } | undefined;
  return async () => {
    if (failed !== undefined && clock.monotonic() - failed.at < RETRY_MS) throw failed.error;
    running ??= migrate(sql, migrations, onEvent).catch((error: unknown) => {
      running = undefined;
      failed = { at: clock.monotonic(), error: databaseError(error) };
      throw failed.error;
    });
    await running;
  };
}

function assemble(
  kind: Database['kind'],
  sql: Sql,
  prepared: () => Promise<void>,
  options: DatabaseOptions,
  release: () => Promise<void>,
): Database {
  const statementLimitMs = options.statementLimitMs ?? STATEMENT_LIMIT_MS;
  const transactionLimitMs = options.transactionLimitMs ?? TRANSACTION_LIMIT_MS;
  const queries: Queries = drizzle(sql);
  const listeners: ((change: PrincipalChange) => void)[] = [];
  const shared = kind === 'postgres' ? sql : null;
  const revisions = new Notified(shared, REVISION_CHANNEL, statementLimitMs);
  const principals = new Notified(shared, PRINCIPAL_CHANNEL, statementLimitMs);
  let closed: Promise<void> | undefined;

  const ready = async (): Promise<Queries> => {
    if (closed !== undefined) throw new DatabaseError('unavailable', 'the database is closed');
    await prepared();
    return queries;
  };

  const reading = sessionOn(ready, null, statementLimitMs);
  return {
    kind,
    stores: storesOn(reading),
    documents: documentSource(reading, revisions),
    principals: principalFeed(reading, principals),

    async transaction(work) {
      const scope: Scope = {
        touched: { keys: new Set(), teams: new Set(), users: new Set(), revision: null },
        over: false,
      };
      try {
        return await withinTime(transactionLimitMs, async () => {
          const open = await ready();
          try {
            return await open.transaction((tx) => bounded(tx, scope, work));
          } finally {
            // Also after a failure: a commit whose answer was lost may have been done.
            const { keys, teams, users } = scope.touched;
            if (keys.size + teams.size + users.size > 0) {
              for (const listener of listeners) listener(scope.touched);
            }
            if (scope.touched.revision !== null) revisions.tell(scope.touched.revision);
          }
        });
      } finally {
        scope.over = true;
      }
    },

    onPrincipalChange(listener) {
      listeners.push(listener);
    },

    async ping() {
      await withinTime(statementLimitMs, async () => {
        await ready();
        await sql`select 1`;
      });
    },

    close() {
      closed ??= release();
      return closed;
    },
  };

  /** Rejects when the time is over, which makes the driver roll back; the stores are dead from then on. */
  async function bounded<T>(tx: Queries, scope: Scope, work: (stores: Stores) => Promise<T>): Promise<T> {
    const alive = (): Queries => {
      if (scope.over) throw new DatabaseError('timeout', 'the time of the transaction is over');
      return tx;
    };
    alive();
    const session = sessionOn(alive, scope.touched, statementLimitMs);
    try {
      // A little less than the limit around it, so that the rollback is under way before anybody gives up waiting.
      const result = await withinTime(transactionLimitMs * 0.9, async () => {
        const result = await work(storesOn(session));
        const { keys, teams, users } = scope.touched;
        if (keys.size + teams.size + users.size > 0) await appendPrincipalChange(session, scope.touched);
        return result;
      });
      alive();
      return result;
    } finally {
      scope.over = true;
    }
  }
}

/** One transaction: what it has written, and whether anybody still waits for it. */
interface Scope {
  readonly touched: Touched;
  over: boolean;
}

function storesOn(session: Session): Stores {
  return {
    keys: keyStore(session),
    teams: teamStore(session),
    users: userStore(session),
    sessions: sessionStore(session),
    invitations: invitationStore(session),
    tags: tagStore(session),
    spend: spendStore(session),
    audit: auditStore(session),
    logs: logStore(session),
    policies: policyStore(session),
    idempotency: idempotencyStore(session),
    submissions: submissionStore(session),
    fleet: fleetStore(session),
  };
}

const writtenSchema = z.tuple([z.object({ bytes: z.coerce.number() })]);

function embeddedUpkeep(sql: Sql, server: EmbeddedServer, { clock, onEvent }: DatabaseOptions): Upkeep {
  return startUpkeep(
    {
      async written() {
        const rows = await sql`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as bytes`;
        return writtenSchema.parse([...rows])[0].bytes;
      },
      async checkpoint() {
        await sql`checkpoint`;
      },
      async vacuum() {
        await sql`vacuum (analyze)`;
      },
      mark: () => server.lock.mark(),
      hangs: () => server.restart('it has not answered for a minute'),
    },
    clock,
    onEvent,
  );
}
