import { type UsageQuery, usageQuerySchema } from '@portcullis/contract';
import { scopeOf } from '../logs/scope.ts';
import type { Route } from '../route.ts';
import { overviewOf, type UsageContext } from './overview.ts';
import { usageRange } from './range.ts';

/** `GET /policies/usage/overview`: one row for each version of a policy (D-60). */
export function policyOverviewRoute(context: UsageContext): Route<unknown, UsageQuery> {
  return {
    method: 'GET',
    path: '/policies/usage/overview',
    permission: 'any_key',
    query: usageQuerySchema,
    async handler({ query, identity }) {
      const range = usageRange(query, context.clock.now());
      const scope = await scopeOf(identity, context.database.stores);
      const listed = (scope === null ? context.catalogue.policies() : []).map(
        ({ policyId, name, version }) => ({ id: policyId, name, version, provider: '' }),
      );
      return { body: await overviewOf(context.database.stores.logs, 'policy', listed, range, scope) };
    },
  };
}
