/** The frozen result of compiling the documents: everything a decision reads besides its context (S1). */
import { BoundedCache } from './cache.ts';
import type { GuardrailEntry } from './check-guardrails.ts';
import type { ConditionMatcher } from './condition.ts';
import type { CompiledPolicy } from './inheritance.ts';
import { LIMITS } from './limits.ts';
import type { AttachmentIndex } from './match.ts';
import type { ModelFacts, ModelIndex } from './models.ts';
import type { PatternTable } from './patterns.ts';
import type { PrincipalFacts } from './principal.ts';
import type { Principal } from './schema/context.ts';
import type { Hook } from './schema/content.ts';
import type { Plan } from './schema/decision.ts';
import type { Documents } from './schema/documents.ts';
import type { Guardrail } from './schema/guardrail.ts';
import type { ModelCondition, Unscanned } from './schema/policy.ts';

/** What the engine knows of a guardrail name; the configurations of one name agree on all of it. */
export interface CompiledGuardrail {
  readonly name: string;
  /** All configurations of this name, in document order; the runner balances between them by weight. */
  readonly configurations: readonly Guardrail[];
  /** Hooks that need no tag; for a tag mode the default ones. */
  readonly hooks: readonly Hook[];
  /** The tag mode: the number of each tag's exact pattern with the hooks it selects; empty without a tag mode. */
  readonly tagHooks: readonly { readonly tag: number; readonly hooks: readonly Hook[] }[];
  readonly monitored: boolean;
  readonly priority: number | null;
  readonly default_on: boolean;
  readonly opt_out: boolean;
  readonly request_params: ReadonlySet<string>;
}

/** One distinct condition, shared by all policies that state it. */
export interface CompiledCondition {
  readonly condition: ModelCondition;
  readonly matches: ConditionMatcher;
}

/**
 * What was computed once and may be forgotten. Entries depend on the snapshot and their key alone, so the caches never
 * change an answer; they keep `decide` a pure function.
 */
export interface SnapshotCaches {
  readonly plans: BoundedCache<Plan>;
  readonly models: BoundedCache<ModelFacts>;
  readonly principals: WeakMap<Principal, PrincipalFacts>;
}

export interface Snapshot {
  readonly revision: number;
  readonly documents: Documents;
  readonly settings: { readonly unscanned: Unscanned | null };
  readonly guardrails: ReadonlyMap<string, CompiledGuardrail>;
  /** What the detectors of each name can do, for checks of what is written later. */
  readonly guardrailEntries: ReadonlyMap<string, GuardrailEntry>;
  /** The guardrails with `default_on` (O1), sorted by name. */
  readonly globals: readonly CompiledGuardrail[];
  /** Production versions by name. */
  readonly production: ReadonlyMap<string, CompiledPolicy>;
  /** Every usable version by its id (A5, V8). */
  readonly versions: ReadonlyMap<string, CompiledPolicy>;
  readonly conditions: readonly CompiledCondition[];
  readonly patterns: PatternTable;
  readonly attachments: AttachmentIndex;
  readonly models: ModelIndex;
  readonly caches: SnapshotCaches;
}

export function emptyCaches(): SnapshotCaches {
  return Object.freeze({
    plans: new BoundedCache<Plan>(LIMITS.planCacheEntries),
    models: new BoundedCache<ModelFacts>(1_000),
    principals: new WeakMap<Principal, PrincipalFacts>(),
  });
}
