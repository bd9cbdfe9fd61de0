import type { KeyRecord } from '../../ports/keys.ts';
import { protectionInMetadata, provenance } from '../protection.ts';

/** What the reference always has on a key and this gateway does not have yet. */
const ABSENT = {
  spend: 0,
  config: {},
  max_budget: null,
  soft_budget: null,
  budget_duration: null,
  budget_reset_at: null,
  max_parallel_requests: null,
  tpm_limit: null,
  rpm_limit: null,
  model_max_budget: {},
  model_spend: {},
  allowed_routes: [],
  allowed_cache_controls: [],
  litellm_budget_table: null,
};

/** A key as `/key/info` shows it: everything but what it could be found or used with. */
export function keyInfo(key: KeyRecord): Readonly<Record<string, unknown>> {
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
export function keyRow(key: KeyRecord): Readonly<Record<string, unknown>> {
  return { token: key.tokenHash, ...keyInfo(key) };
}

/** The answer to `/key/generate` and `/key/update`: the fields echoed, and the key itself if it is given. */
export function keyAnswer(key: KeyRecord, secret: string | null): Readonly<Record<string, unknown>> {
  const { protection } = key;
  return {
    ...(secret === null ? {} : { key: secret }),
    token: key.tokenHash,
    token_id: key.tokenHash,
    ...keyInfo(key),
    tags: protection.tags?.value ?? [],
    guardrails: protection.guardrails?.value ?? [],
    policies: protection.policies?.value ?? [],
  };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
