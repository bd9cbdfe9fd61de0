import type { Runtime, UnscannedDefaults } from '@portcullis/guardrails';
import type { Snapshot } from '@portcullis/policy';
import type { DeployedGroup } from './models.ts';

/**
 * Everything that can influence a request, built aside and swapped by one assignment (S1). A request reads it once.
 */
export interface ActiveSnapshot {
  readonly revision: number;
  readonly policy: Snapshot;
  readonly runtime: Runtime;
  /** Model groups by name; wildcard groups end in `*`. */
  readonly groups: ReadonlyMap<string, DeployedGroup>;
  /** The `unscanned` settings outside the guardrails (E9). */
  readonly unscanned: UnscannedDefaults;
  readonly settings: GatewaySettings;
}

export interface GatewaySettings {
  /** Header that carries the key besides the standard ones, lower case, or null. */
  readonly keyHeaderName: string | null;
  /** A proxy before this gateway says who the client is (`use_x_forwarded_for`). */
  readonly useForwardedFor: boolean;
  readonly addUserAgentTags: boolean;
  readonly maxRequestBytes: number;
  /** Whole time all guardrails of one hook may take, in milliseconds. */
  readonly guardrailBudgetMs: number;
  /** Characters of one streamed answer that may be held when a guardrail needs the whole. */
  readonly streamBufferCharacters: number;
  /** Prompts and answers are stored with every request (`store_prompts_in_spend_logs`). */
  readonly storePrompts: boolean;
}

/** Holds the active snapshot, and counts who uses it, so that a replaced one is freed after its last request. */
export interface SnapshotHolder {
  /** The active one, or null as long as none was ever loaded (S2: `policy_not_ready`). */
  current(): ActiveSnapshot | null;
  /** The active one, kept alive until {@link release} is called once for this call. */
  acquire(): ActiveSnapshot | null;
  release(snapshot: ActiveSnapshot): void;
  /** Resolves when this revision or a later one is active, or with false after `limitMs` (S6). */
  reached(revision: number, limitMs: number): Promise<boolean>;
}

/**
 * How this process stands to the newest revision.
 * - `starting`: nothing is in force yet, and nothing has gone wrong.
 * - `in_force`: the newest revision known is enforced.
 * - `behind`: a newer one is being loaded.
 * - `rejected`: the newest one cannot be loaded.
 * - `config_refused`: the configuration file was changed and cannot be used; the one before is in force.
 * - `config_mismatch`: the newest one was made with another configuration file (S9).
 * - `database_away`: the newest one cannot be asked for.
 */
export type SnapshotState =
  | 'starting'
  | 'in_force'
  | 'behind'
  | 'rejected'
  | 'config_refused'
  | 'config_mismatch'
  | 'database_away';

/** What readiness and the fleet view say about loading (S2). */
export interface SnapshotStatus {
  readonly state: SnapshotState;
  /** What is in force: null before the first snapshot. */
  readonly revision: number | null;
  readonly digest: string | null;
  readonly loadedAtMs: number | null;
  /** Where it came from: `configuration` alone only where a database cannot hold anything yet. */
  readonly origin: 'database' | 'last_known_good' | 'configuration' | null;
  /** The newest revision of the database that was heard of. */
  readonly headRevision: number | null;
  /** A revision that cannot be loaded here. */
  readonly rejectedRevision: number | null;
  /** Why the newest is not in force and the last good snapshot is kept, and since when; null when it is. */
  readonly problem: string | null;
  readonly problemSinceMs: number | null;
  /** Why the last known good on disk cannot be used or written; null when it can. */
  readonly lastGoodProblem: string | null;
}
