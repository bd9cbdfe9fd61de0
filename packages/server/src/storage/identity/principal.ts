import type { Fact, ProtectionSettings, TagFact } from '@portcullis/policy';
import type { Identity, PrincipalOf } from '../../ports/identity.ts';
import type { KeyWithTeam } from '../../ports/keys.ts';
import type { UserRecord } from '../../ports/users.ts';
import { PROTECTION_WRITERS, type Protection, type Sourced } from '../../ports/protection.ts';
import { accountsOf, limitsOf } from './limits.ts';

/** `models` entries of the reference with a meaning of their own. */
const ALL_TEAM_MODELS = 'all-team-models';
const ALL_PROXY_MODELS = 'all-proxy-models';
const NO_DEFAULT_MODELS = 'no-default-models';

export interface BuiltIdentity {
  readonly identity: Identity;
  /** Values without a provenance that may be trusted, by field; they take no protection away (M7). */
  readonly untrusted: { readonly key: readonly string[]; readonly team: readonly string[] };
}

/** Makes the identity of a stored key: one frozen object, from which the engine computes once per key. */
export function buildIdentity(found: KeyWithTeam): BuiltIdentity {
  const { key, team, user } = found;
  const untrusted = { key: untrustedFields(key.protection), team: untrustedFields(team?.protection ?? {}) };
  const limits = limitsOf(found);
  const identity: Identity = {
    role: user?.role ?? 'internal_user',
    policy: principalOf({ key, team }),
    userEmail: user?.email ?? null,
    organizationId: key.organizationId ?? team?.organizationId ?? null,
    keyModels: callableModels(key.models, team !== null),
    teamModels: team === null ? null : callableModels(team.models, false),
    storesPrompts: team?.metadata['store_prompts'] === true,
    // As with budgets: in a team, the team says what its keys may do.
    userModels: user === null || team !== null ? null : callableModels(user.models, false),
    blocked: key.blocked || (team?.blocked ?? false),
    expiresAtMs: earliest(key.expiresAtMs, found.retiresAtMs),
    ...(key.keyType === 'default' ? {} : { keyType: key.keyType }),
    ...(limits.length === 0 ? {} : { limits }),
    accounts: accountsOf(found, limits),
  };
  return { identity: deepFreeze(identity), untrusted };
}

/** What the engine sees of a stored key, a stored team, or both. */
export const principalOf: PrincipalOf = ({ key, team }) => ({
  key_hash: key?.tokenHash ?? null,
  key_alias: key === null || key.alias === null ? null : factOf(key.alias),
  team_id: team?.teamId ?? key?.teamId ?? null,
  team_alias: team?.alias?.value.normalize('NFC') ?? null,
  user_id: key?.userId ?? null,
  tags: [...tagsOf('key', key?.protection ?? {}), ...tagsOf('team', team?.protection ?? {})],
  settings: [
    ...(key === null ? [] : [settingsOf('key', key.protection)]),
    ...(team === null ? [] : [settingsOf('team', team.protection)]),
  ],
  allow_policy_versions: trusted(key?.protection.allow_policy_versions) ?? false,
  model_aliases: {
    ...trusted(team?.protection.model_aliases),
    ...trusted(key?.protection.model_aliases),
  },
});

/** Who holds the master key. It has no stored row, hence no hash that a selector or a log could name. */
export function masterIdentity(): Identity {
  return deepFreeze<Identity>({
    role: 'proxy_admin',
    policy: {
      key_hash: null,
      key_alias: null,
      team_id: null,
      team_alias: null,
      user_id: 'default_user_id',
      tags: [],
      settings: [],
      allow_policy_versions: true,
      model_aliases: {},
    },
    userEmail: null,
    organizationId: null,
    keyModels: null,
    teamModels: null,
    storesPrompts: false,
    blocked: false,
    expiresAtMs: null,
  });
}

/** A user who is signed in, without any key. */
export function userIdentity(user: UserRecord): Identity {
  return deepFreeze<Identity>({
    role: user.role,
    policy: {
      key_hash: null,
      key_alias: null,
      team_id: null,
      team_alias: null,
      user_id: user.userId,
      tags: [],
      settings: [],
      allow_policy_versions: false,
      model_aliases: {},
    },
    userEmail: user.email,
    organizationId: null,
    keyModels: null,
    teamModels: null,
    userModels: callableModels(user.models, false),
    storesPrompts: false,
    blocked: false,
    expiresAtMs: null,
  });
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function isTrusted({ setBy }: Sourced<unknown>): boolean {
  return setBy !== null && PROTECTION_WRITERS.has(setBy.role);
}

function trusted<T>(field: Sourced<T> | undefined): T | undefined {
  return field !== undefined && isTrusted(field) ? field.value : undefined;
}

function factOf(field: Sourced<string>): Fact {
  return { value: field.value.normalize('NFC'), trusted: isTrusted(field) };
}

function tagsOf(source: 'key' | 'team', { tags }: Protection): readonly TagFact[] {
  if (tags === undefined) return [];
  const isFact = isTrusted(tags);
  return [...new Set(tags.value.map((tag) => tag.normalize('NFC')))].map((value) => ({
    value,
    trusted: isFact,
    source,
  }));
}

/**
 * Everything here is a trusted selection for the engine, so what nobody is known to have set may only be what adds or
 * forbids: a guardrail more, or a permission less. A policy is neither, because it may replace its ancestors (C3).
 */
function settingsOf(source: 'key' | 'team', protection: Protection): ProtectionSettings {
  return {
    source,
    policies: trusted(protection.policies) ?? [],
    guardrails: protection.guardrails?.value ?? [],
    opted_out_global_guardrails: trusted(protection.opted_out_global_guardrails) ?? [],
    disable_global_guardrails: trusted(protection.disable_global_guardrails) ?? false,
    client_guardrails: protection.permissions?.value.client_guardrails ?? true,
    client_policies: protection.permissions?.value.client_policies ?? true,
  };
}

function untrustedFields(protection: Protection): readonly string[] {
  return Object.entries(protection)
    .filter(([, field]: [string, Sourced<unknown>]) => !isTrusted(field))
    .map(([name]) => name);
}

/** The models a list allows; null means all. `all-team-models` leaves the choice to the team. */
export function callableModels(models: readonly string[], hasTeam: boolean): readonly string[] | null {
  if (models.length === 0 || models.includes(ALL_PROXY_MODELS)) return null;
  if (hasTeam && models.includes(ALL_TEAM_MODELS)) return null;
  return models.filter((model) => model !== ALL_TEAM_MODELS && model !== NO_DEFAULT_MODELS);
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member as object);
  }
  return Object.freeze(value);
}
