import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { keyRow } from '../keys/shape.ts';
import { protectionInMetadata, provenance } from '../protection.ts';

/** What the reference always has on a team and this gateway does not have yet. */
const ABSENT = {
  admins: [],
  members: [],
  spend: 0,
  max_budget: null,
  soft_budget: null,
  budget_duration: null,
  budget_reset_at: null,
  max_parallel_requests: null,
  tpm_limit: null,
  rpm_limit: null,
  litellm_model_table: null,
};

/** A team as every route shows it. */
export function teamRow(team: TeamRecord): Readonly<Record<string, unknown>> {
  const { protection } = team;
  return {
    team_id: team.teamId,
    team_alias: team.alias?.value ?? null,
    organization_id: team.organizationId,
    members_with_roles: team.members,
    metadata: { ...team.metadata, ...protectionInMetadata(protection) },
    permissions: protection.permissions?.value ?? {},
    model_aliases: protection.model_aliases?.value ?? {},
    models: team.models,
    blocked: team.blocked,
    ...ABSENT,
    created_at: new Date(team.createdAtMs).toISOString(),
    created_by: team.createdBy,
    updated_at: new Date(team.updatedAtMs).toISOString(),
    updated_by: team.updatedBy,
    provenance: provenance(protection, 'team_alias', team.alias),
    ...(team.ignored.length === 0 ? {} : { ignored_values: team.ignored }),
  };
}

/** A team with its keys, in lists. */
export function teamWithKeys(
  team: TeamRecord,
  keys: readonly KeyRecord[],
): Readonly<Record<string, unknown>> {
  return { ...teamRow(team), keys: keys.map(keyRow), team_memberships: [] };
}
