import { ERRORS, type RouteContract, ROUTES } from '@portcullis/contract';
import type { Permission, Route } from '../../control/route.ts';
import { DATA_PLANE, type DataPlaneOperation } from './data-plane.ts';
import { controlRefusals, ERROR_SCHEMA, SharedResponses } from './refusals.ts';
import { type JsonSchema, schemaRef, schemasOf } from './schemas.ts';
import { SUMMARIES } from './summaries.ts';

type Json = Readonly<Record<string, unknown>>;

export interface DocumentInput {
  readonly version: string;
  /** Everything that is mounted; parameters as `:name`. */
  readonly mounted: readonly { readonly method: string; readonly path: string }[];
  /** The declarations of the management routes among them. */
  readonly routes: readonly Route[];
}

/** Any of them carries the key. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'Authorization: Bearer sk-...' },
  xApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  apiKey: { type: 'apiKey', in: 'header', name: 'api-key' },
  googApiKey: { type: 'apiKey', in: 'header', name: 'x-goog-api-key' },
} as const;
const CONTRACTS: Readonly<Record<string, RouteContract | undefined>> = ROUTES;
const WITH_KEY = Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [] }));

const PERMISSIONS: Readonly<Record<Permission, string>> = {
  admin: 'Needs a key of a proxy_admin.',
  admin_viewer: 'Needs a key of a proxy_admin or proxy_admin_viewer.',
  any_key: 'Needs a key; what it may do with which object depends on its role.',
  self: 'Needs a key or a session; it concerns the caller alone.',
  open: 'Needs no key.',
};

/** Describes everything that is mounted as OpenAPI 3.1, from the declarations that the routes are checked with. */
export function openApiDocument({ version, mounted, routes }: DocumentInput): Json {
  const declared = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  const responses = new SharedResponses();
  const schemas: Record<string, unknown> = { Error: ERROR_SCHEMA };
  const paths: Record<string, Record<string, Json>> = {};
  const tags = new Set<string>();
  for (const { method, path } of mounted) {
    const name = `${method} ${path}`;
    const route = declared.get(name);
    const operation =
      route === undefined
        ? dataPlaneOperation(DATA_PLANE[name], responses)
        : controlOperation(route, operationId(method, path), schemas, responses);
    const tag = tagOf(path);
    tags.add(tag);
    const template = path.replaceAll(/:(\w+)/gu, '{$1}');
    (paths[template] ??= {})[method.toLowerCase()] = {
      tags: [tag],
      operationId: operationId(method, path),
      ...operation,
      parameters: [...pathParameters(path), ...(operation.parameters ?? [])],
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis',
      version,
      summary: 'A self-hosted LLM gateway with a guardrail policy engine',
      description:
        'A body or query is refused for any field that is not listed. Answers to calls with a key have the header x-litellm-call-id.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...tags].sort().map((name) => ({ name })),
    paths,
    components: { schemas, responses: responses.components, securitySchemes: SECURITY_SCHEMES },
    'x-portcullis-errors': ERRORS,
  };
}

interface Operation extends Json {
  readonly parameters?: readonly Json[];
}

function controlOperation(
  route: Route,
  id: string,
  schemas: Record<string, unknown>,
  responses: SharedResponses,
): Operation {
  const summary = SUMMARIES[`${route.method} ${route.path}`];
  const contract = CONTRACTS[`${route.method} ${route.path}`];
  const take = (name: string, schema: NonNullable<Route['body']>, side?: 'output'): JsonSchema => {
    const made = schemasOf(name, schema, side);
    Object.assign(schemas, made.components);
    return made.schema;
  };
  const query = route.query === undefined ? null : take(`${id}.query`, route.query);
  let body: Json = {};
  if (route.body !== undefined) {
    const name = `${id}.body`;
    schemas[name] = take(name, route.body);
    body = bodyOf(schemaRef(name), !route.body.safeParse(undefined).success);
  }
  let answer: JsonSchema | null = null;
  if (contract !== undefined) {
    const name = `${id}.answer`;
    schemas[name] = take(name, contract.answer, 'output');
    answer = schemaRef(name);
  }
  return {
    ...(summary === undefined ? {} : { summary }),
    ...access(route.permission),
    parameters: [...queryParameters(query), ...(route.method === 'GET' ? [] : CONDITIONS)],
    ...body,
    responses: {
      '2XX': answerOf([contract?.isEventStream === true ? 'text/event-stream' : 'application/json'], answer),
      ...responses.of(controlRefusals(route)),
    },
  };
}

function dataPlaneOperation(known: DataPlaneOperation | undefined, responses: SharedResponses): Operation {
  if (known === undefined) return { responses: { default: answerOf(['application/json']) } };
  const { summary, permission, body, bodyType, answers, refusals } = known;
  return {
    summary,
    ...access(permission),
    ...(body === undefined ? {} : bodyOf(body, true, bodyType)),
    responses: { '2XX': answerOf(answers ?? ['application/json']), ...responses.of(refusals) },
  };
}

function access(permission: Permission): Json {
  return {
    description: PERMISSIONS[permission],
    security: permission === 'open' ? [] : WITH_KEY,
    'x-permission': permission,
  };
}

function bodyOf(schema: JsonSchema, required: boolean, type = 'application/json'): Json {
  return { requestBody: { required, content: { [type]: { schema } } } };
}

function answerOf(types: readonly string[], schema: JsonSchema | null = null): Json {
  return {
    description: 'Done.',
    content: Object.fromEntries(types.map((type) => [type, schema === null ? {} : { schema }])),
  };
}

/** What the headers of a write may ask for. */
const CONDITIONS: readonly Json[] = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'A retry with the same key gets the same answer, where the route keeps answers.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'The revision that the caller has seen, where the route changes policies.',
    schema: { type: 'string' },
  },
];

function pathParameters(path: string): readonly Json[] {
  return [...path.matchAll(/:(\w+)/gu)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: JsonSchema | null): readonly Json[] {
  return Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: query?.required?.includes(name) ?? false,
    schema,
  }));
}

/** The resource that a path is about; the version in front of it is none. */
function tagOf(path: string): string {
  const [first, second] = path.split('/').filter((part) => part !== '');
  if (first === undefined || first === 'docs' || first === 'openapi.json' || first === 'routes')
    return 'about';
  const resource = /^v\d+$/u.test(first) ? (second ?? first) : first;
  return TAGS[resource] ?? resource;
}

/** Resources of the reference that have several spellings. */
const TAGS: Readonly<Record<string, string>> = {
  policy: 'policies',
  apply_guardrail: 'guardrails',
  models: 'model',
};

function operationId(method: string, path: string): string {
  const words = path
    .replace('*', 'below')
    .split(/[^A-Za-z0-9]+/u)
    .filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join('');
}
