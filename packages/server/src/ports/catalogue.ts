import type { Identity } from './identity.ts';

/** A guardrail as people list it. Several configurations may share one name. */
export interface ListedGuardrail {
  readonly name: string;
  readonly ids: readonly string[];
  readonly provider: string;
  readonly mode: unknown;
  readonly description: string | null;
}

/** One usable version of a policy. */
export interface ListedPolicy {
  readonly policyId: string;
  readonly name: string;
  readonly version: number;
  readonly description: string | null;
}

/** One deployment as a caller may see it. */
export interface ListedModel {
  readonly id: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** What is active at this moment, for lists that also show what nothing has happened to yet. */
export interface Catalogue {
  guardrails(): readonly ListedGuardrail[];
  policies(): readonly ListedPolicy[];
  /** The deployments that somebody may call; null before the first snapshot. */
  models(identity: Identity): readonly ListedModel[] | null;
}
