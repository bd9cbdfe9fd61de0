import type { ChangeMaker } from '../changes/transact.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { applyGuardrailRoute } from './apply.ts';
import {
  blockedWordsFileRoute,
  categoryYamlRoute,
  guardrailSettingsRoute,
  providerParamsRoute,
} from './forms.ts';
import { guardrailInfoRoute, listConfigGuardrailsRoute, listGuardrailsRoute } from './read.ts';
import {
  approveSubmissionRoute,
  listSubmissionsRoute,
  registerGuardrailRoute,
  rejectSubmissionRoute,
  submissionRoute,
} from './submissions.ts';
import { testCustomCodeRoute } from './test-code.ts';
import {
  createGuardrailRoute,
  deleteGuardrailRoute,
  patchGuardrailRoute,
  replaceGuardrailRoute,
} from './write.ts';

const ADMIN_ONLY = 'Admin access required to manage guardrails';

/** Every route of guardrails. */
export function guardrailRoutes(context: ControlContext, changes: ChangeMaker): readonly Route[] {
  const routes: readonly Route[] = [
    listConfigGuardrailsRoute(context),
    listGuardrailsRoute(context),
    createGuardrailRoute(context, changes),
    applyGuardrailRoute(context, '/guardrails/apply_guardrail'),
    applyGuardrailRoute(context, '/apply_guardrail'),
    testCustomCodeRoute(context),
    blockedWordsFileRoute(context),
    guardrailSettingsRoute(context),
    providerParamsRoute(context),
    categoryYamlRoute(context),
    registerGuardrailRoute(context),
    listSubmissionsRoute(context),
    submissionRoute(context),
    approveSubmissionRoute(context, changes),
    rejectSubmissionRoute(context),
    guardrailInfoRoute(context, '/guardrails/:guardrail_id'),
    guardrailInfoRoute(context, '/guardrails/:guardrail_id/info'),
    replaceGuardrailRoute(context, changes),
    patchGuardrailRoute(context, changes),
    deleteGuardrailRoute(context, changes),
  ];
  return routes.map((route) =>
    route.permission === 'admin' ? { ...route, roleRefusal: ADMIN_ONLY } : route,
  );
}
