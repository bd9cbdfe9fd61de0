import type {
  CompileResult,
  Documents,
  ModelGroup,
  PolicyObjects,
  Snapshot,
  Unscanned,
} from '@portcullis/policy';

/** What the configuration file in force brings into a decision. Its objects are read-only through the API (S7). */
export interface ConfiguredObjects extends PolicyObjects {
  readonly digest: string;
  readonly modelGroups: readonly ModelGroup[];
  /** The ids of its deployments. */
  readonly modelIds: ReadonlySet<string>;
  readonly modelAliases: Readonly<Record<string, string>>;
  readonly unscanned: Unscanned | null;
  /** What `POST /policies` makes when the body does not say (V3). */
  readonly createAs: 'production' | 'draft';
}

/** The policy engine as the management routes use it: what is in force, and what would be. */
export interface PolicyEngine {
  /** The configuration file in force, or null before one is loaded. */
  configured(): ConfiguredObjects | null;
  /** The snapshot in force, or null before the first one (S2). */
  current(): Snapshot | null;
  /** Compiles as the snapshot's loader does, with the same detectors, and lets others work in between (S8). */
  compile(documents: Documents): Promise<CompileResult>;
  /**
   * Resolves when this process enforces a revision that was committed here, so that the answer comes after the swap (S5).
   * Also resolves when the loading failed or takes too long: the change is made all the same, and readiness says so.
   */
  reach(revision: number): Promise<void>;
}
