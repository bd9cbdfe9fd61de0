import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { TrialAllowance } from './allowance.ts';
import { testPoliciesRoute } from './compliance.ts';
import { testPipelineRoute } from './pipeline.ts';

/** Everything that runs guardrails on made-up content; the routes share one allowance (D-77). */
export function trialRoutes(
  context: ControlContext,
  allowance: TrialAllowance = new TrialAllowance(context.clock),
): readonly Route[] {
  return [testPipelineRoute(context, allowance), testPoliciesRoute(context, allowance)];
}
