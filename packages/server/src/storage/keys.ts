import { hasIdForm } from '@portcullis/policy';
import { and, asc, count, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { PROTECTION_WRITERS } from '../ports/protection.ts';
import type { KeyChanges, KeyFilter, KeyStore, NewKey } from '../ports/keys.ts';
import { impactReader } from './impact.ts';
import { readKeyRow, readTeamRow, readUserRow } from './rows.ts';
import type { Session } from './session.ts';
import { keys, retiredKeys, teams, users } from './tables.ts';

const SORTED_BY = {
  created_at: keys.createdAt,
  updated_at: keys.updatedAt,
  key_alias: keys.keyAlias,
  expires: keys.expiresAt,
  team_id: keys.teamId,
  user_id: keys.userId,
  token: keys.tokenHash,
} as const;

/** Keys, on a connection or in a transaction. */
export function keyStore(session: Session): KeyStore {
  return {
    ...impactReader(session),

    async insert(key) {
      session.touchKeys([key.tokenHash]);
      const made = await session.ask((queries) =>
        queries
          .insert(keys)
          .values(newRow(key))
          .onConflictDoNothing()
          .returning({ tokenHash: keys.tokenHash }),
      );
      if (made.length > 0) return 'inserted';
      const twin = await session.ask((queries) =>
        queries.select({ tokenHash: keys.tokenHash }).from(keys).where(eq(keys.tokenHash, key.tokenHash)),
      );
      return twin.length > 0 ? 'token_taken' : 'alias_taken';
    },

    async find(tokenHash) {
      const rows = await session.ask((queries) =>
        queries.select().from(keys).where(eq(keys.tokenHash, tokenHash)),
      );
      return rows.map(readKeyRow)[0] ?? null;
    },

    async findForUpdate(tokenHash) {
      const rows = await session.ask((queries) =>
        queries.select().from(keys).where(eq(keys.tokenHash, tokenHash)).for('update'),
      );
      return rows.map(readKeyRow)[0] ?? null;
    },

    async findByAlias(alias) {
      const rows = await session.ask((queries) =>
        queries.select().from(keys).where(eq(keys.keyAlias, alias)),
      );
      return rows.map(readKeyRow)[0] ?? null;
    },

    async findWithTeam(tokenHash) {
      const ask = (hash: string) =>
        session.ask((queries) =>
          queries
            .select({ key: keys, team: teams, user: users })
            .from(keys)
            .leftJoin(teams, eq(teams.teamId, keys.teamId))
            .leftJoin(users, eq(users.userId, keys.userId))
            .where(eq(keys.tokenHash, hash)),
        );
      let row = (await ask(tokenHash))[0];
      let retiresAtMs: number | null = null;
      if (row === undefined) {
        const retired = await session.ask((queries) =>
          queries.select().from(retiredKeys).where(eq(retiredKeys.tokenHash, tokenHash)),
        );
        const [old] = retired;
        if (old === undefined) return null;
        retiresAtMs = old.expiresAt.getTime();
        row = (await ask(old.successor))[0];
      }
      if (row === undefined) return null;
      return {
        key: readKeyRow(row.key),
        team: row.team === null ? null : readTeamRow(row.team),
        user: row.user === null ? null : readUserRow(row.user),
        retiresAtMs,
      };
    },

    async update(tokenHash, changes) {
      session.touchKeys([tokenHash]);
      const { alias } = changes;
      if (alias !== undefined && alias !== null) {
        // Asked first, because a violated constraint would end the whole transaction; it still guards against a race.
        const holders = await session.ask((queries) =>
          queries.select({ tokenHash: keys.tokenHash }).from(keys).where(eq(keys.keyAlias, alias.value)),
        );
        if (holders.some((holder) => holder.tokenHash !== tokenHash)) return 'alias_taken';
      }
      const changed = await session.ask((queries) =>
        queries
          .update(keys)
          .set(changedColumns(changes))
          .where(eq(keys.tokenHash, tokenHash))
          .returning({ tokenHash: keys.tokenHash }),
      );
      return changed.length > 0 ? 'updated' : 'not_found';
    },

    async replace(tokenHash, { tokenHash: fresh, keyName, oldUntilMs, updatedAtMs, updatedBy }) {
      session.touchKeys([tokenHash, fresh]);
      const twin = await session.ask((queries) =>
        queries.select({ tokenHash: keys.tokenHash }).from(keys).where(eq(keys.tokenHash, fresh)),
      );
      const retired = await session.ask((queries) =>
        queries
          .select({ tokenHash: retiredKeys.tokenHash })
          .from(retiredKeys)
          .where(eq(retiredKeys.tokenHash, fresh)),
      );
      if (twin.length + retired.length > 0) return 'token_taken';
      const changed = await session.ask((queries) =>
        queries
          .update(keys)
          .set({
            tokenHash: fresh,
            keyName,
            accountId: sql`coalesce(${keys.accountId}, ${tokenHash})`,
            updatedAt: new Date(updatedAtMs),
            updatedBy,
          })
          .where(eq(keys.tokenHash, tokenHash))
          .returning({ tokenHash: keys.tokenHash }),
      );
      if (changed.length === 0) return 'not_found';
      // Older keys in their own time of grace end with it: a key that is replaced again was not to live on.
      await session.ask((queries) => queries.delete(retiredKeys).where(eq(retiredKeys.successor, tokenHash)));
      if (oldUntilMs !== null) {
        await session.ask((queries) =>
          queries
            .insert(retiredKeys)
            .values({ tokenHash, successor: fresh, expiresAt: new Date(oldUntilMs) }),
        );
      }
      return 'replaced';
    },

    async delete(tokenHashes) {
      if (tokenHashes.length === 0) return [];
      session.touchKeys(tokenHashes);
      const gone = await session.ask((queries) =>
        queries
          .delete(keys)
          .where(inArray(keys.tokenHash, [...tokenHashes]))
          .returning({ tokenHash: keys.tokenHash }),
      );
      await session.ask((queries) =>
        queries.delete(retiredKeys).where(inArray(retiredKeys.successor, [...tokenHashes])),
      );
      return gone.map((row) => row.tokenHash);
    },

    async namingPolicy(policyName) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(namesPolicy(sql`${keys.protection}`, policyName))
          .orderBy(asc(keys.keyAlias), asc(keys.tokenHash)),
      );
      return rows.map(readKeyRow);
    },

    async namingGuardrail(guardrailName) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(namesGuardrail(sql`${keys.protection}`, guardrailName))
          .orderBy(asc(keys.keyAlias), asc(keys.tokenHash)),
      );
      return rows.map(readKeyRow);
    },

    async withUserAlias(names, prefixes, limit) {
      const fits = [
        ...(names.length === 0 ? [] : [inArray(keys.keyAlias, [...names])]),
        ...prefixes.map((prefix) => sql`starts_with(${keys.keyAlias}, ${prefix})`),
      ];
      if (fits.length === 0) return [];
      const givers = sql.join(
        [...PROTECTION_WRITERS].map((role) => sql`${role}`),
        sql`, `,
      );
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(and(or(...fits), sql`coalesce(${keys.keyAliasSetBy} ->> 'role', '') not in (${givers})`))
          .orderBy(asc(keys.keyAlias))
          .limit(limit),
      );
      return rows.map(readKeyRow);
    },

    async known(references) {
      if (references.length === 0) return new Set();
      const rows = await session.ask((queries) =>
        queries
          .select({ alias: keys.keyAlias, hash: keys.tokenHash })
          .from(keys)
          .where(
            or(
              inArray(keys.keyAlias, [...references]),
              inArray(keys.tokenHash, references.filter(hasIdForm)),
            ),
          ),
      );
      return new Set(rows.flatMap(({ alias, hash }) => (alias === null ? [hash] : [alias, hash])));
    },

    async ofTeams(teamIds) {
      if (teamIds.length === 0) return [];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(inArray(keys.teamId, [...teamIds]))
          .orderBy(asc(keys.createdAt), asc(keys.tokenHash)),
      );
      return rows.map(readKeyRow);
    },

    async ofUsers(userIds) {
      if (userIds.length === 0) return [];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(inArray(keys.userId, [...userIds]))
          .orderBy(asc(keys.createdAt), asc(keys.tokenHash)),
      );
      return rows.map(readKeyRow);
    },

    async list({ filter, sortBy, descending, offset, limit }) {
      const where = conditionOf(filter);
      const column = SORTED_BY[sortBy];
      // The hash makes the order total, so that no key is on two pages or on none.
      const order = [descending ? desc(column) : asc(column), asc(keys.tokenHash)];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(keys)
          .where(where)
          .orderBy(...order)
          .offset(offset)
          .limit(limit),
      );
      const totals = await session.ask((queries) =>
        queries.select({ total: count() }).from(keys).where(where),
      );
      return { keys: rows.map(readKeyRow), total: totals[0]?.total ?? 0 };
    },
  };
}

/** Whether a stored protection names a policy; jsonb knows containment of lists. */
export function namesPolicy(protection: SQL, policyName: string): SQL {
  return sql`${protection} @> ${JSON.stringify({ policies: { value: [policyName] } })}::jsonb`;
}

/** Whether this guardrail is among those demanded or opted out of. */
export function namesGuardrail(protection: SQL, guardrailName: string): SQL {
  const named = (field: string) => JSON.stringify({ [field]: { value: [guardrailName] } });
  return sql`(${protection} @> ${named('guardrails')}::jsonb or ${protection} @> ${named('opted_out_global_guardrails')}::jsonb)`;
}

function conditionOf(filter: KeyFilter) {
  const { tokenHash, alias, organizationId, teamId, userId, orTeamIds } = filter;
  const own = userId === undefined ? undefined : eq(keys.userId, userId);
  const owners =
    orTeamIds === undefined || orTeamIds.length === 0 ? own : or(own, inArray(keys.teamId, [...orTeamIds]));
  return and(
    tokenHash === undefined ? undefined : eq(keys.tokenHash, tokenHash),
    alias === undefined ? undefined : eq(keys.keyAlias, alias),
    organizationId === undefined ? undefined : eq(keys.organizationId, organizationId),
    teamId === undefined ? undefined : eq(keys.teamId, teamId),
    owners,
  );
}

function newRow(key: NewKey): typeof keys.$inferInsert {
  return {
    tokenHash: key.tokenHash,
    keyName: key.keyName,
    keyAlias: key.alias?.value ?? null,
    keyAliasSetBy: key.alias?.setBy ?? null,
    teamId: key.teamId,
    userId: key.userId,
    organizationId: key.organizationId,
    models: [...key.models],
    metadata: key.metadata,
    protection: key.protection,
    limits: key.limits,
    accountId: key.accountId === key.tokenHash ? null : key.accountId,
    keyType: key.keyType,
    blocked: key.blocked,
    expiresAt: momentOf(key.expiresAtMs),
    createdAt: new Date(key.createdAtMs),
    createdBy: key.createdBy,
    updatedAt: new Date(key.updatedAtMs),
    updatedBy: key.updatedBy,
  };
}

/** Only what is given; drizzle leaves `undefined` alone. */
function changedColumns(changes: KeyChanges): Partial<typeof keys.$inferInsert> {
  const { alias, expiresAtMs, models } = changes;
  return {
    ...(alias === undefined ? {} : { keyAlias: alias?.value ?? null, keyAliasSetBy: alias?.setBy ?? null }),
    ...(expiresAtMs === undefined ? {} : { expiresAt: momentOf(expiresAtMs) }),
    ...(models === undefined ? {} : { models: [...models] }),
    ...(changes.teamId === undefined ? {} : { teamId: changes.teamId }),
    ...(changes.userId === undefined ? {} : { userId: changes.userId }),
    ...(changes.organizationId === undefined ? {} : { organizationId: changes.organizationId }),
    ...(changes.metadata === undefined ? {} : { metadata: changes.metadata }),
    ...(changes.protection === undefined ? {} : { protection: changes.protection }),
    ...(changes.limits === undefined ? {} : { limits: changes.limits }),
    ...(changes.keyType === undefined ? {} : { keyType: changes.keyType }),
    ...(changes.blocked === undefined ? {} : { blocked: changes.blocked }),
    updatedAt: new Date(changes.updatedAtMs),
    updatedBy: changes.updatedBy,
  };
}

function momentOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
