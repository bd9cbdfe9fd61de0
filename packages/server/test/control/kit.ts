import { callRoute } from '../../src/control/call.ts';
import type { ControlContext } from '../../src/control/context.ts';
import type { Route, RouteAnswer } from '../../src/control/route.ts';
import { controlRoutes } from '../../src/control/routes.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Database } from '../../src/ports/database.ts';
import type { Identity } from '../../src/ports/identity.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createAttempts } from '../../src/limits/attempts.ts';
import { createIdentities } from '../../src/storage/identity/identities.ts';
import { principalOf } from '../../src/storage/identity/principal.ts';
import { createSessions } from '../../src/storage/identity/sessions.ts';
import { guardrailParts, modelReader } from './guardrail-plane.ts';
import { sent } from './sent.ts';
import { preparedDirectory, realClock, recorder, stillClock } from '../storage/kit.ts';

export const MASTER = 'sk-master';
const POLICIES = ['strict', 'lax'];
const GUARDRAILS = ['pii-mask', 'toxicity', 'injection'];

// oxlint-disable-next-line typescript/no-explicit-any -- what a client of the reference gets from its JSON parser
export type Answer = RouteAnswer & { readonly status: number; readonly body: Record<string, any> };

/** A control plane on a real database, called as the HTTP adapter calls it. */
export interface Plane {
  readonly clock: Clock & { advance(ms: number): void };
  readonly database: Database;
  /** `POST /key/generate` and the like; the key that asks is the administrator's unless given. */
  call(
    route: string,
    input?: object,
    secret?: string | null,
    more?: { readonly params?: Readonly<Record<string, string>>; readonly query?: object },
  ): Promise<Answer>;
  readonly routes: readonly Route[];
  /** Policies whose attachments go by a token hash. */
  readonly attached: Map<string, readonly string[]>;
  /** What the gateway sees of a key. */
  identity(secret: string): Promise<Identity>;
  close(): Promise<void>;
}

export async function openPlane(): Promise<Plane> {
  const directory = await preparedDirectory();
  const heard = recorder();
  const clock = stillClock();
  const database = await openDatabase({
    dataDir: directory.path,
    url: null,
    clock: realClock,
    onEvent: heard.onEvent,
  });
  const identities = createIdentities({
    masterKey: MASTER,
    keys: database.stores.keys,
    clock,
    onEvent: heard.onEvent,
    freshMs: 60_000,
    maxStaleMs: 600_000,
  });
  database.onPrincipalChange((change) => identities.forget(change));
  const attached = new Map<string, readonly string[]>();
  const context: ControlContext = {
    database,
    clock,
    engine: {
      configured: () => null,
      current: () => null,
      compile: () => Promise.reject(new Error('no policies are compiled here')),
      reach: () => Promise.resolve(),
    },
    principalOf,
    knownNames: {
      isPolicy: (name) => POLICIES.includes(name),
      isGuardrail: (name) => GUARDRAILS.includes(name),
      attachedToKey: (tokenHash) => attached.get(tokenHash) ?? [],
    },
    catalogue: { guardrails: () => [], policies: () => [], models: () => [] },
    modelReader,
    guardrails: guardrailParts(),
    signIn: {
      sessions: createSessions({ masterKey: MASTER, sessions: database.stores.sessions, clock }),
      attempts: createAttempts({ clock, redisUrl: null }),
      sso: null,
    },
  };
  const routes = new Map<string, Route>(
    controlRoutes(context).map((route) => [`${route.method} ${route.path}`, route]),
  );

  const identity = async (secret: string): Promise<Identity> => {
    const result = await identities.find(secret);
    if (result.kind !== 'found') throw new Error(`${secret.slice(0, 8)} is ${result.kind}`);
    return result.identity;
  };

  return {
    clock,
    database,
    identity,
    routes: [...routes.values()],
    attached,
    async call(name, input = {}, secret = MASTER, more = {}) {
      const route = routes.get(name);
      if (route === undefined) throw new Error(`no route ${name}`);
      const answer = await callRoute(
        route,
        {
          body: route.method === 'GET' ? undefined : input,
          query: route.method === 'GET' ? input : (more.query ?? {}),
          params: more.params ?? {},
          identity: secret === null ? null : await identity(secret),
          callId: 'call-1',
        },
        clock.now(),
      );
      return sent(route, answer);
    },
    async close() {
      await database.close();
      directory.remove();
    },
  };
}
