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

/** What is active at this moment, for lists that also show what nothing has happened to yet. */
export interface Catalogue {
  guardrails(): readonly ListedGuardrail[];
  policies(): readonly ListedPolicy[];
}
