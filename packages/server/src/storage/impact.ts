import { hasIdForm, parsePattern, type PrincipalSelectors } from '@portcullis/policy';
import { and, asc, count, eq, gte, inArray, isNotNull, or, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { ImpactReader } from '../ports/impact.ts';
import { PROTECTION_WRITERS } from '../ports/protection.ts';
import { buildIdentity, callableModels, principalOf } from './identity/principal.ts';
import { requests } from './logs/tables.ts';
import { read, readKeyRow, readTeamRow, readUserRow } from './rows.ts';
import type { Session } from './session.ts';
import { keys, teams, users } from './tables.ts';

/**
 * The matcher's rules for keys and teams (M2-M5) as conditions of SQL. `test/storage/impact.test.ts` holds them against the
 * matcher itself.
 */
export function impactReader(session: Session): ImpactReader {
  return {
    async totals() {
      const rows = await session.ask((queries) =>
        queries.execute(
          sql`select (select count(*) from ${keys}) as "keys", (select count(*) from ${teams}) as "teams"`,
        ),
      );
      return read(z.tuple([z.object({ keys: whole, teams: whole })]), [...rows], 'total')[0];
    },

    async keyGroups(selectors, byModels) {
      const rows = await session.ask((queries) =>
        queries.execute(sql`
          select g.*, jsonb_build_array(g."teamId", g."models", g."aliases", g."userModels")::text as "signature",
            ${teams.models} as "teamModels", ${trustedAliases(teams)} as "teamAliases"
          from (
            select ${groupColumns(byModels)}, count(*) as "keys", count(*) - count(${keys.keyAlias}) as "unnamed"
            from ${keys} ${byModels ? ownUser : sql``}
            where ${keyCondition(selectors) ?? sql`true`}
            group by 1, 2, 3, 4
          ) g left join ${teams} on ${teams.teamId} = g."teamId"
          order by g."keys" desc, g."teamId" nulls last, g."models"::text, g."aliases"::text, g."userModels"::text`),
      );
      return [...rows].map((row) => {
        const group = read(groupRow, row, 'group of keys');
        const { teamId, models, aliases, userModels, teamModels, teamAliases } = group;
        return {
          teamId,
          caller: {
            lists: [
              callableModels(models, teamId !== null),
              teamModels === null ? null : callableModels(teamModels, false),
              userModels === null ? null : callableModels(userModels, false),
            ],
            aliases: { ...teamAliases, ...aliases },
          },
          keys: group.keys,
          unnamed: group.unnamed,
          signature: group.signature,
        };
      });
    },

    async matchedTeams(selectors) {
      const rows = await session.ask((queries) =>
        queries
          .select({
            teamId: teams.teamId,
            alias: teams.teamAlias,
            models: teams.models,
            aliases: trustedAliases(teams),
          })
          .from(teams)
          .where(teamCondition(selectors))
          .orderBy(asc(teams.teamAlias), asc(teams.teamId)),
      );
      return rows.map((row) => {
        const { teamId, alias, models, aliases } = read(teamRow, row, 'team');
        return { teamId, alias, caller: { lists: [callableModels(models, false)], aliases } };
      });
    },

    async matchedKeys({ selectors, byModels, signatures, choice, limit }) {
      if (signatures.length === 0) return [];
      const { teamIds, hasTeamless } = teamsOf(signatures);
      const signature = signatureOf(byModels);
      const where = and(
        keyCondition(selectors),
        // The same thing said so that the index of the teams' keys is used.
        or(inArray(keys.teamId, teamIds), hasTeamless ? sql`${keys.teamId} is null` : undefined),
        sql`${signature} in (${listOf(signatures)})`,
        choice === 'named' ? isNotNull(keys.keyAlias) : undefined,
      );
      const from = sql`from ${keys} ${byModels ? ownUser : sql``} where ${where}`;
      const columns = sql`${keys.tokenHash} as "tokenHash", ${keys.keyAlias} as "alias", ${signature} as "signature"`;
      const rows = await session.ask((queries) =>
        queries.execute(
          choice === 'named'
            ? sql`select ${columns} ${from} order by ${keys.keyAlias} limit ${limit}`
            : sql`select distinct on (${signature}, ${storedTags(keys)}) ${columns} ${from}
                order by ${signature}, ${storedTags(keys)}, ${keys.tokenHash} limit ${limit}`,
        ),
      );
      return [...rows].map((row) => read(matchedKey, row, 'key'));
    },

    async callers({ tokenHashes, teamIds }) {
      const ofKeys = await session.ask((queries) =>
        queries
          .select({ key: keys, team: teams, user: users })
          .from(keys)
          .leftJoin(teams, eq(teams.teamId, keys.teamId))
          .leftJoin(users, eq(users.userId, keys.userId))
          .where(inArray(keys.tokenHash, [...tokenHashes])),
      );
      const ofTeams = await session.ask((queries) =>
        queries
          .select()
          .from(teams)
          .where(inArray(teams.teamId, [...teamIds])),
      );
      return [
        ...ofKeys.map(({ key, team, user }) => {
          const { policy, keyModels, teamModels, userModels } = buildIdentity({
            key: readKeyRow(key),
            team: team === null ? null : readTeamRow(team),
            user: user === null ? null : readUserRow(user),
            retiresAtMs: null,
          }).identity;
          const lists = [keyModels, teamModels, userModels ?? null];
          return { principal: policy, caller: { lists, aliases: policy.model_aliases } };
        }),
        ...ofTeams.map((row) => {
          const team = readTeamRow(row);
          const principal = principalOf({ key: null, team });
          const lists = [callableModels(team.models, false)];
          return { principal, caller: { lists, aliases: principal.model_aliases } };
        }),
      ];
    },

    async traffic(selectors, sinceMs) {
      const since = gte(requests.startedAt, new Date(sinceMs));
      const totals = await session.ask((queries) =>
        queries.select({ total: count() }).from(requests).where(since),
      );
      const rows = await session.ask((queries) =>
        queries.execute(sql`
          select ${requests.model} as "model", ${trustedAliases(teams)} as "teamAliases",
            ${trustedAliases(keys)} as "aliases", count(*) as "requests"
          from ${requests}
            left join ${keys} on ${keys.tokenHash} = ${requests.keyHash}
            left join ${teams} on ${teams.teamId} = ${keys.teamId}
          where ${and(since, keyCondition(selectors))}
          group by 1, 2, 3`),
      );
      return {
        total: totals[0]?.total ?? 0,
        groups: [...rows].map((row) => {
          const { model, aliases, teamAliases, requests: made } = read(requestsRow, row, 'group of requests');
          return { model, aliases: { ...teamAliases, ...aliases }, requests: made };
        }),
      };
    },
  };
}

const whole = z.coerce.number().int();
const list = z.array(z.string());
/** What is no record of names is ignored, as when the row is read whole (O3). */
const aliasesSchema = z.record(z.string(), z.string()).catch({});

const groupRow = z.object({
  teamId: z.string().nullable(),
  models: list,
  aliases: aliasesSchema,
  userModels: list.nullable(),
  keys: whole,
  unnamed: whole,
  teamModels: list.nullable(),
  teamAliases: aliasesSchema,
  signature: z.string(),
});

const teamRow = z.object({
  teamId: z.string(),
  alias: z.string().nullable(),
  models: list,
  aliases: aliasesSchema,
});

const matchedKey = z.object({
  tokenHash: z.string(),
  alias: z.string().nullable(),
  signature: z.string(),
});

const requestsRow = z.object({
  model: z.string().nullable(),
  aliases: aliasesSchema,
  teamAliases: aliasesSchema,
  requests: whole,
});

type Owner = typeof keys | typeof teams;

const WRITERS = sql.raw([...PROTECTION_WRITERS].map((role) => `'${role}'`).join(', '));

/** The user whose list of models counts: in a team, the team says what its keys may do. */
const ownUser = sql`left join ${users} on ${keys.teamId} is null and ${users.userId} = ${keys.userId}`;

/** What tells groups of keys apart; without `byModels` only their team. */
function groupColumns(byModels: boolean): SQL {
  return sql`${keys.teamId} as "teamId",
    ${byModels ? keys.models : sql`array[]::text[]`} as "models",
    ${byModels ? trustedAliases(keys) : sql`'{}'::jsonb`} as "aliases",
    ${byModels ? users.models : sql`null::text[]`} as "userModels"`;
}

/** The signature that `keyGroups` gives to the group of a key. */
function signatureOf(byModels: boolean): SQL {
  if (!byModels) {
    return sql`jsonb_build_array(${keys.teamId}, array[]::text[], '{}'::jsonb, null::text[])::text`;
  }
  return sql`jsonb_build_array(${keys.teamId}, ${keys.models}, ${trustedAliases(keys)}, ${users.models})::text`;
}

const signatureSchema = z.tuple([z.string().nullable()]).rest(z.unknown());

function teamsOf(signatures: readonly string[]): {
  readonly teamIds: string[];
  readonly hasTeamless: boolean;
} {
  const ids = signatures.map((signature) => signatureSchema.parse(JSON.parse(signature))[0]);
  return { teamIds: ids.filter((id) => id !== null), hasTeamless: ids.includes(null) };
}

/** Whether a key is matched, its team's facts included (M3-M5). */
function keyCondition({ teams: ofTeam, keys: ofKey, ...tags }: PrincipalSelectors): SQL | undefined {
  const inTeam = (condition: SQL): SQL =>
    sql`coalesce(${keys.teamId} in (select ${teams.teamId} from ${teams} where ${condition}), false)`;
  const tagged = (patterns: readonly string[], trusted: boolean): SQL =>
    sql`(${hasTag(keys, patterns, trusted)} or ${inTeam(hasTag(teams, patterns, trusted))})`;
  return and(
    ofTeam === null ? undefined : inTeam(fitsNameOrId(teams.teamAlias, teams.teamId, ofTeam)),
    ofKey === null ? undefined : fitsNameOrId(keys.keyAlias, keys.tokenHash, ofKey),
    ...tagConditions(tags, tagged),
  );
}

/** Whether a team is matched on its own facts: nobody's key is none that `keys` could select (M2). */
function teamCondition({ teams: ofTeam, keys: ofKey, ...tags }: PrincipalSelectors): SQL | undefined {
  return and(
    ofKey === null ? undefined : sql`false`,
    ofTeam === null ? undefined : fitsNameOrId(teams.teamAlias, teams.teamId, ofTeam),
    ...tagConditions(tags, (patterns, trusted) => hasTag(teams, patterns, trusted)),
  );
}

/** `none` looks at trusted tags only: what others have set takes no attachment away (M7). */
function tagConditions(
  { tagsAny, tagsAll, tagsNone }: Pick<PrincipalSelectors, 'tagsAny' | 'tagsAll' | 'tagsNone'>,
  tagged: (patterns: readonly string[], trusted: boolean) => SQL,
): (SQL | undefined)[] {
  return [
    tagsAny === null ? undefined : tagged(tagsAny, false),
    ...tagsAll.map((pattern) => tagged([pattern], false)),
    tagsNone.length === 0 ? undefined : sql`not ${tagged(tagsNone, true)}`,
  ];
}

/** Exact patterns in the form of an id are compared with ids alone, all others with aliases alone (M3, M9). */
function fitsNameOrId(
  alias: typeof keys.keyAlias | typeof teams.teamAlias,
  id: typeof keys.tokenHash | typeof teams.teamId,
  patterns: readonly string[],
): SQL {
  const ids = patterns.filter(hasIdForm);
  const names = patterns.filter((pattern) => !hasIdForm(pattern));
  // An absent alias gives null, which a condition takes for false (M2).
  return sql`(${or(
    ids.length === 0 ? undefined : sql`${id} in (${listOf(ids)})`,
    names.length === 0 ? undefined : fits(sql`normalize(${alias})`, names),
  )})`;
}

function hasTag(owner: Owner, patterns: readonly string[], trusted: boolean): SQL {
  const tags = storedTags(owner);
  const isExact = patterns.every((pattern) => parsePattern(pattern).kind === 'exact');
  const hit = isExact
    ? sql`${tags} && array[${listOf(patterns)}]::text[]`
    : // Most rows have no tags: they are passed by without a subquery.
      sql`(${tags} <> '{}' and exists (select 1 from unnest(${tags}) as tag where ${fits(sql`tag`, patterns)}))`;
  if (!trusted) return hit;
  return sql`(coalesce(${owner}.stored_tags_role in (${WRITERS}), false) and ${hit})`;
}

/** Whether a text is matched by one of the patterns (M1). */
function fits(text: SQL, patterns: readonly string[]): SQL {
  const parsed = patterns.map(parsePattern);
  const exact = parsed.flatMap((pattern) => (pattern.kind === 'exact' ? [pattern.text] : []));
  const prefixes = parsed.flatMap((pattern) => (pattern.kind === 'prefix' ? [pattern.prefix] : []));
  if (parsed.some(({ kind }) => kind === 'any')) return sql`${text} is not null`;
  return sql`(${or(
    exact.length === 0 ? undefined : sql`${text} in (${listOf(exact)})`,
    ...prefixes.map((prefix) => sql`${text} like ${`${likeText(prefix)}%`}`),
  )})`;
}

/** A text as the beginning of a LIKE pattern. */
function likeText(text: string): string {
  return text.replace(/[\\%_]/gu, '\\$&');
}

function listOf(texts: readonly string[]): SQL {
  return sql.join(
    texts.map((text) => sql`${text}`),
    sql`, `,
  );
}

/** The tags of a row as `readKeyRow` and `readTeamRow` find them, in NFC; the database keeps them up to date. */
function storedTags(owner: Owner): SQL {
  return sql`coalesce(${owner}.stored_tags, '{}')`;
}

/** A twin inside `metadata` has no provenance, and untrusted aliases lead nowhere (M7). */
function trustedAliases({ protection }: Owner): SQL {
  const field = sql`${protection} -> 'model_aliases'`;
  return sql`case when ${isTrusted(sql`${field} -> 'setBy'`)} then coalesce(${field} -> 'value', '{}'::jsonb) else '{}'::jsonb end`;
}

function isTrusted(setBy: SQL): SQL {
  return sql`coalesce(${setBy} ->> 'role' in (${WRITERS}) and jsonb_typeof(${setBy} -> 'by') = 'string'
    and jsonb_typeof(${setBy} -> 'atMs') = 'number', false)`;
}
