import type { ErrorCode } from '@portcullis/contract';
import type { Permission } from '../../control/route.ts';
import { MODEL_ROUTES } from './model-routes.ts';
import { READ_REFUSALS } from './refusals.ts';
import type { JsonSchema } from './schemas.ts';

/** What the document says of a route that is no management route. */
export interface DataPlaneOperation {
  readonly summary: string;
  readonly permission: Permission;
  readonly body?: JsonSchema;
  /** JSON when it is not given. */
  readonly bodyType?: string;
  /** Content types of a good answer; JSON when it is not given. */
  readonly answers?: readonly string[];
  readonly refusals: readonly ErrorCode[];
}

const MODELS: DataPlaneOperation = {
  summary: 'The models that this key may call',
  permission: 'any_key',
  refusals: READ_REFUSALS,
};
const ALIVE: DataPlaneOperation = { summary: 'Whether the process runs', permission: 'open', refusals: [] };
const DOCS: DataPlaneOperation = {
  summary: 'This description as a page to read and to try',
  permission: 'open',
  answers: ['text/html'],
  refusals: [],
};

const DASHBOARD: DataPlaneOperation = {
  summary: 'The dashboard, for a browser',
  permission: 'open',
  answers: ['text/html'],
  refusals: [],
};

/** By method and path. A route that is not here is listed with its path alone. */
export const DATA_PLANE: Readonly<Record<string, DataPlaneOperation>> = {
  ...MODEL_ROUTES,
  'GET /v1/models': MODELS,
  'GET /models': MODELS,
  'GET /health/liveliness': ALIVE,
  'GET /health/liveness': ALIVE,
  'GET /health/readiness': {
    summary: 'Whether it serves requests (200 or 503), and the state of the policy snapshot and the database',
    permission: 'open',
    refusals: [],
  },
  'GET /routes': { summary: 'Every path with its methods', permission: 'open', refusals: [] },
  'GET /debug/requests/:call_id': {
    summary: 'Why one request was decided as it was: its policies, guardrails, verdicts and times',
    permission: 'admin_viewer',
    refusals: [...READ_REFUSALS, 'admin_only', 'not_found'],
  },
  'GET /metrics': {
    summary: 'What this process counts, in the text format of Prometheus',
    permission: 'admin_viewer',
    answers: ['text/plain'],
    refusals: [...READ_REFUSALS, 'admin_only'],
  },
  'GET /openapi.json': { summary: 'This description', permission: 'open', refusals: [] },
  'GET /': DOCS,
  'GET /docs': DOCS,
  'GET /ui': DASHBOARD,
  'GET /ui/*': DASHBOARD,
};
