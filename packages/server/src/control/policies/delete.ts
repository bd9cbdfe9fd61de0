import { type DeletePolicyQuery, deletePolicyQuerySchema } from '@portcullis/contract';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { Route } from '../route.ts';
import { requireVersion, requireVersions } from './access.ts';
import {
  dependedOn,
  type Dependents,
  dependentsOf,
  isDependedOn,
  isHeldByConfig,
  versionName,
} from './dependents.ts';

/** `DELETE /policies/{policy_id}`: one version. */
export function deletePolicyRoute(changes: ChangeMaker): Route<unknown, DeletePolicyQuery> {
  return {
    method: 'DELETE',
    path: '/policies/:policy_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    query: deletePolicyQuerySchema,
    handler: (input) =>
      changes.change(input, 'policy.delete', async (change) => {
        change.isTrial = input.query.dry_run;
        const stored = requireVersion(change, input.params['policy_id'] ?? '');
        const { policy_id, policy_name, version_status } = stored.policy;
        const removed = new Removed();
        await removeVersions(change, [stored], input.query.force, removed);
        return {
          message: deletionMessage(change, `Policy ${policy_id}`),
          ...deletionWarning(change, policy_name, version_status === 'production', ONE_GONE),
          ...removed.body(change, input.query),
        };
      }),
  };
}

/** `DELETE /policies/name/{policy_name}/all-versions` (D-72). */
export function deleteAllVersionsRoute(changes: ChangeMaker): Route<unknown, DeletePolicyQuery> {
  return {
    method: 'DELETE',
    path: '/policies/name/:policy_name/all-versions',
    permission: 'admin',
    recordsEveryRefusal: true,
    query: deletePolicyQuerySchema,
    handler: (input) =>
      changes.change(input, 'policy.delete_all', async (change) => {
        change.isTrial = input.query.dry_run;
        const name = input.params['policy_name'] ?? '';
        const versions = requireVersions(change, name);
        const removed = new Removed();
        await removeVersions(change, versions, input.query.force, removed);
        return {
          message: deletionMessage(change, `All versions of policy '${name}'`),
          deleted_versions: versions.length,
          ...deletionWarning(change, name, false, null),
          ...removed.body(change, input.query),
        };
      }),
  };
}

const ONE_GONE =
  'Production version was deleted. No other version was promoted. Promote another version to production if this policy should remain active.';
const CONFIG_AGAIN =
  'All DB versions were deleted. The config-defined policy with the same name is active again.';

function deletionMessage({ isTrial }: PolicyChange, what: string): string {
  return isTrial ? `${what} would be deleted; nothing was changed` : `${what} deleted successfully`;
}

function deletionWarning(
  change: PolicyChange,
  policyName: string,
  wasProduction: boolean,
  gone: string | null,
): Readonly<Record<string, unknown>> {
  if (change.isConfigured(policyName) && change.versions(policyName).length === 0) {
    return { warning: CONFIG_AGAIN };
  }
  return wasProduction && gone !== null ? { warning: gone } : {};
}

/** What a forced deletion took with it (V6). */
class Removed {
  readonly policies: Readonly<Record<string, unknown>>[] = [];
  readonly attachments: string[] = [];
  readonly keys = new Set<string>();
  readonly teams = new Set<string>();

  body({ isTrial }: PolicyChange, { force, dry_run }: DeletePolicyQuery): Readonly<Record<string, unknown>> {
    if (!force && !dry_run) return {};
    const removed = {
      policies: this.policies,
      attachments: this.attachments,
      keys: [...this.keys],
      teams: [...this.teams],
    };
    return isTrial ? { dry_run: true, would_remove: removed } : { removed };
  }
}

/**
 * Deletes versions of one name. What depends on the name stands against it when the name is then out of production, or
 * goes too when that is forced: attachments, inheriting versions with their own dependents, and the name on keys and teams.
 */
async function removeVersions(
  change: PolicyChange,
  versions: readonly StoredPolicy[],
  force: boolean,
  removed: Removed,
): Promise<void> {
  const name = versions[0]?.policy.policy_name;
  if (name === undefined) return;
  const wasActive = change.isInProduction(name);
  for (const { policy } of versions) {
    change.deletePolicy(policy.policy_id);
    removed.policies.push(versionName(policy));
  }
  const isGone = change.versions(name).length === 0;
  if (change.isInProduction(name) || !(wasActive || isGone)) return;
  const dependents = await dependentsOf(change, name);
  if (!isDependedOn(dependents)) return;
  if (!force || isHeldByConfig(dependents)) throw dependedOn(name, 'deleted', dependents);
  await removeDependents(change, name, dependents, removed);
}

async function removeDependents(
  change: PolicyChange,
  name: string,
  { attachments, children, keys, teams }: Dependents,
  removed: Removed,
): Promise<void> {
  for (const { attachment } of attachments) {
    change.deleteAttachment(attachment.attachment_id);
    removed.attachments.push(attachment.attachment_id);
  }
  const without = (names: readonly string[]) => names.filter((other) => other !== name);
  for (const { tokenHash } of keys) {
    change.renameOnKey(tokenHash, without);
    removed.keys.add(tokenHash);
  }
  for (const { teamId } of teams) {
    change.renameOnTeam(teamId, without);
    removed.teams.add(teamId);
  }
  for (const child of new Set(children.map(({ policy }) => policy.policy_name))) {
    // Looked up anew: an earlier child's dependents may have taken some of them along.
    const left = change.versions(child).filter(({ policy }) => policy.inherit === name);
    await removeVersions(change, left, true, removed);
  }
}
