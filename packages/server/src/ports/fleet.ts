import type { SnapshotState } from './snapshot.ts';

/** What a replica says of itself. Moments are in milliseconds since the epoch. */
export interface ReplicaReport {
  readonly replicaId: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAtMs: number;
  readonly state: SnapshotState;
  readonly revision: number | null;
  readonly configDigest: string | null;
  readonly rejectedRevision: number | null;
  readonly problem: string | null;
  readonly problemSinceMs: number | null;
}

/** A report as it is kept, with its age on the clock of the database. */
export interface Replica extends Omit<ReplicaReport, 'state'> {
  readonly state: string;
  readonly heartbeatAtMs: number;
  readonly heartbeatAgeMs: number;
}

/** The replicas of this database. */
export interface FleetStore {
  /** Writes a report with the time of the database, and removes those of long ago. */
  report(report: ReplicaReport): Promise<void>;
  /** Takes a replica that stops out of the list. */
  leave(replicaId: string): Promise<void>;
  /** The longest-running first. */
  list(): Promise<readonly Replica[]>;
}

/** How old the last report of a replica that lives may be. */
export const ALIVE_MS = 15_000;
