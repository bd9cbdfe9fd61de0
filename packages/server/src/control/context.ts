import type { Catalogue } from '../ports/catalogue.ts';
import type { Clock } from '../ports/clock.ts';
import type { Database } from '../ports/database.ts';
import type { GuardrailSecrets } from '../ports/guardrail-secrets.ts';
import type { GuardrailTools } from '../ports/guardrail-tools.ts';
import type { Identity, PrincipalOf, Role } from '../ports/identity.ts';
import type { ModelCaller } from '../ports/model-caller.ts';
import type { KnownNames } from '../ports/names.ts';
import type { PolicyEngine } from '../ports/policy-engine.ts';
import type { ModelReader } from '../ports/model-reader.ts';
import type { SetBy } from '../ports/protection.ts';
import type { Attempts } from '../ports/attempts.ts';
import type { Sessions } from '../ports/sessions.ts';
import type { SingleSignOn } from '../ports/sso.ts';

/** What the handlers of the control plane work with. */
export interface ControlContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly knownNames: KnownNames;
  readonly engine: PolicyEngine;
  readonly principalOf: PrincipalOf;
  readonly guardrails: { readonly tools: GuardrailTools; readonly secrets: GuardrailSecrets };
  readonly catalogue: Catalogue;
  readonly modelReader: ModelReader;
  readonly signIn: {
    readonly sessions: Sessions;
    readonly attempts: Attempts;
    /** Null without an identity provider. */
    readonly sso: SingleSignOn | null;
  };
  /** Asks configured models; absent where nobody calls models. */
  readonly models?: ModelCaller;
  /** What the gateway counts; absent where nobody calls models. */
  readonly spending?: Spending;
}

/** The counters of the data plane, as far as management touches them. */
export interface Spending {
  /** Writes what was spent, so that it can be shown. Never rejects. */
  flush(): Promise<void>;
  /** Has what these accounts have spent read again. */
  forget(accounts: readonly string[]): void;
}

/** Who changes something: the user, or the key when it belongs to nobody. */
export interface Actor {
  readonly by: string;
  readonly role: Role;
}

export function actorOf({ role, policy }: Identity): Actor {
  return { by: policy.user_id ?? policy.key_hash ?? 'unknown', role };
}

export function setByOf(identity: Identity, atMs: number): SetBy {
  return { ...actorOf(identity), atMs };
}

export function isAdmin({ role }: Identity): boolean {
  return role === 'proxy_admin';
}

/** Whether everything may be read. */
export function seesAll({ role }: Identity): boolean {
  return role === 'proxy_admin' || role === 'proxy_admin_viewer';
}
