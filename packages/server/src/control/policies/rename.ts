import { type RenamePolicy, renamePolicySchema, PortcullisError } from '@portcullis/contract';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { Route } from '../route.ts';
import { requireVersions, versionAnswer } from './access.ts';
import { dependedOn, dependentsOf, isHeldByConfig } from './dependents.ts';

/**
 * `POST /policies/name/{policy_name}/rename`: the policy with all versions, and with everything that goes by its name:
 * children, attachments, keys and teams (V5, D-26, D-27, D-94).
 */
export function renamePolicyRoute(changes: ChangeMaker): Route<RenamePolicy> {
  return {
    method: 'POST',
    path: '/policies/name/:policy_name/rename',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: renamePolicySchema,
    handler: (input) =>
      changes.change(input, 'policy.rename', async (change) => {
        const name = input.params['policy_name'] ?? '';
        const next = input.body.new_name;
        change.subject = { section: 'policies', name: next };
        requireVersions(change, name);
        refuseTaken(change, name, next);
        const dependents = await dependentsOf(change, name);
        // With a policy of the same name in the file, the file's objects go on meaning that one.
        if (isHeldByConfig(dependents) && !change.isConfigured(name)) {
          throw dependedOn(name, 'renamed', {
            ...dependents,
            attachments: [],
            children: [],
            keys: [],
            teams: [],
          });
        }
        // The numbers go along: none that a deleted version had is given again (D-79).
        const { policies } = change.stores;
        await policies.reserveNumbers(next, await policies.nextVersionNumber(name));
        const renamed = renameVersions(change, name, next);
        const children = renameParent(change, name, next);
        for (const stored of dependents.attachments) {
          const attachment = { ...stored.attachment, policy_name: next };
          change.putAttachment({ ...stored, attachment, ...written(change) });
        }
        const rewrite = (names: readonly string[]) => names.map((other) => (other === name ? next : other));
        for (const { tokenHash } of dependents.keys) change.renameOnKey(tokenHash, rewrite);
        for (const { teamId } of dependents.teams) change.renameOnTeam(teamId, rewrite);
        return {
          policy_name: next,
          former_name: name,
          versions: renamed.map((stored) => versionAnswer(change, stored)),
          renamed: {
            versions: renamed.length,
            children: children.map(({ policy }) => policy.policy_id),
            attachments: dependents.attachments.map(({ attachment }) => attachment.attachment_id),
            keys: dependents.keys.map(({ tokenHash }) => tokenHash),
            teams: dependents.teams.map(({ teamId }) => teamId),
          },
          ...(change.isConfigured(name)
            ? { warning: 'The config-defined policy with the former name is active again.' }
            : {}),
        };
      }),
  };
}

function refuseTaken(change: PolicyChange, name: string, next: string): void {
  const isTaken = next === name || change.versions(next).length > 0 || change.isConfigured(next);
  if (!isTaken) return;
  throw new PortcullisError('name_taken', `Policy with name '${next}' already exists`, {
    param: 'new_name',
  });
}

/** Also published and production versions: what they say does not change, only what they are called. */
function renameVersions(change: PolicyChange, name: string, next: string): readonly StoredPolicy[] {
  return change.versions(name).map((stored) => {
    const renamed = { ...stored, policy: { ...stored.policy, policy_name: next }, ...written(change) };
    change.putPolicy(renamed);
    return renamed;
  });
}

function renameParent(change: PolicyChange, name: string, next: string): readonly StoredPolicy[] {
  const children = [...change.objects.policies.values()].filter(({ policy }) => policy.inherit === name);
  for (const stored of children) {
    change.putPolicy({ ...stored, policy: { ...stored.policy, inherit: next }, ...written(change) });
  }
  return children;
}

function written({ nowMs, actor }: PolicyChange): Pick<StoredPolicy, 'updatedAtMs' | 'updatedBy'> {
  return { updatedAtMs: nowMs, updatedBy: actor.by };
}
