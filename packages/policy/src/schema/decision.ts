import type { Hook } from './content.ts';
import type { ModelNames } from './model.ts';
import type { Enforcement } from './name.ts';
import type { PipelineMode, PipelineStep } from './policy.ts';

/** Who demands a run. `global` is `default_on`; `default` an attachment that applies only when nothing else does (A3). */
export type DemandSource =
  | 'attachment'
  | 'default'
  | 'key'
  | 'team'
  | 'project'
  | 'model'
  | 'request'
  | 'global';

export interface Demand {
  readonly source: DemandSource;
  /** The policy through which it is demanded, with the version that was used. */
  readonly policy_name?: string;
  readonly policy_id?: string;
  readonly version_number?: number;
  readonly attachment_id?: string;
}

interface PlannedBase {
  /** The guardrail's name; for a pipeline its policy's name. */
  readonly name: string;
  readonly enforcement: Enforcement;
  /** False when only the caller demands it: such runs come last (C5). */
  readonly trusted: boolean;
  readonly priority: number;
  readonly demanded_by: readonly Demand[];
}

export interface PlannedGuardrail extends PlannedBase {
  readonly kind: 'guardrail';
  /** The caller's parameters; null for every run that a trusted source demands (O5). */
  readonly params: Readonly<Record<string, unknown>> | null;
}

export interface PlannedStep extends PipelineStep {
  /** The guardrail itself is in monitor: on the way of the request the step is `not_run` (reason `monitored`). */
  readonly monitored: boolean;
}

export interface PlannedPipeline extends PlannedBase {
  readonly kind: 'pipeline';
  readonly policy_id: string;
  readonly version_number: number;
  readonly mode: PipelineMode;
  readonly steps: readonly PlannedStep[];
}

export type PlannedRun = PlannedGuardrail | PlannedPipeline;

/** One way in which a policy came to apply. */
export interface Selection {
  readonly source: Exclude<DemandSource, 'model' | 'global'>;
  readonly attachment_id: string | null;
  readonly trusted: boolean;
  readonly enforcement: Enforcement;
  readonly priority: number;
}

export interface AppliedPolicy {
  readonly policy_name: string;
  readonly policy_id: string;
  readonly version_number: number;
  /** A caller with the right to do so asked for this exact version (A5). */
  readonly override: boolean;
  /** Monitor when every selection is. */
  readonly enforcement: Enforcement;
  readonly selections: readonly Selection[];
  /** The guardrails it contributes after inheritance and specialisation, sorted by name. */
  readonly guardrails: readonly string[];
  /** Descendants whose list replaces this policy's own in its trusted selections (C3). */
  readonly replaced_by: readonly string[];
}

/** The ordered runs of one request (C5), the same bytes on every replica of one revision. Deeply frozen, shared. */
export interface Plan {
  readonly hooks: Readonly<Record<Hook, readonly PlannedRun[]>>;
  readonly policies: readonly AppliedPolicy[];
  /** SHA-256 of the canonical JSON of `hooks` and `policies`, hexadecimal. */
  readonly hash: string;
}

export type RefusalCode =
  | 'unknown_policy'
  | 'unknown_guardrail'
  | 'unknown_policy_version'
  | 'policy_versions_forbidden'
  | 'client_policies_forbidden'
  | 'client_guardrails_forbidden'
  | 'policy_unresolved'
  | 'model_alias_loop';

/** Why no plan can be made. The gateway answers with the status that the error catalogue gives the code. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly names: readonly string[];
  /** Who named them: `request`, or the key, team or project whose stored settings are broken (V6). */
  readonly source: 'request' | 'key' | 'team' | 'project';
}

/** Something the caller sent that had no effect, counted and recorded. */
export interface Note {
  readonly note: 'request_params_ignored' | 'opt_out_without_effect';
  readonly names: readonly string[];
}

export interface Planned {
  readonly kind: 'planned';
  readonly revision: number;
  readonly plan: Plan;
  readonly model: ModelNames | null;
  readonly notes: readonly Note[];
}

export interface Refused {
  readonly kind: 'refused';
  readonly revision: number;
  readonly refusals: readonly Refusal[];
}

export type Decision = Planned | Refused;
