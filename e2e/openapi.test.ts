// The description that the gateway gives of itself: complete, well-formed, and true enough to be attacked with.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROUTES } from '@portcullis/contract';
import { DescribedAnswers } from './support/answers.ts';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
guardrails:
  - guardrail_name: words
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
policies:
  base: { guardrails: { add: [words] } }
policy_attachments:
  - { policy: base, scope: "*" }
`;

const strict = process.env['PORTCULLIS_TEST_STRICT'] === '1';
const RUNS = strict ? 60 : 6;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags: readonly string[];
  readonly security?: readonly unknown[];
  readonly 'x-permission'?: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: {
    readonly content: { readonly 'application/json'?: { readonly schema: Schema } };
  };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

let gateway: Gateway;
let document: Document;

beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
  document = (await (await gateway.get('/openapi.json', null)).json()) as Document;
});
afterAll(() => gateway.stop());

interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operations(): readonly Described[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }];
    }),
  );
}

test('every mounted route is described, and nothing else', async () => {
  const { routes } = (await (await gateway.get('/routes', null)).json()) as {
    routes: { path: string; methods: string[] }[];
  };
  const mounted = routes.flatMap(({ path, methods }) =>
    methods.map((method) => `${method} ${path.replaceAll(/:(\w+)/gu, '{$1}')}`),
  );
  const described = operations().map(({ method, path }) => `${method} ${path}`);
  expect(described.toSorted()).toEqual([...new Set(mounted)].toSorted());
  expect(described).toContain('POST /v1/chat/completions');
  expect(described).toContain('PUT /policies/{policy_id}/status');
});

test('the document is well-formed: references, names, parameters, security', () => {
  expect(document.openapi).toBe('3.1.0');
  const broken: string[] = [];
  const resolve = (ref: string): unknown =>
    ref
      .slice(2)
      .split('/')
      .reduce<unknown>(
        (found, part) =>
          typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[part] : undefined,
        document,
      );
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === '$ref' && typeof member === 'string') {
        if (!member.startsWith('#/') || resolve(member) === undefined) broken.push(member);
      } else visit(member);
    }
  };
  visit(document);
  expect(broken).toEqual([]);
  expect(Object.keys(document.components.schemas).filter((name) => !/^[\w.-]+$/u.test(name))).toEqual([]);

  const ids = operations().map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = new Set(document.tags.map(({ name }) => name));
  const wrong = operations().filter(({ path, operation }) => {
    const inPath = [...path.matchAll(/\{(\w+)\}/gu)].map(([, parameter]) => parameter);
    const declared = operation.parameters.filter((one) => one.in === 'path').map((one) => one.name);
    const parameters = operation.parameters.map((one) => `${one.in} ${one.name}`);
    return (
      !tags.has(operation.tags[0] ?? '') ||
      Object.keys(operation.responses).length === 0 ||
      declared.join() !== inPath.join() ||
      new Set(parameters).size !== parameters.length
    );
  });
  expect(wrong).toEqual([]);
});

test('permissions are told, and a key is asked for wherever one is needed', async () => {
  const told = new Map(operations().map(({ method, path, operation }) => [`${method} ${path}`, operation]));
  expect(told.get('POST /policies')?.['x-permission']).toBe('admin');
  expect(told.get('GET /audit/verify')?.['x-permission']).toBe('admin_viewer');
  expect(told.get('GET /health/liveness')?.security).toEqual([]);
  const answers = await Promise.all(
    operations()
      .filter(
        ({ operation }) => operation['x-permission'] !== undefined && operation['x-permission'] !== 'open',
      )
      .map(async ({ method, path }) => {
        const { status } = await send(method, path.replaceAll(/\{\w+\}/gu, 'x'), {
          key: null,
          // Calls of models that come with a body.
          body: method === 'GET' ? undefined : { model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] },
        });
        return { name: `${method} ${path}`, status };
      }),
  );
  expect(answers.filter(({ status }) => status !== 401)).toEqual([]);
});

test('the page shows it without anything from elsewhere', async () => {
  for (const path of ['/', '/docs', '/docs/']) {
    const answer = await gateway.get(path, null);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[\w+/]{43}='/u);
    const html = await answer.text();
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
    expect(html).not.toContain('innerHTML');
  }
});

test('the answers of every management route are described field by field', () => {
  const described = new DescribedAnswers({ ...document });
  const bare = Object.keys(ROUTES).filter(
    (name) => !described.describes(name.replaceAll(/:(\w+)/gu, '{$1}')),
  );
  expect(bare).toEqual([]);
});

test('the least that is valid, and anything that is not, gets an answer that is described, and never a fault', async () => {
  const faults: unknown[] = [];
  const answers = new DescribedAnswers({ ...document });
  for (const described of operations()) {
    const { method, path, operation } = described;
    const body = operation.requestBody?.content['application/json']?.schema;
    const attempt = async (input: Input): Promise<void> => {
      const target = filled(path, input.params) + search(input.query);
      const { status, text } = await send(method, target, { key: ADMIN_KEY, body: input.body });
      const isRefusal = status < 400 || text.includes('"portcullis_code"');
      // The model that answers by itself proposes nothing that could be used.
      const isUpstream = text.includes('"portcullis_code":"upstream_invalid"');
      if ((status >= 500 && !isUpstream) || !isRefusal)
        faults.push({ method, target, body: input.body, status, text });
      if (status >= 300) return;
      const problem = answers.problem(`${method} ${path}`, parsedJson(text));
      if (problem !== null) faults.push({ method, target, problem, text: text.slice(0, 500) });
    };
    await attempt({ params: [], query: {}, body: body === undefined ? undefined : least(body) });
    for (const input of unstorable(operation, body)) await attempt(input);
    for (const input of fc.sample(inputs(operation, body), { numRuns: RUNS, seed: 20_240 })) {
      await attempt(input);
    }
  }
  expect(faults).toEqual([]);
  // It still works after all that.
  expect((await gateway.get('/health/readiness', null)).status).toBe(200);
}, 240_000);

// ── Input made from the schemas ─────────────────────────────────────────────────────────────────────────────────────

interface Input {
  readonly params: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return document.components.schemas[schema.$ref.replace('#/components/schemas/', '')] ?? {};
}

function typeOf({ type }: Schema): string {
  return (typeof type === 'string' ? type : type?.[0]) ?? '';
}

/** The least that a schema takes; what a refinement asks for besides is not in it. */
function least(given: Schema, depth = 0): unknown {
  const schema = resolved(given);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (depth > 8) return null;
  if (schema.anyOf?.[0] !== undefined) return least(schema.anyOf[0], depth + 1);
  switch (typeOf(schema)) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, least(schema.properties?.[name] ?? {}, depth + 1)]),
      );
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => least(schema.items ?? {}, depth + 1));
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return 'gpt';
    default:
      return null;
  }
}

/** Texts that databases, paths and regular expressions stumble over. */
const nasty = fc.constantFrom(
  '',
  ' ',
  '\u0000',
  '\ud800',
  "'; drop table keys; --",
  '../../etc/passwd',
  '%00',
  '%',
  '*',
  '((((a+)+)+)+)+$',
  '__proto__',
  'constructor',
  'x'.repeat(5_000),
  '９９９',
  'é',
  '99999999999999999999',
  '-1',
  '1e309',
  'NaN',
  '2026-02-31',
);
const anyText = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 12 }));
const anyLeaf = fc.oneof(
  anyText,
  fc.double(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom<unknown>([], {}, [[]], [null], { a: { b: [1] } }, 1e300, -0),
);
const anyValue = fc.oneof({ weight: 4, arbitrary: anyLeaf }, { weight: 1, arbitrary: fc.jsonValue() });

/** A value that mostly has the form of the schema, and in one place or another has not. */
function near(given: Schema, depth = 0): fc.Arbitrary<unknown> {
  const schema = resolved(given);
  const wrong = { weight: 1, arbitrary: anyValue };
  const right = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 3, arbitrary }, wrong);
  if (depth > 4) return anyLeaf;
  if (schema.enum !== undefined) return right(fc.constantFrom(...schema.enum));
  if (schema.const !== undefined) return right(fc.constant(schema.const));
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => near(one, depth + 1)));
  switch (typeOf(schema)) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const members = Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [
          name,
          required.includes(name)
            ? near(one, depth + 1)
            : fc.option(near(one, depth + 1), { nil: undefined, freq: 1 }),
        ]),
      );
      return right(fc.record(members));
    }
    case 'array':
      return right(fc.array(near(schema.items ?? {}, depth + 1), { maxLength: 3 }));
    case 'integer':
      return right(fc.integer());
    case 'number':
      return right(fc.double());
    case 'boolean':
      return right(fc.boolean());
    case 'string':
      return right(fc.oneof(fc.constantFrom('gpt', 'words', 'base'), anyText));
    default:
      return anyValue;
  }
}

function inputs(operation: Operation, body: Schema | undefined): fc.Arbitrary<Input> {
  const inQuery = operation.parameters.filter((one) => one.in === 'query');
  const query = Object.fromEntries(
    inQuery.map(({ name, schema }) => [
      name,
      fc.option(fc.oneof(anyText, near(schema).map(String)), { nil: undefined }),
    ]),
  );
  return fc.record({
    params: fc.array(anyText, { minLength: 3, maxLength: 3 }),
    query: fc.record(query) as fc.Arbitrary<Record<string, string>>,
    body: body === undefined ? fc.constant(undefined) : near(body),
  });
}

/** The one character that the database cannot hold, in each place in turn. */
function unstorable(operation: Operation, body: Schema | undefined): readonly Input[] {
  const text = 'a\u0000b';
  const valid = body === undefined ? undefined : least(body);
  const inQuery = operation.parameters.filter((one) => one.in === 'query');
  const fields = Object.entries(body === undefined ? {} : (resolved(body).properties ?? {}));
  return [
    { params: [text, text, text], query: {}, body: valid },
    ...inQuery.map(({ name }) => ({ params: [], query: { [name]: text }, body: valid })),
    ...fields.flatMap(([name]) =>
      [text, [text], { [text]: text }].map((value) => ({
        params: [],
        query: {},
        body: { ...(valid as object), [name]: value },
      })),
    ),
  ];
}

/** Pages and streams are no JSON, and are described as such. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Half a surrogate pair cannot stand in an address. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function filled(path: string, params: readonly string[]): string {
  let next = 0;
  return path.replaceAll(/\{\w+\}/gu, () => {
    const text = wellFormed((params[next++] ?? 'nobody').slice(0, 300));
    return encodeURIComponent(text === '' || /^\.+$/u.test(text) ? 'x' : text);
  });
}

function search(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const pairs = given.map(([name, value]): [string, string] => [name, wellFormed(value)]);
  const text = new URLSearchParams(pairs).toString();
  return text === '' ? '' : `?${text}`;
}

async function send(
  method: string,
  target: string,
  { key, body }: { readonly key: string | null; readonly body: unknown },
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(gateway.url + target, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}
