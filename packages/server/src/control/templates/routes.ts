import type { ChangeMaker } from '../changes/transact.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import type { TrialAllowance } from '../trials/allowance.ts';
import { applyTemplateRoute } from './apply.ts';
import { enrichTemplateRoute, enrichTemplateStreamRoute } from './enrich.ts';
import { listTemplatesRoute } from './read.ts';
import { suggestTemplatesRoute } from './suggest.ts';
import { testTemplateRoute } from './try.ts';

/** Templates of policies: shown, proposed by a model, tried on a text, and made. */
export function templateRoutes(
  context: ControlContext,
  changes: ChangeMaker,
  allowance: TrialAllowance,
): readonly Route[] {
  return [
    listTemplatesRoute(),
    testTemplateRoute(context, allowance),
    suggestTemplatesRoute(context, allowance),
    enrichTemplateRoute(context, allowance),
    enrichTemplateStreamRoute(context, allowance),
    applyTemplateRoute(context, changes),
  ];
}
