import type { Role } from './identity.ts';

/** Who wrote a value (M7, M9). */
export interface SetBy {
  /** User id, or the token hash of a key that belongs to nobody. */
  readonly by: string;
  readonly role: Role;
  readonly atMs: number;
}

/** A value and its provenance; `null` is a value nobody is known to have written, which no one may trust (M7). */
export interface Sourced<T> {
  readonly value: T;
  readonly setBy: SetBy | null;
}

export interface ClientPermissions {
  readonly client_guardrails?: boolean | undefined;
  readonly client_policies?: boolean | undefined;
}

/** The protection fields of a key or team (M9), each with who set it. What nobody set is absent. */
export interface Protection {
  readonly tags?: Sourced<readonly string[]>;
  readonly guardrails?: Sourced<readonly string[]>;
  readonly policies?: Sourced<readonly string[]>;
  readonly opted_out_global_guardrails?: Sourced<readonly string[]>;
  readonly disable_global_guardrails?: Sourced<boolean>;
  readonly permissions?: Sourced<ClientPermissions>;
  /** Keys only (A5). */
  readonly allow_policy_versions?: Sourced<boolean>;
  readonly model_aliases?: Sourced<Readonly<Record<string, string>>>;
}

/** Roles that may write protection fields, and whose values are therefore trusted (M7, M9). */
export const PROTECTION_WRITERS: ReadonlySet<Role> = new Set<Role>(['proxy_admin']);
