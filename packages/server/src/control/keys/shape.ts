import type { KeyRecord } from '../../ports/keys.ts';
import { keyLimitsShown, limitsShown, type Seen } from '../limits.ts';
import { protectionInMetadata, provenance } from '../protection.ts';

/** What the reference always has on a key and this gateway does not have yet. */
const ABSENT = {
  config: {},
  model_max_budget: {},
  model_spend: {},
  allowed_routes: [],
  allowed_cache_controls: [],
  litellm_budget_table: null,
};

/** Where a key's spending is kept. */
export function accountOfKey({ accountId }: Pick<KeyRecord, 'accountId'>): string {
  return `key:${accountId}`;
}

/** A key as `/key/info` shows it: everything but what it could be found or used with. */
export function keyInfo(key: KeyRecord, seen: Seen | null = null): Readonly<Record<string, unknown>> {
  const { protection } = key;
  return {
    key_name: key.keyName,
    key_alias: key.alias?.value ?? null,
    expires: isoOf(key.expiresAtMs),
    models: key.models,
    aliases: protection.model_aliases?.value ?? {},
    user_id: key.userId,
    team_id: key.teamId,
    organization_id: key.organizationId,
    permissions: protection.permissions?.value ?? {},
    metadata: { ...key.metadata, ...protectionInMetadata(protection) },
    blocked: key.blocked,
    key_type: key.keyType,
    ...limitsShown(key.limits, accountOfKey(key), seen),
    ...keyLimitsShown(key.limits),
    ...ABSENT,
    created_at: isoOf(key.createdAtMs),
    created_by: key.createdBy,
    updated_at: isoOf(key.updatedAtMs),
    updated_by: key.updatedBy,
    provenance: provenance(protection, 'key_alias', key.alias),
    ...(key.ignored.length === 0 ? {} : { ignored_values: key.ignored }),
  };
}

/** A key in lists. */
export function keyRow(key: KeyRecord, seen: Seen | null = null): Readonly<Record<string, unknown>> {
  return { token: key.tokenHash, ...keyInfo(key, seen) };
}

/** The answer to `/key/generate` and `/key/update`: the fields echoed, and the key itself if it is given. */
export function keyAnswer(
  key: KeyRecord,
  secret: string | null,
  seen: Seen | null = null,
): Readonly<Record<string, unknown>> {
  const { protection } = key;
  return {
    ...(secret === null ? {} : { key: secret }),
    token: key.tokenHash,
    token_id: key.tokenHash,
    ...keyInfo(key, seen),
    tags: protection.tags?.value ?? [],
    guardrails: protection.guardrails?.value ?? [],
    policies: protection.policies?.value ?? [],
  };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
