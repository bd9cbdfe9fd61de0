import type { Database, Stores } from '../ports/database.ts';
import { ALIVE_MS, type ReplicaReport } from '../ports/fleet.ts';
import type { SnapshotStatus } from '../ports/snapshot.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** Often enough that two reports may be lost before a replica counts as gone. */
const EVERY_MS = 4_000;
/** How long news of revisions alone are gathered. */
const GATHER_MS = 250;

export interface FleetParts {
  readonly database: Pick<Database, 'stores'>;
  readonly self: Pick<ReplicaReport, 'replicaId' | 'host' | 'pid' | 'version' | 'startedAtMs'>;
  readonly status: () => SnapshotStatus;
}

/** Tells the other replicas how this one is: every few seconds, and at once when it changes (S5). */
export class FleetMember {
  readonly #parts: FleetParts;
  #timer: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;
  #told: ReplicaReport | null = null;
  #left = false;
  /** The configuration file that a revision is being taken for. */
  #claimed: string | null = null;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  get replicaId(): string {
    return this.#parts.self.replicaId;
  }

  /** Begins to report. Resolves after the first report, written or not. */
  start(): Promise<void> {
    this.#timer = setInterval(() => void this.#report(), EVERY_MS).unref();
    return this.#report();
  }

  /** Reports a new state or problem at once, and new revisions soon: a burst of them is one report. */
  changed(): void {
    if (this.#timer === null || this.#left) return;
    const { state, problem, revision } = this.#current();
    const told = this.#told;
    if (told?.state === state && told.problem === problem && told.revision === revision) return;
    if (told?.problem !== problem) void this.#report();
    else this.#soon ??= setTimeout(() => void this.#report(), GATHER_MS).unref();
  }

  /** Whether no replica that lives has this configuration file. */
  async isOrphaned(digest: string): Promise<boolean> {
    const replicas = await this.#parts.database.stores.fleet.list();
    return !replicas.some(
      ({ replicaId, configDigest, heartbeatAgeMs }) =>
        replicaId !== this.replicaId && configDigest === digest && heartbeatAgeMs < ALIVE_MS,
    );
  }

  /**
   * Says in the same transaction that takes a revision for a configuration file that this replica has the file: nobody may
   * find the revision and no replica that it belongs to.
   */
  async claim({ fleet }: Pick<Stores, 'fleet'>, digest: string): Promise<void> {
    this.#claimed = digest;
    await fleet.report(this.#current());
  }

  /** The revision was not taken after all. */
  unclaim(): void {
    this.#claimed = null;
  }

  /** Takes this replica out of the list. */
  async leave(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#left = true;
    // Nobody waits at the end for a database that is away: the report grows old by itself.
    if (this.#parts.status().state !== 'database_away') await this.#report();
  }

  readonly #report = oneAtATime(async () => {
    const { fleet } = this.#parts.database.stores;
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#soon = null;
    const report = this.#current();
    try {
      if (this.#left) await fleet.leave(report.replicaId);
      else await fleet.report(report);
      this.#told = report;
    } catch {
      // The missing report says it to the others; readiness says it here.
    }
  });

  #current(): ReplicaReport {
    const { self, status } = this.#parts;
    const { state, revision, digest, rejectedRevision, problem, problemSinceMs } = status();
    if (this.#claimed === digest) this.#claimed = null;
    const configDigest = this.#claimed ?? digest;
    return { ...self, state, revision, configDigest, rejectedRevision, problem, problemSinceMs };
  }
}
