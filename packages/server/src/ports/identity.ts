import type { Principal } from '@portcullis/policy';
import type { KeyRecord, KeyType } from './keys.ts';
import type { Limited } from './limits.ts';
import type { TeamRecord } from './teams.ts';

export type Role = 'proxy_admin' | 'proxy_admin_viewer' | 'internal_user' | 'internal_user_viewer';

/** Who asks, frozen and shared between the requests of one key. `policy` is what the engine sees. */
export interface Identity {
  readonly role: Role;
  readonly policy: Principal;
  readonly userEmail: string | null;
  readonly organizationId: string | null;
  /** Model names the key and its team may call: null means all; both lists must allow a model. */
  readonly keyModels: readonly string[] | null;
  readonly teamModels: readonly string[] | null;
  /** The team wants prompts and answers of its requests stored (`metadata.store_prompts`). */
  readonly storesPrompts: boolean;
  /** The same for the user, who counts only for keys outside teams. */
  readonly userModels?: readonly string[] | null;
  readonly blocked: boolean;
  /** Milliseconds since the epoch, or null for never. */
  readonly expiresAtMs: number | null;
  /** What the key may be used for; absent for everything. */
  readonly keyType?: KeyType;
  /** The session that the caller came with instead of a key: it opens the control plane alone. */
  readonly session?: OpenSession;
  /** Who is counted and limited; absent when nobody is. */
  readonly limits?: readonly Limited[];
  /** Accounts without a budget, whose spending is only recorded. */
  readonly accounts?: readonly string[];
}

/** How somebody has proved who they are. */
export const LOGIN_METHODS = ['admin_key', 'password', 'sso'] as const;
export type LoginMethod = (typeof LOGIN_METHODS)[number];

export interface OpenSession {
  readonly tokenHash: string;
  readonly method: LoginMethod;
  readonly expiresAtMs: number;
}

export type IdentityResult =
  | { readonly kind: 'found'; readonly identity: Identity }
  | { readonly kind: 'unknown' }
  /** The store could not be asked and no copy that is fresh enough exists (S10). Never treated as unknown or anonymous. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Looks up keys. The answer is synchronous when the key is in the cache, so that the hot path makes no promise.
 */
export interface Identities {
  /** `secret` is the bearer key as sent; it is hashed at once and never kept or logged. */
  find(secret: string): IdentityResult | Promise<IdentityResult>;
}

/** What the engine sees of a stored key, a stored team, or both: the same that a request of theirs would bring. */
export type PrincipalOf = (stored: {
  readonly key: KeyRecord | null;
  readonly team: TeamRecord | null;
}) => Principal;
