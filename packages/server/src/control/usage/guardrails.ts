import {
  PortcullisError,
  type UsageLogsQuery,
  type UsageQuery,
  usageLogsQuerySchema,
  usageQuerySchema,
} from '@portcullis/contract';
import type { Catalogue, ListedGuardrail } from '../../ports/catalogue.ts';
import { scopeOf } from '../logs/scope.ts';
import type { Route } from '../route.ts';
import { chartOf, figuresOf } from './figures.ts';
import { overviewOf, type Usable, type UsageContext } from './overview.ts';
import { usageRange } from './range.ts';

/** `GET /guardrails/usage/overview`: every guardrail with what it did, also those that nothing has happened to yet. */
export function guardrailOverviewRoute(context: UsageContext): Route<unknown, UsageQuery> {
  return {
    method: 'GET',
    path: '/guardrails/usage/overview',
    permission: 'any_key',
    query: usageQuerySchema,
    async handler({ query, identity }) {
      const range = usageRange(query, context.clock.now());
      const scope = await scopeOf(identity, context.database.stores);
      // Others see the names of what decided on their own requests, and no more.
      const listed = scope === null ? context.catalogue.guardrails().map(usable) : [];
      return { body: await overviewOf(context.database.stores.logs, 'guardrail', listed, range, scope) };
    },
  };
}

/** `GET /guardrails/usage/detail/{id}`: one guardrail, by its name or the id of one of its configurations. */
export function guardrailDetailRoute(context: UsageContext): Route<unknown, UsageQuery> {
  return {
    method: 'GET',
    path: '/guardrails/usage/detail/:id',
    permission: 'any_key',
    query: usageQuerySchema,
    async handler({ params, query, identity }) {
      const range = usageRange(query, context.clock.now());
      const scope = await scopeOf(identity, context.database.stores);
      const { logs } = context.database.stores;
      const { listed, name } = named(context.catalogue, params['id'] ?? '');
      const asked = { kind: 'guardrail', id: name, scope } as const;
      const counts = await logs.dailyCounts({ ...asked, fromDay: range.fromDay, toDay: range.toDay });
      const before = await logs.dailyCounts({
        ...asked,
        fromDay: range.previousFromDay,
        toDay: range.previousToDay,
      });
      const isKnown = counts.length > 0 || (listed !== null && scope === null);
      if (!isKnown) {
        throw new PortcullisError('not_found', `Guardrail '${name}' not found`, { param: 'id' });
      }
      return {
        body: {
          id: name,
          name,
          guardrail_id: listed?.ids[0] ?? name,
          guardrail_name: name,
          type: 'Guardrail',
          provider: listed?.provider ?? counts.at(-1)?.provider ?? 'unknown',
          mode: listed?.mode ?? null,
          description: listed?.description ?? null,
          ...figuresOf(counts, before),
          time_series: chartOf(counts),
        },
      };
    },
  };
}

/** `GET /guardrails/usage/logs`: the requests that one guardrail or one policy version decided on. */
export function usageLogsRoute(context: UsageContext): Route<unknown, UsageLogsQuery> {
  return {
    method: 'GET',
    path: '/guardrails/usage/logs',
    permission: 'any_key',
    query: usageLogsQuerySchema,
    async handler({ query, identity }) {
      const { page, page_size: size, guardrail_id: guardrail, policy_id: policy } = query;
      const { fromMs, toMs } = usageRange(query, context.clock.now());
      const { rows, total } = await context.database.stores.logs.decisions({
        subject:
          guardrail === undefined
            ? { kind: 'policy', id: policy ?? '' }
            : { kind: 'guardrail', id: named(context.catalogue, guardrail).name },
        ...(query.action === undefined ? {} : { action: query.action }),
        fromMs,
        toMs,
        scope: await scopeOf(identity, context.database.stores),
        offset: (page - 1) * size,
        limit: size,
      });
      return {
        body: {
          logs: rows.map((row) => ({
            id: row.requestId,
            timestamp: new Date(row.startedAtMs).toISOString(),
            action: row.action,
            score: row.score,
            latency_ms: row.latencyMs,
            model: row.model,
            input_snippet: row.inputSnippet,
            output_snippet: row.outputSnippet,
            reason: row.reason,
          })),
          total,
          page,
          page_size: size,
        },
      };
    },
  };
}

/** Counts go by name; the reference's scripts also send the id of a configuration. */
function named(
  catalogue: Catalogue,
  reference: string,
): { readonly name: string; readonly listed: ListedGuardrail | null } {
  const guardrails = catalogue.guardrails();
  const listed =
    guardrails.find(({ name }) => name === reference) ??
    guardrails.find(({ ids }) => ids.includes(reference));
  return { name: listed?.name ?? reference, listed: listed ?? null };
}

function usable({ name, provider }: ListedGuardrail): Usable {
  return { id: name, name, version: null, provider };
}
