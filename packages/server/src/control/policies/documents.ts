import { commonParamsSchema, type Guardrail } from '@portcullis/policy';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { snapshotOf } from './resolve.ts';

/**
 * `GET /policies/documents`: what the snapshot in force was compiled from, so that somebody else can run the same engine
 * on it (A6). Of a guardrail only what the engine reads is told: how it detects, and its secrets, stay here.
 */
export function documentsRoute(context: ControlContext): Route {
  return {
    method: 'GET',
    path: '/policies/documents',
    permission: 'admin_viewer',
    async handler() {
      const { documents, guardrailEntries, revision } = snapshotOf(context);
      const hooks = [...guardrailEntries].map(([name, { servedHooks }]) => [name, [...servedHooks]]);
      return {
        body: {
          revision,
          documents: { ...documents, guardrails: documents.guardrails.map(readByEngine) },
          served_hooks: Object.fromEntries(hooks) as Readonly<Record<string, readonly string[]>>,
        },
        headers: { 'x-portcullis-revision': String(revision) },
      };
    },
  };
}

const READ = Object.keys(commonParamsSchema.shape);

function readByEngine({ guardrail_id, guardrail_name, litellm_params: params }: Guardrail): object {
  const read = READ.filter((name) => params[name] !== undefined).map((name) => [name, params[name]]);
  return {
    guardrail_id,
    guardrail_name,
    litellm_params: Object.fromEntries(read) as Readonly<Record<string, unknown>>,
  };
}
