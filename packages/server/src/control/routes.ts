import type { ControlContext } from './context.ts';
import { deleteKeysRoute } from './keys/delete.ts';
import { generateKeyRoute } from './keys/generate.ts';
import { keyInfoRoute, keyListRoute } from './keys/read.ts';
import { blockKeyRoute, updateKeyRoute } from './keys/update.ts';
import { spendLogContentRoute, spendLogPageRoute, spendLogsRoute } from './logs/read.ts';
import { withRefusalsRecorded } from './refusals.ts';
import type { Route } from './route.ts';
import { teamInfoRoute, teamListRoute } from './teams/read.ts';
import { blockTeamRoute, newTeamRoute, updateTeamRoute } from './teams/write.ts';
import { guardrailDetailRoute, guardrailOverviewRoute, usageLogsRoute } from './usage/guardrails.ts';
import { policyOverviewRoute } from './usage/policies.ts';

/** Every management route, for the HTTP adapter to mount. */
export function controlRoutes(context: ControlContext): readonly Route[] {
  const routes: readonly Route[] = [
    generateKeyRoute(context),
    keyInfoRoute(context),
    keyListRoute(context),
    updateKeyRoute(context),
    deleteKeysRoute(context),
    blockKeyRoute(context, true),
    blockKeyRoute(context, false),
    newTeamRoute(context),
    teamInfoRoute(context),
    teamListRoute(context),
    updateTeamRoute(context),
    blockTeamRoute(context, true),
    blockTeamRoute(context, false),
    spendLogsRoute(context),
    spendLogPageRoute(context, '/spend/logs/ui'),
    spendLogPageRoute(context, '/spend/logs/v2'),
    spendLogContentRoute(context),
    guardrailOverviewRoute(context),
    guardrailDetailRoute(context),
    usageLogsRoute(context),
    policyOverviewRoute(context),
  ];
  return routes.map((route) => withRefusalsRecorded(route, context));
}
