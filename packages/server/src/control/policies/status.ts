import {
  type PolicyStatus,
  policyStatusSchema,
  PortcullisError,
  type RollbackPolicy,
  rollbackPolicySchema,
} from '@portcullis/contract';
import { type Transition, transition, type VersionStatus } from '@portcullis/policy';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { Route } from '../route.ts';
import { requireVersion, requireVersions, versionAnswer } from './access.ts';
import { dependedOn, dependentsOf, isDependedOn, versionName, withoutAttachments } from './dependents.ts';

/** What the reference puts in front of every refusal of a status. */
const PREFIX = 'Error updating version status: ';

/** `PUT /policies/{policy_id}/status`: publishes, promotes or demotes, by the one transition table (V1, D-17, D-18). */
export function policyStatusRoute(changes: ChangeMaker): Route<PolicyStatus> {
  return {
    method: 'PUT',
    path: '/policies/:policy_id/status',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: policyStatusSchema,
    handler: (input) =>
      changes.change(input, 'policy.status', async (change) => {
        const { body, params } = input;
        const stored = requireVersion(change, params['policy_id'] ?? '', PREFIX);
        change.subject = { section: 'policies', name: stored.policy.policy_name };
        const step = transition(stored.policy.version_status, body.version_status);
        if (!step.allowed) {
          throw new PortcullisError('invalid_transition', `${PREFIX}${step.message}`, {
            param: 'version_status',
          });
        }
        const noted = body.note === undefined ? stored : { ...stored, note: body.note };
        return apply(change, noted, step);
      }),
  };
}

async function apply(
  change: PolicyChange,
  stored: StoredPolicy,
  step: Extract<Transition, { allowed: true }>,
): Promise<Readonly<Record<string, unknown>>> {
  switch (step.change) {
    case 'publish':
      return versionAnswer(change, publish(change, stored));
    case 'promote':
      return versionAnswer(change, promote(change, stored));
    case 'demote': {
      const demoted = enter(change, stored, 'published');
      return { ...versionAnswer(change, demoted), ...(await afterDemotion(change, demoted)) };
    }
  }
}

function enter(change: PolicyChange, stored: StoredPolicy, status: VersionStatus): StoredPolicy {
  const entered: StoredPolicy = {
    ...stored,
    policy: { ...stored.policy, version_status: status },
    updatedAtMs: change.nowMs,
    updatedBy: change.actor.by,
  };
  change.putPolicy(entered);
  return entered;
}

function publish(change: PolicyChange, stored: StoredPolicy): StoredPolicy {
  return enter(change, { ...stored, publishedAtMs: change.nowMs }, 'published');
}

/** Takes the name's production version out and puts this one in: one change, so there are never none or two (V2). */
function promote(change: PolicyChange, stored: StoredPolicy): StoredPolicy {
  const current = change.production(stored.policy.policy_name);
  if (current !== null) enter(change, current, 'published');
  return enter(change, { ...stored, productionAtMs: change.nowMs }, 'production');
}

/**
 * A policy that others need cannot leave production; one that is only attached can, and the answer says what is left
 * without effect (V6). Behind it a policy of the configuration file may be active again, and then nothing is lost.
 */
async function afterDemotion(
  change: PolicyChange,
  { policy }: StoredPolicy,
): Promise<Readonly<Record<string, unknown>>> {
  const { policy_name } = policy;
  if (change.isConfigured(policy_name)) {
    return { warning: 'The config-defined policy with the same name is active again.' };
  }
  const dependents = await dependentsOf(change, policy_name);
  const needed = withoutAttachments(dependents);
  if (isDependedOn(needed)) throw dependedOn(policy_name, 'demoted', needed);
  const idle = [
    ...dependents.attachments.map(({ attachment }) => attachment),
    ...dependents.config.attachments,
  ];
  if (idle.length === 0) return {};
  const ids = idle.map(({ attachment_id }) => attachment_id);
  return {
    warning: `Policy '${policy_name}' has no production version any more: ${ids.length} attachment${ids.length === 1 ? ' is' : 's are'} without effect until one is promoted.`,
    attachments_without_effect: ids,
  };
}

/** `POST /policies/name/{policy_name}/rollback`: promotes the version that was in production before. */
export function rollbackPolicyRoute(changes: ChangeMaker): Route<RollbackPolicy> {
  return {
    method: 'POST',
    path: '/policies/name/:policy_name/rollback',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: rollbackPolicySchema,
    handler: (input) =>
      changes.change(input, 'policy.rollback', async (change) => {
        const name = input.params['policy_name'] ?? '';
        change.subject = { section: 'policies', name };
        const versions = requireVersions(change, name);
        const current = change.production(name);
        const previous = versions
          .filter(({ policy }) => policy.version_status === 'published')
          .filter(({ productionAtMs }) => productionAtMs !== null)
          .toSorted((a, b) => (b.productionAtMs ?? 0) - (a.productionAtMs ?? 0))[0];
        if (previous === undefined) {
          throw new PortcullisError(
            'no_previous_version',
            `No other version of policy '${name}' has been in production.`,
          );
        }
        const { note } = input.body;
        const promoted = promote(change, note === undefined ? previous : { ...previous, note });
        return {
          ...versionAnswer(change, promoted),
          rolled_back_from: current === null ? null : versionName(current.policy),
          rolled_back_to: versionName(promoted.policy),
        };
      }),
  };
}
