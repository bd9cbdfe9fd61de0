import type { Guardrail } from '@portcullis/policy';
import { type ControlContext, seesAll } from '../context.ts';
import type { Route } from '../route.ts';
import { configGuardrail, configGuardrails, guardrailNotFound } from './access.ts';
import { configRow, guardrailRow, outlineParams, shownParams } from './shape.ts';

/** `GET /guardrails/list`: the guardrails of the configuration file, in the reference's shape. */
export function listConfigGuardrailsRoute({ guardrails: { tools, secrets } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/guardrails/list',
    permission: 'any_key',
    async handler({ identity }) {
      const params = (guardrail: Guardrail) =>
        seesAll(identity) ? shownParams(guardrail, secrets) : outlineParams(guardrail);
      const guardrails = configGuardrails(tools).map((guardrail) => ({
        guardrail_name: guardrail.guardrail_name,
        litellm_params: params(guardrail),
        guardrail_info: guardrail.guardrail_info,
      }));
      return { body: { guardrails } };
    },
  };
}

/** `GET /v2/guardrails/list`: those of the database, then those of the configuration file. */
export function listGuardrailsRoute({ database, guardrails: { tools, secrets } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/v2/guardrails/list',
    permission: 'any_key',
    async handler({ identity }) {
      const inForce = new Set(tools.inForce().map(({ guardrail_id }) => guardrail_id));
      const stored = await database.stores.policies.guardrails();
      const rows = [
        ...stored.map((one) => ({ row: guardrailRow(one, secrets), guardrail: one.guardrail })),
        ...configGuardrails(tools).map((guardrail) => ({ row: configRow(guardrail, secrets), guardrail })),
      ];
      const guardrails = rows.map(({ row, guardrail }) => ({
        ...row,
        ...(seesAll(identity) ? {} : { litellm_params: outlineParams(guardrail) }),
        in_force: inForce.has(guardrail.guardrail_id),
      }));
      return { body: { guardrails } };
    },
  };
}

/** `GET /guardrails/{id}` and `GET /guardrails/{id}/info`: of the database or the configuration file. */
export function guardrailInfoRoute(
  { database, guardrails: { tools, secrets } }: ControlContext,
  path: '/guardrails/:guardrail_id' | '/guardrails/:guardrail_id/info',
): Route {
  return {
    method: 'GET',
    path,
    permission: 'admin_viewer',
    async handler({ params }) {
      const id = params['guardrail_id'] ?? '';
      const inForce = tools.inForce().some(({ guardrail_id }) => guardrail_id === id);
      const stored = await database.stores.policies.guardrail(id);
      if (stored !== null) return { body: { ...guardrailRow(stored, secrets), in_force: inForce } };
      const configured = configGuardrail(tools, id);
      if (configured === null) throw guardrailNotFound(id);
      return { body: { ...configRow(configured, secrets), in_force: inForce } };
    },
  };
}
