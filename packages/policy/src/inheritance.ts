/** What a policy's guardrail list is after inheritance (I1-I3). */
import { ABSENT, both, either, type Level, TRUSTED } from './level.ts';
import type { Policy } from './schema/policy.ts';

/** One policy of a chain, with the number of its condition, or -1 without one (K3). */
export interface ChainLink {
  readonly policy: Policy;
  readonly condition: number;
}

/** A policy version with everything that depends on the documents alone. */
export interface CompiledPolicy {
  readonly policy: Policy;
  /** The number of its own condition, or -1. */
  readonly condition: number;
  /** Root first, the policy itself last. */
  readonly chain: readonly ChainLink[];
  /** The names of the proper ancestors. */
  readonly ancestors: ReadonlySet<string>;
  /** Names locked anywhere in the chain, the policy included (I5, C3). */
  readonly locked: ReadonlySet<string>;
  /** The list when every ancestor's condition holds, sorted by name. */
  readonly list: readonly string[];
  /** Whether an ancestor has a condition, so that the list depends on the request's model (I3). */
  readonly gated: boolean;
  /** The guardrails named in the steps of its pipeline. */
  readonly stepNames: ReadonlySet<string>;
}

/** A guardrail list; the level says whether the caller's spelling of the model was needed to put a name on it. */
export type LevelledList = ReadonlyMap<string, Level>;

/** Builds a compiled policy from its chain, root first. */
export function compilePolicy(chain: readonly ChainLink[]): CompiledPolicy {
  const self = chain.at(-1);
  if (self === undefined) throw new TypeError('a chain holds at least the policy itself');
  const ancestors = chain.slice(0, -1);
  const { policy, condition } = self;
  return Object.freeze({
    policy,
    condition,
    chain,
    ancestors: new Set(ancestors.map((link) => link.policy.policy_name)),
    locked: new Set(chain.flatMap((link) => link.policy.guardrails_lock)),
    list: Object.freeze([...applyChain(chain, () => TRUSTED).keys()].sort()),
    gated: ancestors.some((link) => link.condition !== -1),
    stepNames: new Set(policy.pipeline?.steps.map((step) => step.guardrail)),
  });
}

/** The list for one request: an ancestor whose condition does not hold loses its own operations alone (I3). */
export function resolveList(
  compiled: CompiledPolicy,
  conditionLevel: (condition: number) => Level,
): LevelledList {
  if (!compiled.gated) return new Map(compiled.list.map((name) => [name, TRUSTED]));
  return applyChain(compiled.chain, conditionLevel);
}

/**
 * Applies a chain root first: each policy adds, then removes (I1). A removal needs a condition that holds through trusted
 * facts, because a caller's spelling may add protection and never take it away (M7).
 */
function applyChain(chain: readonly ChainLink[], conditionLevel: (condition: number) => Level): LevelledList {
  const list = new Map<string, Level>();
  for (const [index, { policy, condition }] of chain.entries()) {
    // Whether the leaf applies at all was decided before; here its condition has nothing more to say.
    const isLeaf = index === chain.length - 1;
    const level = isLeaf || condition === -1 ? TRUSTED : both(TRUSTED, conditionLevel(condition));
    if (level === ABSENT) continue;
    for (const name of policy.guardrails_add) list.set(name, either(list.get(name) ?? ABSENT, level));
    if (level !== TRUSTED) continue;
    for (const name of policy.guardrails_remove) list.delete(name);
  }
  return list;
}
