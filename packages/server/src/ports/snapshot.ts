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

/** What readiness says about loading (S2). */
export interface SnapshotStatus {
  /** Null before the first snapshot. */
  readonly revision: number | null;
  readonly digest: string | null;
  readonly loadedAtMs: number | null;
  /** Why the newest attempt failed and the last good snapshot is kept; null when the newest attempt succeeded. */
  readonly problem: string | null;
}
