import { PortcullisError } from '@portcullis/contract';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import { definedInConfig, type PolicyChange } from '../changes/change.ts';
import { policyRow } from '../changes/rows.ts';

type Row = Readonly<Record<string, unknown>>;

/** @param prefix words of the reference in front of the text. */
export function policyNotFound(policyId: string, prefix = ''): PortcullisError {
  return new PortcullisError('not_found', `${prefix}Policy with ID ${policyId} not found`, {
    param: 'policy_id',
  });
}

export function nameNotFound(policyName: string): PortcullisError {
  return new PortcullisError('not_found', `Policy '${policyName}' not found`, { param: 'policy_name' });
}

/** The version of this id; one of the configuration file is refused, because it can only be read (S7). */
export function requireVersion(change: PolicyChange, policyId: string, prefix = ''): StoredPolicy {
  const stored = change.policy(policyId);
  if (stored !== null) return stored;
  if (change.isConfigured(policyId)) throw definedInConfig('Policy', policyId, 'changed');
  throw policyNotFound(policyId, prefix);
}

/** The versions of a name in the database, or the refusal that says where else it is, if anywhere. */
export function requireVersions(change: PolicyChange, policyName: string): readonly StoredPolicy[] {
  const versions = change.versions(policyName);
  if (versions.length > 0) return versions;
  if (change.isConfigured(policyName)) throw definedInConfig('Policy', policyName, 'changed');
  throw nameNotFound(policyName);
}

/** A version as the answer to a write shows it. */
export function versionAnswer(change: PolicyChange, stored: StoredPolicy): Row {
  const { policy } = stored;
  const [latest] = change.versions(policy.policy_name);
  return versionRow(stored, {
    isLatest: latest?.policy.policy_id === policy.policy_id,
    isConfigured: change.isConfigured(policy.policy_name),
  });
}

/** A version with what its siblings decide. `shadows_config` says that a policy of the file waits behind it (S7). */
export function versionRow(
  stored: StoredPolicy,
  { isLatest, isConfigured }: { readonly isLatest: boolean; readonly isConfigured: boolean },
): Row {
  const shadows = isConfigured && stored.policy.version_status === 'production';
  return { ...policyRow(stored), is_latest: isLatest, ...(shadows ? { shadows_config: true } : {}) };
}
