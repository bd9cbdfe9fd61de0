/** What differs between two policy versions, as written and as resolved (Q3). */
import { canonicalJson } from './canonical.ts';
import type { Policy } from './schema/policy.ts';
import type { Snapshot } from './snapshot.ts';

const COMPARED_FIELDS = [
  'inherit',
  'description',
  'guardrails_add',
  'guardrails_remove',
  'guardrails_lock',
  'condition',
  'pipeline',
  'unscanned',
] as const;
type ComparedField = (typeof COMPARED_FIELDS)[number];

export interface FieldDiff {
  readonly version_a: unknown;
  readonly version_b: unknown;
}

export interface Comparison {
  /** Only fields that differ; the order of a list counts. */
  readonly field_diffs: Partial<Record<ComparedField, FieldDiff>>;
  /** `null` for a version that the snapshot does not hold. */
  readonly resolved_guardrails: {
    readonly version_a: readonly string[] | null;
    readonly version_b: readonly string[] | null;
    readonly only_a: readonly string[];
    readonly only_b: readonly string[];
  };
}

export function comparePolicies(snapshot: Snapshot, a: Policy, b: Policy): Comparison {
  const differing = COMPARED_FIELDS.filter((field) => canonicalJson(a[field]) !== canonicalJson(b[field]));
  const field_diffs: Partial<Record<ComparedField, FieldDiff>> = {};
  for (const field of differing) field_diffs[field] = { version_a: a[field], version_b: b[field] };
  const listA = resolvedGuardrails(snapshot, a.policy_id);
  const listB = resolvedGuardrails(snapshot, b.policy_id);
  return {
    field_diffs,
    resolved_guardrails: {
      version_a: listA,
      version_b: listB,
      only_a: (listA ?? []).filter((name) => !listB?.includes(name)),
      only_b: (listB ?? []).filter((name) => !listA?.includes(name)),
    },
  };
}

/**
 * The guardrails of one version after inheritance, sorted (V8). There is no request, so every condition of the chain is
 * taken to hold. `null` for a version that the snapshot does not hold.
 */
export function resolvedGuardrails(snapshot: Snapshot, policyId: string): readonly string[] | null {
  return snapshot.versions.get(policyId)?.list ?? null;
}
