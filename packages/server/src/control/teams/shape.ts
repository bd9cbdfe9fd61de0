import type { KeyRecord } from '../../ports/keys.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import { keyRow } from '../keys/shape.ts';
import { limitsShown, type Seen } from '../limits.ts';
import { protectionInMetadata, provenance } from '../protection.ts';

/** What the reference always has on a team and this gateway does not have yet. */
const ABSENT = {
  admins: [],
  members: [],
  litellm_model_table: null,
};

/** Where a team's spending is kept. */
export function accountOfTeam({ teamId }: Pick<TeamRecord, 'teamId'>): string {
  return `team:${teamId}`;
}

/** A team as every route shows it. */
export function teamRow(team: TeamRecord, seen: Seen | null = null): Readonly<Record<string, unknown>> {
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
    ...limitsShown(team.limits, accountOfTeam(team), seen),
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
  seen: Seen | null = null,
): Readonly<Record<string, unknown>> {
  return { ...teamRow(team, seen), keys: keys.map((key) => keyRow(key, seen)), team_memberships: [] };
}
