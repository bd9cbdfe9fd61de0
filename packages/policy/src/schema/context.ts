import { z } from 'zod';

/** A value and whether it may take protection away (M7). A caller's fact can only add. */
export interface Fact {
  readonly value: string;
  readonly trusted: boolean;
}

/** A tag with its origin, for example `key`, `team`, `request`, `header`, `user_agent`, `question`. */
export interface TagFact extends Fact {
  readonly source: string;
}

/** What an administrator set on a key, team or project. */
export interface ProtectionSettings {
  readonly source: 'key' | 'team' | 'project';
  readonly policies: readonly string[];
  readonly guardrails: readonly string[];
  readonly opted_out_global_guardrails: readonly string[];
  readonly disable_global_guardrails: boolean;
  /** `permissions.client_guardrails: false`: requests may not add guardrails (O5). */
  readonly client_guardrails: boolean;
  /** `permissions.client_policies: false`: requests may not add policies (A4). */
  readonly client_policies: boolean;
}

/**
 * Who asks, frozen. One object per cached key row, so that what depends on it alone is computed once.
 */
export interface Principal {
  readonly key_hash: string | null;
  readonly key_alias: Fact | null;
  readonly team_id: string | null;
  readonly team_alias: string | null;
  readonly user_id: string | null;
  readonly tags: readonly TagFact[];
  readonly settings: readonly ProtectionSettings[];
  /** May name exact policy versions in a request (A5). */
  readonly allow_policy_versions: boolean;
  /** Model aliases of key and team, the key's first (M8, M9). */
  readonly model_aliases: Readonly<Record<string, string>>;
}

/** A guardrail named in a request; `params` are the caller's parameters for it (O5). */
export interface RequestedGuardrail {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>> | null;
}

/** Everything the engine looks at (A6). `tags` are the caller's; trusted tags are the principal's. */
export interface Context {
  readonly principal: Principal;
  readonly model: string | null;
  readonly tags: readonly TagFact[];
  readonly guardrails: readonly RequestedGuardrail[];
  readonly policies: readonly string[];
}

export const ANONYMOUS: Principal = Object.freeze({
  key_hash: null,
  key_alias: null,
  team_id: null,
  team_alias: null,
  user_id: null,
  tags: [],
  settings: [],
  allow_policy_versions: false,
  model_aliases: {},
});

/** The question of `/policies/resolve`: `tags` are trusted, `caller_tags` are the caller's (Q1). */
export const resolveQuestionSchema = z.strictObject({
  team_alias: z.string().nullish(),
  team_id: z.string().nullish(),
  key_alias: z.string().nullish(),
  key_hash: z.string().nullish(),
  model: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  caller_tags: z.array(z.string()).nullish(),
  guardrails: z.array(z.string()).nullish(),
  policies: z.array(z.string()).nullish(),
  explain: z.boolean().nullish(),
});
export type ResolveQuestion = z.infer<typeof resolveQuestionSchema>;
