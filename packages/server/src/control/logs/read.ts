import {
  momentOf,
  PortcullisError,
  type SpendLogPageQuery,
  type SpendLogsQuery,
  spendLogPageQuerySchema,
  spendLogQuerySchema,
  spendLogsQuerySchema,
} from '@portcullis/contract';
import type { LogFilter, LogScope } from '../../ports/logs.ts';
import type { ControlContext } from '../context.ts';
import { hashOfReference } from '../keys/access.ts';
import type { Route } from '../route.ts';
import { scopeOf } from './scope.ts';
import { spendLogRow } from './shape.ts';
import { summaries } from './summary.ts';

/** The reference answers everything at once; here the newest, at most this many. `/spend/logs/ui` has pages. */
const MOST_UNPAGED = 1_000;
const DAY_MS = 86_400_000;

type LogContext = Pick<ControlContext, 'database'>;

/** `GET /spend/logs`: a bare list of rows; with both dates, the sums of each day unless `summarize=false`. */
export function spendLogsRoute({ database }: LogContext): Route<unknown, SpendLogsQuery> {
  return {
    method: 'GET',
    path: '/spend/logs',
    permission: 'any_key',
    query: spendLogsQuerySchema,
    async handler({ query, identity }) {
      const { logs } = database.stores;
      const scope = await scopeOf(identity, database.stores);
      const { start_date: start, end_date: end, request_id: requestId } = query;
      const filter: LogFilter = {
        scope,
        ...rangeOf(start, end),
        ...(query.api_key === undefined ? {} : { keyHash: hashOfReference(query.api_key) }),
        ...(query.user_id === undefined ? {} : { userId: query.user_id }),
      };
      if (requestId !== undefined) {
        const row = await logs.find(requestId, scope);
        return { body: row === null ? [] : [spendLogRow(row)] };
      }
      if (start !== undefined && end !== undefined && query.summarize) {
        return { body: summaries(await logs.dailySpend(filter), end.slice(0, 10)) };
      }
      const { rows } = await logs.list({
        filter,
        sortBy: 'startTime',
        descending: true,
        offset: 0,
        limit: MOST_UNPAGED,
      });
      return { body: rows.map(spendLogRow) };
    },
  };
}

/** `GET /spend/logs/ui` and `/spend/logs/v2`: one page of rows, and how many there are. */
export function spendLogPageRoute(
  { database }: LogContext,
  path: '/spend/logs/ui' | '/spend/logs/v2',
): Route<unknown, SpendLogPageQuery> {
  return {
    method: 'GET',
    path,
    permission: 'any_key',
    query: spendLogPageQuerySchema,
    async handler({ query, identity }) {
      const { page, page_size: size } = query;
      if (query.start_date === undefined || query.end_date === undefined) {
        throw new PortcullisError('invalid_request', 'Start date and end date are required', {
          param: query.start_date === undefined ? 'start_date' : 'end_date',
        });
      }
      const { rows, total } = await database.stores.logs.list({
        filter: pageFilter(query, await scopeOf(identity, database.stores)),
        sortBy: query.sort_by,
        descending: query.sort_order === 'desc',
        offset: (page - 1) * size,
        limit: size,
      });
      return {
        body: {
          data: rows.map(spendLogRow),
          total,
          page,
          page_size: size,
          total_pages: Math.ceil(total / size),
        },
      };
    },
  };
}

/**
 * `GET /spend/logs/ui/{request_id}`: prompt and answer, each `{}` when they were not stored. `withheld` says why they were
 * not although storing was asked for.
 */
export function spendLogContentRoute({ database }: LogContext): Route {
  return {
    method: 'GET',
    path: '/spend/logs/ui/:request_id',
    permission: 'any_key',
    query: spendLogQuerySchema,
    async handler({ params, identity }) {
      const { logs } = database.stores;
      const requestId = params['request_id'] ?? '';
      const row = await logs.find(requestId, await scopeOf(identity, database.stores));
      // What one may not see is told like what does not exist.
      if (row === null) {
        throw new PortcullisError('not_found', `There is no stored request ${requestId.slice(0, 256)}.`, {
          param: 'request_id',
        });
      }
      const content = await logs.content(requestId);
      return {
        body: {
          ...spendLogRow(row),
          messages: content?.messages ?? {},
          response: content?.response ?? {},
          proxy_server_request: {},
          withheld: content?.withheld ?? null,
        },
      };
    },
  };
}

function pageFilter(query: SpendLogPageQuery, scope: LogScope | null): LogFilter {
  const given = {
    requestId: query.request_id,
    keyHash: query.api_key === undefined ? undefined : hashOfReference(query.api_key),
    keyAlias: query.key_alias,
    userId: query.user_id,
    teamId: query.team_id,
    model: query.model,
    endUser: query.end_user,
    tag: query.tag,
    status: query.status_filter,
    errorCode: query.error_code,
    guardrail: query.guardrail,
    policy: query.policy,
    action: query.action,
  };
  const filters = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { scope, ...rangeOf(query.start_date, query.end_date), ...filters };
}

/** The last day, or the last second, belongs to the range. */
function rangeOf(start: string | undefined, end: string | undefined): Pick<LogFilter, 'fromMs' | 'toMs'> {
  const from = start === undefined ? null : momentOf(start);
  const to = end === undefined ? null : momentOf(end);
  return {
    ...(from === null ? {} : { fromMs: from.ms }),
    ...(to === null ? {} : { toMs: to.ms + (to.isDay ? DAY_MS : 1_000) }),
  };
}
