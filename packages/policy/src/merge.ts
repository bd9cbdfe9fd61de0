/** Puts the objects of the configuration file and of the database together: the only place where that is done (S7). */
import type { Attachment } from './schema/attachment.ts';
import type { Guardrail } from './schema/guardrail.ts';
import type { Policy } from './schema/policy.ts';

/** What a configuration file or a database holds. */
export interface PolicyObjects {
  readonly policies: readonly Policy[];
  readonly attachments: readonly Attachment[];
  readonly guardrails: readonly Guardrail[];
}

export interface MergedObjects extends PolicyObjects {
  /** Configuration policies that a production policy of the database stands in for, by name, with its id. */
  readonly shadowed: ReadonlyMap<string, string>;
}

/**
 * One list of each kind, the configuration first. A production policy of the database wins over the configuration policy
 * of the same name, which is left out and comes back when there is no such version any more; drafts and published
 * versions hide nothing. Attachments and guardrails of both places count: guardrails of one name are balanced, and the
 * compiler refuses those that do not agree.
 */
export function mergeObjects(config: PolicyObjects, database: PolicyObjects): MergedObjects {
  const production = new Map(
    database.policies
      .filter(({ version_status }) => version_status === 'production')
      .map(({ policy_name, policy_id }) => [policy_name, policy_id]),
  );
  const shadowed = new Map<string, string>();
  const kept: Policy[] = [];
  for (const policy of config.policies) {
    const winner = production.get(policy.policy_name);
    if (winner === undefined) kept.push(policy);
    else shadowed.set(policy.policy_name, winner);
  }
  return {
    policies: [...kept, ...database.policies],
    attachments: [...config.attachments, ...database.attachments],
    guardrails: [...config.guardrails, ...database.guardrails],
    shadowed,
  };
}
