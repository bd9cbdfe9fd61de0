import { estimateImpactRoute } from './attachments/impact.ts';
import { getAttachmentRoute, listAttachmentsRoute } from './attachments/read.ts';
import { createAttachmentRoute, deleteAttachmentRoute, updateAttachmentRoute } from './attachments/write.ts';
import { auditRoutes } from './audit/routes.ts';
import { changeMaker } from './changes/transact.ts';
import type { ControlContext } from './context.ts';
import { guardrailRoutes } from './guardrails/routes.ts';
import { deleteAllVersionsRoute, deletePolicyRoute } from './policies/delete.ts';
import { documentsRoute } from './policies/documents.ts';
import { fleetRoute } from './policies/fleet.ts';
import { policyInfoRoute, policySummaryRoute, validatePoliciesRoute } from './policies/legacy.ts';
import {
  comparePoliciesRoute,
  getPolicyRoute,
  listPoliciesRoute,
  listVersionsRoute,
  resolvedGuardrailsRoute,
  revisionRoute,
} from './policies/read.ts';
import { renamePolicyRoute } from './policies/rename.ts';
import { resolveRoute, testPolicyRoute } from './policies/resolve.ts';
import { policyStatusRoute, rollbackPolicyRoute } from './policies/status.ts';
import { createPolicyRoute, newVersionRoute, updatePolicyRoute } from './policies/write.ts';
import { spendLogContentRoute, spendLogPageRoute, spendLogsRoute } from './logs/read.ts';
import { modelRoutes } from './models/routes.ts';
import { principalRoutes } from './principals.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { templateRoutes } from './templates/routes.ts';
import { TrialAllowance } from './trials/allowance.ts';
import { trialRoutes } from './trials/routes.ts';
import { withRefusalsRecorded } from './refusals.ts';
import type { Route } from './route.ts';
import { guardrailDetailRoute, guardrailOverviewRoute, usageLogsRoute } from './usage/guardrails.ts';
import { policyOverviewRoute } from './usage/policies.ts';

/** Every management route, for the HTTP adapter to mount. */
export function controlRoutes(context: ControlContext): readonly Route[] {
  const changes = changeMaker(context);
  const allowance = new TrialAllowance(context.clock);
  const routes: readonly Route[] = [
    ...principalRoutes(context),
    ...sessionRoutes(context),
    listPoliciesRoute(context),
    createPolicyRoute(changes),
    comparePoliciesRoute(context, changes),
    revisionRoute(context),
    fleetRoute(context),
    documentsRoute(context),
    resolveRoute(context),
    listVersionsRoute(context),
    newVersionRoute(changes),
    renamePolicyRoute(changes),
    rollbackPolicyRoute(changes),
    deleteAllVersionsRoute(changes),
    estimateImpactRoute(context),
    listAttachmentsRoute(context),
    createAttachmentRoute(changes),
    getAttachmentRoute(context),
    updateAttachmentRoute(changes),
    deleteAttachmentRoute(changes),
    getPolicyRoute(context),
    updatePolicyRoute(changes),
    deletePolicyRoute(changes),
    policyStatusRoute(changes),
    resolvedGuardrailsRoute(context, changes),
    validatePoliciesRoute(context),
    policySummaryRoute(context),
    policyInfoRoute(context),
    testPolicyRoute(context),
    ...guardrailRoutes(context, changes),
    ...trialRoutes(context, allowance),
    ...templateRoutes(context, changes, allowance),
    ...modelRoutes(context, changes),
    spendLogsRoute(context),
    spendLogPageRoute(context, '/spend/logs/ui'),
    spendLogPageRoute(context, '/spend/logs/v2'),
    spendLogContentRoute(context),
    guardrailOverviewRoute(context),
    guardrailDetailRoute(context),
    usageLogsRoute(context),
    policyOverviewRoute(context),
    ...auditRoutes(context),
  ];
  return routes.map((route) => withRefusalsRecorded(route, context));
}
