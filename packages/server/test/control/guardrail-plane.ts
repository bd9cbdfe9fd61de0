import { randomBytes } from 'node:crypto';
import { builtIns, type HttpPort, secretPaths } from '@portcullis/guardrails';
import { guardrailSchema, policyFromDefinition, policyDefinitionSchema } from '@portcullis/policy';
import { parse } from 'yaml';
import { callRoute } from '../../src/control/call.ts';
import { sent as asSent } from './sent.ts';
import { changeMaker } from '../../src/control/changes/transact.ts';
import type { ControlContext } from '../../src/control/context.ts';
import { guardrailRoutes } from '../../src/control/guardrails/routes.ts';
import { templateRoutes } from '../../src/control/templates/routes.ts';
import { TrialAllowance } from '../../src/control/trials/allowance.ts';
import { withRefusalsRecorded } from '../../src/control/refusals.ts';
import type { RouteAnswer } from '../../src/control/route.ts';
import { createAttempts } from '../../src/limits/attempts.ts';
import type { Database } from '../../src/ports/database.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { ConfiguredObjects } from '../../src/ports/policy-engine.ts';
import type { StoredGuardrail } from '../../src/ports/policy-store.ts';
import { buildSnapshot } from '../../src/snapshot/build.ts';
import { createPolicyEngine } from '../../src/snapshot/engine.ts';
import { guardrailTools } from '../../src/snapshot/guardrail-tools.ts';
import { ActiveSnapshots } from '../../src/snapshot/holder.ts';
import { masterIdentity } from '../../src/storage/identity/principal.ts';
import { createSessions } from '../../src/storage/identity/sessions.ts';
import { readStoredModel } from '../../src/config/stored-models.ts';
import type { ModelReader } from '../../src/ports/model-reader.ts';
import { keyringOf } from '../../src/storage/secrets/keyring.ts';
import { modelSeal } from '../../src/storage/secrets/model-seal.ts';
import { textSealer } from '../../src/storage/secrets/text-sealer.ts';
import { guardrailSecrets } from '../../src/storage/secrets/vault.ts';
import { realClock } from '../storage/kit.ts';

/** Reads models as the gateway does, without an environment. */
export const modelReader: ModelReader = {
  ...modelSeal(textSealer(keyringOf(['salt of models']))),
  read: (model) => readStoredModel(model, { timeoutMs: 600_000, streamTimeoutMs: 600_000 }),
};

// oxlint-disable-next-line typescript/no-explicit-any -- what a client of the reference gets from its JSON parser
export type Answer = RouteAnswer & { readonly status: number; readonly body: Record<string, any> };

export interface GuardrailPlane {
  readonly database: Database;
  /** What guardrails have sent to their services. */
  readonly sent: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
  /** What services answer next. */
  serviceAnswer: string;
  /** `POST /guardrails` and the like. */
  call(route: string, options?: CallOptions): Promise<Answer>;
  readonly routes: readonly string[];
  /** Puts what is stored in force, as the snapshot's loader does. */
  load(): Promise<void>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly as?: Identity;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ADMIN: Identity = masterIdentity();

export function identityOf(role: Identity['role'], teamId: string | null = null): Identity {
  const policy = { ...ADMIN.policy, user_id: `${role}-user`, team_id: teamId, key_hash: 'a'.repeat(64) };
  return { ...ADMIN, role, policy };
}

const CONFIG_GUARDRAIL = guardrailSchema.parse({
  guardrail_id: 'configured-filter',
  guardrail_name: 'configured-filter',
  litellm_params: {
    guardrail: 'generic_guardrail_api',
    mode: 'pre_call',
    api_base: 'https://configured.example',
    api_key: 'configured-secret-1',
  },
});

const CONFIG_POLICY = policyFromDefinition(
  'configured-policy',
  policyDefinitionSchema.parse({ guardrails: ['configured-filter'] }),
);

interface PartsOptions {
  readonly snapshots?: ActiveSnapshots;
  readonly http?: HttpPort;
  readonly salts?: readonly string[];
}

/** The guardrails' side of a control plane, for suites that are about something else too. */
export function guardrailParts({
  snapshots = new ActiveSnapshots(),
  http = { send: () => Promise.reject(new Error('no network here')) },
  salts = ['salt'],
}: PartsOptions = {}) {
  const catalogue = builtIns(null);
  const ports = { clock: realClock, http, hash: () => 'hash' };
  const secrets = guardrailSecrets({
    keyring: keyringOf(salts),
    secretPaths: (params) => secretPaths(params, catalogue),
  });
  return {
    tools: guardrailTools({ catalogue, ports, snapshots, parseYaml: parse }),
    secrets,
    catalogue,
    ports,
  };
}

/** The guardrail routes on a real database with real detectors; only what services answer is made up. */
export function guardrailPlane(database: Database, salts: readonly string[] = ['salt']): GuardrailPlane {
  const sent: GuardrailPlane['sent'] = [];
  const http: HttpPort = {
    async send({ url, headers, body }) {
      sent.push({ url, headers, body: body ?? '' });
      return { status: 200, headers: {}, body: plane.serviceAnswer };
    },
  };
  const snapshots = new ActiveSnapshots();
  const { tools, secrets, catalogue, ports } = guardrailParts({ snapshots, http, salts });
  const configured: ConfiguredObjects = {
    digest: 'digest',
    policies: [CONFIG_POLICY],
    attachments: [],
    guardrails: [CONFIG_GUARDRAIL],
    modelGroups: [],
    modelIds: new Set(),
    modelAliases: {},
    unscanned: null,
    createAs: 'production',
  };
  const openGuardrail = ({ guardrail }: StoredGuardrail) => secrets.open(guardrail);

  async function load(): Promise<void> {
    const { revision } = await database.documents.head();
    const stored = await database.documents.read(revision);
    const built = await buildSnapshot(
      {
        ...configured,
        policies: [...configured.policies, ...stored.policies.map(({ policy }) => policy)],
        guardrails: [...configured.guardrails, ...stored.guardrails.map(openGuardrail)],
        deployedGroups: [],
        settings: {
          keyHeaderName: null,
          useForwardedFor: false,
          addUserAgentTags: false,
          maxRequestBytes: 1_000_000,
          guardrailBudgetMs: 10_000,
          streamBufferCharacters: 1_000_000,
          storePrompts: false,
          unscanned: null,
        },
      },
      revision,
      { catalogue, ports, clock: realClock },
    );
    if (!built.ok) throw new Error(JSON.stringify(built.findings));
    snapshots.swap(built.snapshot);
  }

  const engine = createPolicyEngine({
    holder: snapshots,
    tools: { catalogue, ports, clock: realClock },
    configured: () => configured,
    reach: load,
    openGuardrail: (guardrail) => secrets.open(guardrail),
  });
  const context: ControlContext = {
    database,
    clock: realClock,
    knownNames: { isPolicy: () => true, isGuardrail: () => true },
    engine,
    principalOf: () => ADMIN.policy,
    guardrails: { tools, secrets },
    catalogue: { guardrails: () => [], policies: () => [], models: () => [] },
    modelReader,
    signIn: {
      sessions: createSessions({
        masterKey: 'sk-master',
        sessions: database.stores.sessions,
        clock: realClock,
      }),
      attempts: createAttempts({ clock: realClock, redisUrl: null }),
      sso: null,
    },
  };
  const routes = new Map(
    guardrailRoutes(context, changeMaker(context)).map((route) => [
      `${route.method} ${route.path}`,
      withRefusalsRecorded(route, context),
    ]),
  );

  const templates = templateRoutes(context, changeMaker(context), new TrialAllowance(realClock));

  const plane: GuardrailPlane = {
    database,
    sent,
    serviceAnswer: '{"action":"NONE"}',
    routes: [...routes.keys()],
    load,
    async call(name, { body, query = {}, id = '', as = ADMIN, headers = {} } = {}) {
      const route = routes.get(name) ?? templates.find(({ method, path }) => `${method} ${path}` === name);
      if (route === undefined) throw new Error(`no route ${name}`);
      const answer = await callRoute(
        route,
        {
          body,
          query,
          params: { guardrail_id: id, category_name: id },
          identity: as,
          callId: `call-${randomBytes(4).toString('hex')}`,
          headers,
        },
        realClock.now(),
      );
      return asSent(route, answer);
    },
  };
  return plane;
}
