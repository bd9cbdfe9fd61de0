import { and, asc, count, desc, eq, gte, inArray, like, lt, lte, or, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  ACTIONS,
  type DailyCounts,
  type DailySpend,
  LATENCY_BOUNDS_MS,
  type LogFilter,
  type LogReader,
  type LogScope,
  type StoredRequest,
  type Subject,
} from '../../ports/logs.ts';
import { read } from '../rows.ts';
import type { Session } from '../session.ts';
import { indexed } from './rows.ts';
import { dailyCounts, requestContents, requestDecisions, requests } from './tables.ts';

const SORTED_BY = {
  startTime: requests.startedAt,
  endTime: requests.endedAt,
  spend: requests.spend,
  total_tokens: requests.totalTokens,
  request_duration_ms: requests.durationMs,
} as const;

/** Questions about stored requests, on a connection or in a transaction. */
export function logReader(session: Session): LogReader {
  return {
    async list({ filter, sortBy, descending, offset, limit }) {
      const where = conditionOf(filter);
      const column = SORTED_BY[sortBy];
      // The id makes the order total, so that no request is on two pages or on none.
      const order = descending
        ? [desc(column), desc(requests.requestId)]
        : [asc(column), asc(requests.requestId)];
      // Counted first: what comes in meanwhile is then on the page, and never only in the total.
      const totals = await session.ask((queries) =>
        queries.select({ total: count() }).from(requests).where(where),
      );
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(requests)
          .where(where)
          .orderBy(...order)
          .offset(offset)
          .limit(limit),
      );
      return { rows: rows.map(readRequest), total: totals[0]?.total ?? 0 };
    },

    async find(requestId, scope) {
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(requests)
          .where(and(eq(requests.requestId, requestId), visible(scope))),
      );
      return rows.map(readRequest)[0] ?? null;
    },

    async content(requestId) {
      const rows = await session.ask((queries) =>
        queries
          .select({
            messages: requestContents.messages,
            response: requestContents.response,
            withheld: requestContents.withheld,
          })
          .from(requestContents)
          .where(eq(requestContents.requestId, requestId)),
      );
      return rows[0] ?? null;
    },

    async decisions({ subject, action, fromMs, toMs, scope, offset, limit }) {
      const where = and(
        eq(requestDecisions.kind, subject.kind),
        eq(requestDecisions.subject, subject.id),
        gte(requestDecisions.startedAt, new Date(fromMs)),
        lt(requestDecisions.startedAt, new Date(toMs)),
        // Part of the question, so that pages are full and totals right (D-61).
        action === undefined ? undefined : eq(requestDecisions.action, action),
        visible(scope),
      );
      const totals = await session.ask((queries) => {
        const from = queries.select({ total: count() }).from(requestDecisions);
        return scope === null
          ? from.where(where)
          : from.innerJoin(requests, eq(requests.requestId, requestDecisions.requestId)).where(where);
      });
      const rows = await session.ask((queries) =>
        queries
          .select({
            requestId: requestDecisions.requestId,
            startedAt: requestDecisions.startedAt,
            action: requestDecisions.action,
            score: requestDecisions.score,
            latencyMs: requestDecisions.latencyMs,
            reason: requestDecisions.reason,
            model: sql<string | null>`coalesce(${requests.modelGroup}, ${requests.model})`,
            inputSnippet: requestContents.inputSnippet,
            outputSnippet: requestContents.outputSnippet,
          })
          .from(requestDecisions)
          .innerJoin(requests, eq(requests.requestId, requestDecisions.requestId))
          .leftJoin(requestContents, eq(requestContents.requestId, requestDecisions.requestId))
          .where(where)
          .orderBy(desc(requestDecisions.startedAt), desc(requestDecisions.requestId))
          .offset(offset)
          .limit(limit),
      );
      return {
        rows: rows.map((row) => {
          const { startedAt, ...decision } = read(decisionRow, row, 'decision');
          return { ...decision, startedAtMs: startedAt.getTime() };
        }),
        total: totals[0]?.total ?? 0,
      };
    },

    async dailyCounts({ kind, id, fromDay, toDay, scope }) {
      const rows =
        scope === null
          ? await session.ask((queries) =>
              queries
                .select()
                .from(dailyCounts)
                .where(
                  and(
                    eq(dailyCounts.kind, kind),
                    id === undefined ? undefined : eq(dailyCounts.subject, id),
                    gte(dailyCounts.day, fromDay),
                    lte(dailyCounts.day, toDay),
                  ),
                )
                .orderBy(asc(dailyCounts.day), asc(dailyCounts.subject)),
            )
          : await session.ask((queries) => queries.execute(countedAnew(kind, id, fromDay, toDay, scope)));
      return rows.map((row): DailyCounts => read(countsRow, row, 'daily count'));
    },

    async dailySpend(filter) {
      const day = sql<string>`to_char(${requests.startedAt} at time zone 'UTC', 'YYYY-MM-DD')`;
      const model = sql<string | null>`coalesce(${requests.modelGroup}, ${requests.model})`;
      const rows = await session.ask((queries) =>
        queries
          .select({
            day: day.as('day'),
            keyHash: requests.keyHash,
            userId: requests.userId,
            model: model.as('spent_model'),
            requests: count(),
            totalTokens: sql`coalesce(sum(${requests.totalTokens}), 0)`,
            spend: sql`sum(${requests.spend})`,
            costKnown: sql`bool_and(${requests.costKnown})`,
          })
          .from(requests)
          .where(conditionOf(filter))
          .groupBy(sql`1, 2, 3, 4`)
          .orderBy(sql`1, 2, 3, 4`),
      );
      return rows.map((row): DailySpend => read(spendRow, row, 'daily spend'));
    },
  };
}

/** The condition of a list. Every part is answered by an index of its own. */
function conditionOf(filter: LogFilter): SQL | undefined {
  const { fromMs, toMs, requestId, model, tag } = filter;
  const text = (column: Parameters<typeof eq>[0], value: string | undefined): SQL | undefined =>
    value === undefined ? undefined : eq(column, indexed(value));
  return and(
    visible(filter.scope),
    fromMs === undefined ? undefined : gte(requests.startedAt, new Date(fromMs)),
    toMs === undefined ? undefined : lt(requests.startedAt, new Date(toMs)),
    requestId === undefined ? undefined : like(requests.requestId, `${likeText(requestId)}%`),
    text(requests.keyHash, filter.keyHash),
    text(requests.keyAlias, filter.keyAlias),
    text(requests.userId, filter.userId),
    text(requests.teamId, filter.teamId),
    model === undefined ? undefined : or(text(requests.model, model), text(requests.modelGroup, model)),
    text(requests.endUser, filter.endUser),
    tag === undefined ? undefined : sql`${requests.tags} @> array[${indexed(tag)}]::text[]`,
    text(requests.status, filter.status),
    text(requests.errorCode, filter.errorCode),
    ...decided(filter),
  );
}

/** `action` is about the named guardrail and policy, or about the whole request when none is named. */
function decided({ guardrail, policy, action, fromMs, toMs }: LogFilter): (SQL | undefined)[] {
  if (guardrail === undefined && policy === undefined) {
    return [action === undefined ? undefined : eq(requests.action, action)];
  }
  // The same times as of the requests; said here too, they let the index of the decisions be used.
  const time = and(
    fromMs === undefined ? undefined : gte(requestDecisions.startedAt, new Date(fromMs)),
    toMs === undefined ? undefined : lt(requestDecisions.startedAt, new Date(toMs)),
  );
  const did = (subjects: SQL): SQL => sql`exists (
    select 1 from ${requestDecisions}
    where ${requestDecisions.requestId} = ${requests.requestId} and ${subjects}
    ${action === undefined ? sql`` : sql`and ${requestDecisions.action} = ${action}`}
    ${time === undefined ? sql`` : sql`and ${time}`})`;
  const versions = sql`select ${dailyCounts.subject} from ${dailyCounts}
    where ${dailyCounts.kind} = 'policy' and ${dailyCounts.name} = ${policy ?? ''}`;
  return [
    guardrail === undefined
      ? undefined
      : did(sql`${requestDecisions.kind} = 'guardrail' and ${requestDecisions.subject} = ${guardrail}`),
    policy === undefined
      ? undefined
      : did(sql`${requestDecisions.kind} = 'policy'
          and (${requestDecisions.subject} = ${policy} or ${requestDecisions.subject} in (${versions}))`),
  ];
}

/** Nothing at all for a scope without key, user and team. */
function visible(scope: LogScope | null): SQL | undefined {
  if (scope === null) return undefined;
  const { keyHash, userId, teamIds } = scope;
  return or(
    sql`false`,
    keyHash === null ? undefined : eq(requests.keyHash, keyHash),
    userId === null ? undefined : eq(requests.userId, userId),
    teamIds.length === 0 ? undefined : inArray(requests.teamId, [...teamIds]),
  );
}

/** The same counts as in the daily table, of the requests that a scope sees. */
function countedAnew(
  kind: Subject['kind'],
  id: string | undefined,
  fromDay: string,
  toDay: string,
  scope: LogScope,
): SQL {
  const d = requestDecisions;
  const day = sql`(${d.startedAt} at time zone 'UTC')::date`;
  const did = (action: string): SQL => sql`count(*) filter (where ${d.action} = ${action})`;
  const bounds = sql`array[${sql.raw(LATENCY_BOUNDS_MS.join(', '))}]::double precision[]`;
  const buckets = [...LATENCY_BOUNDS_MS, Infinity].map(
    (_, bucket) =>
      sql`count(*) filter (where width_bucket(${d.latencyMs}, ${bounds}) = ${sql.raw(String(bucket))})`,
  );
  return sql`
    select ${d.subject} as "subject", max(${d.name}) as "name", max(${d.version}) as "version",
      max(${d.provider}) as "provider", to_char(${day}, 'YYYY-MM-DD') as "day",
      count(*) filter (where ${d.action} <> 'not_run') as "evaluated", ${did('passed')} as "passed",
      ${did('masked')} as "masked", ${did('blocked')} as "blocked", ${did('flagged')} as "flagged",
      ${did('error')} as "errors", ${did('not_run')} as "notRun", count(${d.latencyMs}) as "timed",
      coalesce(sum(${d.latencyMs}), 0) as "latencyMs", array[${sql.join(buckets, sql`, `)}] as "buckets",
      count(${d.score}) as "scored", coalesce(sum(${d.score}), 0) as "score"
    from ${d} inner join ${requests} on ${requests.requestId} = ${d.requestId}
    where ${and(
      eq(d.kind, kind),
      id === undefined ? undefined : eq(d.subject, id),
      sql`${d.startedAt} >= ${`${fromDay}T00:00:00Z`}::timestamptz`,
      sql`${d.startedAt} < ${`${toDay}T00:00:00Z`}::timestamptz + interval '24 hours'`,
      visible(scope),
    )}
    group by ${d.subject}, ${day} order by ${day}, ${d.subject}`;
}

/** A text as the beginning of a LIKE pattern. */
function likeText(text: string): string {
  return text.replace(/[\\%_]/gu, '\\$&');
}

const action = z.enum(ACTIONS);
const whole = z.coerce.number().int();

const requestRow = z.object({
  requestId: z.string(),
  startedAt: z.date(),
  endedAt: z.date(),
  callType: z.string(),
  status: z.enum(['success', 'failure']),
  action: z.enum([...ACTIONS, 'none']),
  errorCode: z.string().nullable(),
  teamId: z.string().nullable(),
  keyHash: z.string().nullable(),
  keyAlias: z.string().nullable(),
  userId: z.string().nullable(),
  organizationId: z.string().nullable(),
  endUser: z.string().nullable(),
  model: z.string().nullable(),
  modelGroup: z.string().nullable(),
  provider: z.string().nullable(),
  tags: z.array(z.string()),
  promptTokens: z.number().nullable(),
  completionTokens: z.number().nullable(),
  totalTokens: z.number().nullable(),
  spend: z.number(),
  costKnown: z.boolean(),
  record: z.record(z.string(), z.unknown()),
});

function readRequest(row: unknown): StoredRequest {
  const { startedAt, endedAt, ...request } = read(requestRow, row, 'request');
  return { ...request, startedAtMs: startedAt.getTime(), endedAtMs: endedAt.getTime() };
}

const decisionRow = z.object({
  requestId: z.string(),
  startedAt: z.date(),
  action,
  score: z.number().nullable(),
  latencyMs: z.number().nullable(),
  reason: z.string().nullable(),
  model: z.string().nullable(),
  inputSnippet: z.string().nullable(),
  outputSnippet: z.string().nullable(),
});

const countsRow = z.object({
  subject: z.string(),
  name: z.string(),
  version: z.number().nullable(),
  provider: z.string().nullable(),
  day: z.string(),
  evaluated: whole,
  passed: whole,
  masked: whole,
  blocked: whole,
  flagged: whole,
  errors: whole,
  notRun: whole,
  timed: whole,
  latencyMs: z.coerce.number(),
  buckets: z.array(whole),
  scored: whole,
  score: z.coerce.number(),
});

const spendRow = z.object({
  day: z.string(),
  keyHash: z.string().nullable(),
  userId: z.string().nullable(),
  model: z.string().nullable(),
  requests: whole,
  totalTokens: whole,
  spend: z.coerce.number(),
  costKnown: z.boolean(),
});
