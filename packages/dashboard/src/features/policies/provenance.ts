import type { PolicyRow } from '../../api/policies.ts';

/** What a version says, as far as its list of guardrails goes. */
export type PolicyContent = Pick<
  PolicyRow,
  'policy_name' | 'inherit' | 'guardrails_add' | 'guardrails_remove' | 'guardrails_lock' | 'condition'
>;

/** One guardrail of a policy's list, or one that a policy of its chain has taken out again. */
export interface ListedGuardrail {
  readonly name: string;
  readonly addedBy: string;
  /** The policy that removed it; null when it runs. */
  readonly removedBy: string | null;
  readonly lockedBy: string | null;
  /** It is added only where this ancestor's condition holds (I3). */
  readonly onlyWhen: PolicyContent | null;
}

export interface ResolvedContent {
  /** From the root to the policy itself. */
  readonly chain: readonly PolicyContent[];
  readonly guardrails: readonly ListedGuardrail[];
  /** Why the chain cannot be followed. */
  readonly problem: string | null;
}

const MOST = 32;

/**
 * Applies a chain root first: each policy adds, then removes (I1). For showing where a guardrail comes from, also while
 * somebody types; what counts is what the gateway says when it is saved.
 * @param parents production versions by name
 */
export function resolveContent(
  content: PolicyContent,
  parents: ReadonlyMap<string, PolicyContent>,
): ResolvedContent {
  const chain: PolicyContent[] = [content];
  let problem: string | null = null;
  for (let next = content.inherit; next !== null; ) {
    const path = [...chain.map(({ policy_name }) => policy_name).toReversed(), next];
    if (chain.some(({ policy_name }) => policy_name === next)) {
      problem = `It inherits itself: ${path.toReversed().join(' → ')}`;
      break;
    }
    const parent = parents.get(next);
    if (parent === undefined) {
      problem = `“${next}” has no production version to inherit from.`;
      break;
    }
    if (chain.length === MOST) {
      problem = `A chain has at most ${MOST} policies.`;
      break;
    }
    chain.unshift(parent);
    next = parent.inherit;
  }
  const listed = new Map<string, ListedGuardrail>();
  for (const policy of chain) {
    const { policy_name, guardrails_add, guardrails_remove, guardrails_lock } = policy;
    const onlyWhen = policy !== content && policy.condition?.model !== undefined ? policy : null;
    for (const name of guardrails_add) {
      const known = listed.get(name);
      if (known !== undefined && known.removedBy === null) continue;
      listed.set(name, { name, addedBy: policy_name, removedBy: null, lockedBy: null, onlyWhen });
    }
    for (const name of guardrails_remove) {
      const known = listed.get(name);
      if (known !== undefined) listed.set(name, { ...known, removedBy: policy_name });
    }
    for (const name of guardrails_lock) {
      const known = listed.get(name);
      if (known !== undefined && known.lockedBy === null)
        listed.set(name, { ...known, lockedBy: policy_name });
    }
  }
  const guardrails = [...listed.values()].toSorted(
    (a, b) => Number(a.removedBy !== null) - Number(b.removedBy !== null) || (a.name < b.name ? -1 : 1),
  );
  return { chain, guardrails, problem };
}

/** The production version of each name. */
export function productionByName(policies: readonly PolicyRow[]): ReadonlyMap<string, PolicyRow> {
  return new Map(
    policies
      .filter(
        ({ version_status, shadowed_by }) => version_status === 'production' && shadowed_by === undefined,
      )
      .map((row) => [row.policy_name, row]),
  );
}
