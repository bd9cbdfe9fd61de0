import { PortcullisError } from '@portcullis/contract';
import type { Attachment, Policy } from '@portcullis/policy';
import type { KeyRecord } from '../../ports/keys.ts';
import type { StoredAttachment, StoredPolicy } from '../../ports/policy-store.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import type { PolicyChange } from '../changes/change.ts';

/** Everything that goes by the name of a policy (V6). */
export interface Dependents {
  readonly attachments: readonly StoredAttachment[];
  /** Versions of other policies that inherit from it, drafts included: none of them could be compiled without it. */
  readonly children: readonly StoredPolicy[];
  readonly keys: readonly KeyRecord[];
  readonly teams: readonly TeamRecord[];
  /** Objects of the configuration file, which no request can change. */
  readonly config: { readonly attachments: readonly Attachment[]; readonly children: readonly Policy[] };
}

export async function dependentsOf(change: PolicyChange, policyName: string): Promise<Dependents> {
  const { configured, stores } = change;
  return {
    attachments: change.attachmentsOf(policyName),
    children: [...change.objects.policies.values()].filter(({ policy }) => policy.inherit === policyName),
    keys: await stores.keys.namingPolicy(policyName),
    teams: await stores.teams.namingPolicy(policyName),
    config: {
      attachments: configured.attachments.filter(({ policy_name }) => policy_name === policyName),
      children: configured.policies.filter(
        ({ policy_name, inherit }) => inherit === policyName && change.production(policy_name) === null,
      ),
    },
  };
}

/** The same without attachments: those of a demoted policy stay, without effect. */
export function withoutAttachments(dependents: Dependents): Dependents {
  return { ...dependents, attachments: [], config: { ...dependents.config, attachments: [] } };
}

export function isDependedOn({ attachments, children, keys, teams, config }: Dependents): boolean {
  const own = attachments.length + children.length + keys.length + teams.length;
  return own + config.attachments.length + config.children.length > 0;
}

export function isHeldByConfig({ config }: Dependents): boolean {
  return config.attachments.length + config.children.length > 0;
}

/** A refusal with everything that stands against it (V6). `what` is the end of "cannot be ...". */
export function dependedOn(policyName: string, what: string, dependents: Dependents): PortcullisError {
  const { attachments, children, keys, teams, config } = dependents;
  const parts = [
    counted(attachments.length + config.attachments.length, 'attachment'),
    counted(children.length + config.children.length, 'inheriting version'),
    counted(keys.length, 'key'),
    counted(teams.length, 'team'),
  ].filter((part) => part !== null);
  const inFile = isHeldByConfig(dependents) ? '; some of them are defined in config.yaml' : '';
  return new PortcullisError(
    'has_dependents',
    `Policy '${policyName}' cannot be ${what}: it has dependents (${parts.join(', ')}${inFile}).`,
    { fields: { dependents: dependentsBody(dependents) } },
  );
}

function counted(count: number, what: string): string | null {
  if (count === 0) return null;
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function dependentsBody(dependents: Dependents): Readonly<Record<string, unknown>> {
  const { attachments, children, keys, teams, config } = dependents;
  return {
    attachments: [...attachments.map(({ attachment }) => attachment), ...config.attachments].map(
      ({ attachment_id, policy_name, definition_location }) => ({
        attachment_id,
        policy_name,
        definition_location,
      }),
    ),
    policies: [...children.map(({ policy }) => policy), ...config.children].map(versionName),
    keys: keys.map(({ tokenHash, alias }) => ({ token: tokenHash, key_alias: alias?.value ?? null })),
    teams: teams.map(({ teamId, alias }) => ({ team_id: teamId, team_alias: alias?.value ?? null })),
  };
}

/** Enough to know a version by. */
export function versionName(policy: Policy): Readonly<Record<string, unknown>> {
  const { policy_id, policy_name, version_number, version_status, definition_location } = policy;
  return { policy_id, policy_name, version_number, version_status, definition_location };
}
