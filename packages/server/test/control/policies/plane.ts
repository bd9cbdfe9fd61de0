import {
  attachmentDefinitionSchema,
  attachmentFromDefinition,
  compile,
  type DetectorLookup,
  type Documents,
  type Guardrail,
  guardrailSchema,
  HOOKS,
  mergeObjects,
  policyDefinitionSchema,
  policyFromDefinition,
  type Snapshot,
} from '@portcullis/policy';
import { callRoute } from '../../../src/control/call.ts';
import { sent } from '../sent.ts';
import type { ControlContext } from '../../../src/control/context.ts';
import type { Route, RouteAnswer } from '../../../src/control/route.ts';
import { controlRoutes } from '../../../src/control/routes.ts';
import type { Database } from '../../../src/ports/database.ts';
import type { Identity, Role } from '../../../src/ports/identity.ts';
import type { ConfiguredObjects, PolicyEngine } from '../../../src/ports/policy-engine.ts';
import { openDatabase } from '../../../src/storage/database.ts';
import { masterIdentity, principalOf } from '../../../src/storage/identity/principal.ts';
import postgres, { type Sql } from 'postgres';
import { preparedDirectory, realClock, recorder, stillClock } from '../../storage/kit.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- what a client of the reference gets from its JSON parser
export type Answer = RouteAnswer & { readonly status: number; readonly body: any };

export interface Call {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly role?: Role;
}

/** The control plane of policies on a real database, with a snapshot that follows every change. */
export interface PolicyPlane {
  readonly database: Database;
  readonly clock: ReturnType<typeof stillClock>;
  /** Calls as the HTTP adapter does, as an administrator unless a role is given. */
  call(route: string, input?: Call): Promise<Answer>;
  /** The same, and fails when the answer is not 200. */
  ok(route: string, input?: Call): Promise<Answer['body']>;
  /** Replaces the configuration file. */
  configure(config: Partial<ConfiguredObjects>): Promise<void>;
  readonly routes: readonly Route[];
  readonly snapshot: () => Snapshot | null;
}

const GUARDRAILS = ['pii', 'toxicity', 'injection', 'secrets'];

export function guardrail(name: string, over: Record<string, unknown> = {}): Guardrail {
  return guardrailSchema.parse({
    guardrail_id: `id-${name}`,
    guardrail_name: name,
    litellm_params: { guardrail: 'test', mode: ['pre_call', 'post_call'], ...over },
  });
}

/** Policies as the YAML file has them. */
export const yamlPolicies = (definitions: Record<string, unknown>) =>
  Object.entries(definitions).map(([name, definition]) =>
    policyFromDefinition(name, policyDefinitionSchema.parse(definition)),
  );

export const yamlAttachments = (definitions: readonly object[]) =>
  definitions.map((definition, index) =>
    attachmentFromDefinition(index, attachmentDefinitionSchema.parse(definition)),
  );

/** A detector that can run everywhere. */
const ABLE: DetectorLookup = () => ({ hooks: HOOKS, masks: false });

export const EMPTY_CONFIG: ConfiguredObjects = {
  digest: 'config-1',
  policies: [],
  attachments: [],
  guardrails: GUARDRAILS.map((name) => guardrail(name)),
  modelGroups: [
    { model_name: 'gpt-5', deployments: [{ model: 'openai/gpt-5', guardrails: [] }] },
    { model_name: 'claude/*', deployments: [{ model: 'anthropic/*', guardrails: [] }] },
  ],
  modelIds: new Set(),
  modelAliases: { fast: 'gpt-5' },
  unscanned: null,
  createAs: 'production',
};

/** One database for a file of tests, emptied for each plane. */
export interface Planes {
  readonly sql: Sql;
  fresh(): Promise<PolicyPlane>;
  close(): Promise<void>;
}

export async function openPlanes(): Promise<Planes> {
  const directory = await preparedDirectory();
  const database = await openDatabase({
    dataDir: directory.path,
    url: null,
    clock: realClock,
    ...recorder(),
  });
  const path = `${directory.path}/run/.s.PGSQL.5432`;
  const sql = postgres({
    path,
    username: 'postgres',
    database: 'postgres',
    max: 1,
    onnotice: () => undefined,
  });
  return {
    sql,
    async fresh() {
      await sql.unsafe(`
        truncate portcullis.policy_history, portcullis.policy_revisions, portcullis.policies,
          portcullis.policy_names, portcullis.policy_attachments, portcullis.guardrails,
          portcullis.idempotency_keys, portcullis.keys, portcullis.teams, portcullis.audit_log;
        insert into portcullis.policy_revisions (revision, at, actor, call_id) values (0, now(), 'x', '');
        update portcullis.policy_head set revision = 0, config_digest = null;
        update portcullis.audit_head set number = 0, hash = repeat('0', 64)`);
      return openPolicyPlane(database);
    },
    async close() {
      await sql.end();
      await database.close();
      directory.remove();
    },
  };
}

/** A plane with a memory of its own on a database that somebody else closes: a replica. */
export async function openPolicyPlane(database: Database): Promise<PolicyPlane> {
  const clock = stillClock();
  let config = EMPTY_CONFIG;
  let configs = 1;
  let snapshot: Snapshot | null = null;

  const load = async (): Promise<void> => {
    const { revision } = await database.stores.policies.head();
    const { policies, attachments, guardrails } = await database.documents.read(revision);
    const merged = mergeObjects(config, {
      policies: policies.map(({ policy }) => policy),
      attachments: attachments.map(({ attachment }) => attachment),
      guardrails: guardrails.map((stored) => stored.guardrail),
    });
    const documents: Documents = {
      revision,
      ...merged,
      models: config.modelGroups,
      model_aliases: config.modelAliases,
      settings: { unscanned: config.unscanned },
    };
    const result = compile(documents, ABLE);
    if (result.ok) snapshot = result.snapshot;
  };
  const engine: PolicyEngine = {
    configured: () => config,
    current: () => snapshot,
    compile: (documents) => Promise.resolve(compile(documents, ABLE)),
    reach: load,
  };
  const context = {
    database,
    clock,
    knownNames: {
      isPolicy: (name: string) => snapshot?.production.has(name) ?? false,
      isGuardrail: (name: string) => snapshot?.guardrails.has(name) ?? false,
    },
    engine,
    principalOf,
    // The routes of guardrails are tested elsewhere.
    guardrails: { tools: {}, secrets: {} },
    signIn: { sessions: {}, attempts: {} },
    modelReader: {},
  } as unknown as ControlContext;
  const routes = controlRoutes(context);
  await load();

  let calls = 0;
  const call = async (name: string, input: Call = {}): Promise<Answer> => {
    const route = routes.find(({ method, path }) => `${method} ${path}` === name);
    if (route === undefined) throw new Error(`no route ${name}`);
    calls += 1;
    const answer = await callRoute(
      route,
      {
        body: input.body ?? (['GET', 'DELETE'].includes(route.method) ? undefined : {}),
        query: input.query ?? {},
        params: input.params ?? {},
        headers: input.headers ?? {},
        identity: identityOf(input.role ?? 'proxy_admin'),
        callId: `call-${calls}`,
      },
      clock.now(),
    );
    // Every write of a test has a moment of its own, as in life.
    clock.advance(1_000);
    return sent(route, answer);
  };

  return {
    database,
    clock,
    routes,
    call,
    snapshot: () => snapshot,
    async ok(name, input) {
      const answer = await call(name, input);
      if (answer.status !== 200) {
        throw new Error(`${name} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      return answer.body;
    },
    async configure(next) {
      configs += 1;
      config = { ...EMPTY_CONFIG, digest: `config-${configs}`, ...next };
      await load();
    },
  };
}

function identityOf(role: Role): Identity {
  const admin = masterIdentity();
  return role === 'proxy_admin'
    ? admin
    : { ...admin, role, policy: { ...admin.policy, user_id: `user-${role}` } };
}
