import { hasIdForm } from '@portcullis/policy';
import { and, asc, count, desc, eq, ilike, inArray, or, sql } from 'drizzle-orm';
import type { NewTeamRecord, TeamChanges, TeamPage, TeamStore } from '../ports/teams.ts';
import { namesGuardrail, namesPolicy } from './keys.ts';
import { readTeamRow } from './rows.ts';
import type { Session } from './session.ts';
import { teams } from './tables.ts';

/** Teams, on a connection or in a transaction. */
export function teamStore(session: Session): TeamStore {
  return {
    async insert(team) {
      session.touchTeam(team.teamId);
      const made = await session.ask((queries) =>
        queries.insert(teams).values(newRow(team)).onConflictDoNothing().returning({ teamId: teams.teamId }),
      );
      return made.length > 0 ? 'inserted' : 'id_taken';
    },

    async find(teamId) {
      const rows = await session.ask((queries) =>
        queries.select().from(teams).where(eq(teams.teamId, teamId)),
      );
      return rows.map(readTeamRow)[0] ?? null;
    },

    async findForUpdate(teamId) {
      const rows = await session.ask((queries) =>
        queries.select().from(teams).where(eq(teams.teamId, teamId)).for('update'),
      );
      return rows.map(readTeamRow)[0] ?? null;
    },

    async findByAlias(alias) {
      const rows = await session.ask((queries) =>
        queries.select().from(teams).where(eq(teams.teamAlias, alias)).orderBy(asc(teams.teamId)),
      );
      return rows.map(readTeamRow);
    },

    async namingPolicy(policyName) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(teams)
          .where(namesPolicy(sql`${teams.protection}`, policyName))
          .orderBy(asc(teams.teamAlias), asc(teams.teamId)),
      );
      return rows.map(readTeamRow);
    },

    async namingGuardrail(guardrailName) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(teams)
          .where(namesGuardrail(sql`${teams.protection}`, guardrailName))
          .orderBy(asc(teams.teamAlias), asc(teams.teamId)),
      );
      return rows.map(readTeamRow);
    },

    async known(references) {
      if (references.length === 0) return new Set();
      const rows = await session.ask((queries) =>
        queries
          .select({ alias: teams.teamAlias, id: teams.teamId })
          .from(teams)
          .where(
            or(
              inArray(teams.teamAlias, [...references]),
              inArray(teams.teamId, references.filter(hasIdForm)),
            ),
          ),
      );
      return new Set(rows.flatMap(({ alias, id }) => [alias ?? [], hasIdForm(id) ? id : []].flat()));
    },

    async update(teamId, changes) {
      session.touchTeam(teamId);
      const changed = await session.ask((queries) =>
        queries
          .update(teams)
          .set(changedColumns(changes))
          .where(eq(teams.teamId, teamId))
          .returning({ teamId: teams.teamId }),
      );
      return changed.length > 0 ? 'updated' : 'not_found';
    },

    async delete(teamIds) {
      for (const teamId of teamIds) session.touchTeam(teamId);
      if (teamIds.length === 0) return [];
      const gone = await session.ask((queries) =>
        queries
          .delete(teams)
          .where(inArray(teams.teamId, [...teamIds]))
          .returning({ teamId: teams.teamId }),
      );
      return gone.map((row) => row.teamId);
    },

    async page({ filter, sortBy, descending, offset, limit }) {
      const where = conditionOf(filter);
      const column = SORTED_BY[sortBy];
      // The id makes the order total, so that no team is on two pages or on none.
      const order = [descending ? desc(column) : asc(column), asc(teams.teamId)];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(teams)
          .where(where)
          .orderBy(...order)
          .offset(offset)
          .limit(limit),
      );
      const totals = await session.ask((queries) =>
        queries.select({ total: count() }).from(teams).where(where),
      );
      return { teams: rows.map(readTeamRow), total: totals[0]?.total ?? 0 };
    },

    async list(filter) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(teams)
          .where(conditionOf(filter))
          .orderBy(asc(teams.teamAlias), asc(teams.teamId)),
      );
      return rows.map(readTeamRow);
    },
  };
}

const SORTED_BY = {
  team_id: teams.teamId,
  team_alias: teams.teamAlias,
  created_at: teams.createdAt,
} as const;

function conditionOf({ memberUserId, organizationId, teamId, alias }: TeamPage['filter']) {
  return and(
    memberUserId === undefined
      ? undefined
      : sql`${teams.members} @> ${JSON.stringify([{ user_id: memberUserId }])}::jsonb`,
    organizationId === undefined ? undefined : eq(teams.organizationId, organizationId),
    teamId === undefined ? undefined : eq(teams.teamId, teamId),
    alias === undefined ? undefined : ilike(teams.teamAlias, `%${alias.replace(/[\\%_]/gu, '\\$&')}%`),
  );
}

function newRow(team: NewTeamRecord): typeof teams.$inferInsert {
  return {
    teamId: team.teamId,
    teamAlias: team.alias?.value ?? null,
    teamAliasSetBy: team.alias?.setBy ?? null,
    organizationId: team.organizationId,
    members: team.members,
    models: [...team.models],
    metadata: team.metadata,
    protection: team.protection,
    limits: team.limits,
    blocked: team.blocked,
    createdAt: new Date(team.createdAtMs),
    createdBy: team.createdBy,
    updatedAt: new Date(team.updatedAtMs),
    updatedBy: team.updatedBy,
  };
}

function changedColumns(changes: TeamChanges): Partial<typeof teams.$inferInsert> {
  const { alias, models } = changes;
  return {
    ...(alias === undefined ? {} : { teamAlias: alias?.value ?? null, teamAliasSetBy: alias?.setBy ?? null }),
    ...(models === undefined ? {} : { models: [...models] }),
    ...(changes.organizationId === undefined ? {} : { organizationId: changes.organizationId }),
    ...(changes.members === undefined ? {} : { members: changes.members }),
    ...(changes.metadata === undefined ? {} : { metadata: changes.metadata }),
    ...(changes.protection === undefined ? {} : { protection: changes.protection }),
    ...(changes.limits === undefined ? {} : { limits: changes.limits }),
    ...(changes.blocked === undefined ? {} : { blocked: changes.blocked }),
    updatedAt: new Date(changes.updatedAtMs),
    updatedBy: changes.updatedBy,
  };
}
