import type { AuditLog } from './audit.ts';
import type { FleetStore } from './fleet.ts';
import type { IdempotencyStore } from './idempotency.ts';
import type { KeyStore } from './keys.ts';
import type { LogStore } from './logs.ts';
import type { SpendStore } from './limits.ts';
import type { DocumentSource, PolicyStore } from './policy-store.ts';
import type { PrincipalFeed } from './principal-feed.ts';
import type { InvitationStore, SessionStore } from './sessions.ts';
import type { SubmissionStore } from './submissions.ts';
import type { TagStore } from './tags.ts';
import type { TeamStore } from './teams.ts';
import type { UserStore } from './users.ts';

/**
 * Why the database did not do what was asked.
 * - `unavailable`: it could not be reached. Nothing is known to have happened, except that a write may have been done.
 * - `timeout`: it did not answer in time; the same holds.
 * - `conflict`: another row or another writer stands against it; nothing was done.
 * - `locked`: another process holds the data directory.
 * - `incompatible`: the data were made by a version this one cannot work with.
 * - `fault`: anything else.
 */
export type DatabaseErrorKind = 'unavailable' | 'timeout' | 'conflict' | 'locked' | 'incompatible' | 'fault';

/** The only error that leaves storage. Its message is for operators and holds no data of a row. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly kind: DatabaseErrorKind;
  /** The constraint that a conflict is about, when there is one. */
  readonly constraint: string | null;

  constructor(
    kind: DatabaseErrorKind,
    message: string,
    options: { cause?: unknown; constraint?: string | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.constraint = options.constraint ?? null;
  }
}

/** One store per aggregate, all bound to one connection or one transaction. */
export interface Stores {
  readonly keys: KeyStore;
  readonly teams: TeamStore;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly invitations: InvitationStore;
  readonly tags: TagStore;
  readonly spend: SpendStore;
  readonly audit: AuditLog;
  readonly logs: LogStore;
  readonly policies: PolicyStore;
  readonly idempotency: IdempotencyStore;
  readonly submissions: SubmissionStore;
  readonly fleet: FleetStore;
}

/** Which principals a committed transaction has changed (S10). */
export interface PrincipalChange {
  /** Token hashes. */
  readonly keys: ReadonlySet<string>;
  readonly teams: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
}

/** Where everything is kept. Failures are thrown as {@link DatabaseError}. */
export interface Database {
  readonly kind: 'embedded' | 'postgres';
  /** For reads outside a transaction. */
  readonly stores: Stores;
  /** What the snapshot is loaded from. */
  readonly documents: DocumentSource;
  /** What copies of keys, teams and users are kept up to date with, when other processes change them. */
  readonly principals: PrincipalFeed;
  /**
   * Does `work` completely or not at all. The stores handed in are of no use after `work` has ended or its time is over.
   */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Calls `listener` after each transaction of this process that changed keys, teams or users, also when its end is unknown. */
  onPrincipalChange(listener: (change: PrincipalChange) => void): void;
  /** Asks the database for nothing: proves that it answers. */
  ping(): Promise<void>;
  /** Lets running work end, then lets go of everything. */
  close(): Promise<void>;
}
