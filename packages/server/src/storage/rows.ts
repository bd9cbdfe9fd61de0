import { z } from 'zod';
import { DatabaseError } from '../ports/database.ts';
import type { LimitSettings } from '../ports/limits.ts';
import { KEY_TYPES, type KeyRecord } from '../ports/keys.ts';
import type { Protection, SetBy, Sourced } from '../ports/protection.ts';
import type { TeamMember, TeamRecord } from '../ports/teams.ts';
import type { UserRecord } from '../ports/users.ts';

/**
 * Rows as they come from the database, read and never cast. What identifies a row must be right, or the row is a fault;
 * protection fields that are malformed are ignored one by one and named (O3), so that one bad value in old data takes
 * nothing else with it.
 */

const role = z.enum(['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer']);
const setBySchema = z.object({ by: z.string(), role, atMs: z.number() });
const textList = z.array(z.string());
const metadataSchema = z.record(z.string(), z.unknown());

const PROTECTION = {
  tags: textList,
  guardrails: textList,
  policies: textList,
  opted_out_global_guardrails: textList,
  disable_global_guardrails: z.boolean(),
  permissions: z.object({
    client_guardrails: z.boolean().optional(),
    client_policies: z.boolean().optional(),
  }),
  allow_policy_versions: z.boolean(),
  model_aliases: z.record(z.string(), z.string()),
} satisfies Record<keyof Protection, z.ZodType>;

type Field = keyof Protection;

const FIELDS = Object.keys(PROTECTION) as readonly Field[];

/** Names of protection fields inside `metadata`, as rows hold them that other programs have written. */
const TWINS: Readonly<Record<string, Field>> = {
  tags: 'tags',
  guardrails: 'guardrails',
  policies: 'policies',
  opted_out_global_guardrails: 'opted_out_global_guardrails',
  disable_global_guardrails: 'disable_global_guardrails',
  disable_global_guardrail: 'disable_global_guardrails',
  permissions: 'permissions',
  allow_policy_versions: 'allow_policy_versions',
  model_aliases: 'model_aliases',
  aliases: 'model_aliases',
};

const legacyModifySchema = z.object({ modify_guardrails: z.boolean() });

/** The readable part of a row's protection, the names of what is not, and the metadata that is neither. */
function readProtection(
  stored: unknown,
  metadata: Readonly<Record<string, unknown>>,
): Pick<KeyRecord, 'protection' | 'ignored' | 'metadata'> {
  const protection: Record<string, Sourced<unknown>> = {};
  const ignored: string[] = [];
  const fields = z.record(z.string(), z.unknown()).safeParse(stored);
  if (!fields.success) ignored.push('protection');

  for (const field of FIELDS) {
    const found = fields.data?.[field];
    if (found === undefined) continue;
    const sourced = z.object({ value: PROTECTION[field], setBy: z.unknown() }).safeParse(found);
    if (!sourced.success) {
      ignored.push(field);
      continue;
    }
    protection[field] = { value: sourced.data.value, setBy: readSetBy(sourced.data.setBy) };
  }

  // A twin in the free metadata was not written by this program: nobody knows who set it, so nobody trusts it (M7).
  for (const [twin, field] of Object.entries(TWINS)) {
    const value = metadata[twin];
    if (value === undefined || value === null || field in protection) continue;
    const legacy = field === 'guardrails' ? legacyModifySchema.safeParse(value) : undefined;
    if (legacy?.success === true) {
      protection['permissions'] ??= {
        value: { client_guardrails: legacy.data.modify_guardrails },
        setBy: null,
      };
      continue;
    }
    const parsed = PROTECTION[field].safeParse(value);
    if (parsed.success) protection[field] = { value: parsed.data, setBy: null };
    else ignored.push(`metadata.${twin}`);
  }
  const free = Object.entries(metadata).filter(([name]) => !Object.hasOwn(TWINS, name));
  return { protection, ignored, metadata: Object.fromEntries(free) };
}

function readSetBy(value: unknown): SetBy | null {
  const parsed = setBySchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

function readAlias(alias: string | null, setBy: unknown): Sourced<string> | null {
  return alias === null ? null : { value: alias, setBy: readSetBy(setBy) };
}

const perModel = z.record(z.string(), z.number()).optional();

/** Limits that cannot be read make the row a fault: to ignore one would be to lift it. */
const limitsSchema = z.strictObject({
  rpm_limit: z.number().optional(),
  tpm_limit: z.number().optional(),
  max_parallel_requests: z.number().optional(),
  model_rpm_limit: perModel,
  model_tpm_limit: perModel,
  max_budget: z.number().optional(),
  soft_budget: z.number().optional(),
  budget_duration: z.string().optional(),
  budget_period_ms: z.number().optional(),
  budget_since: z.number().optional(),
  temp_budget_increase: z.number().optional(),
  temp_budget_expiry: z.number().optional(),
});

function readLimits(limits: z.infer<typeof limitsSchema>): LimitSettings {
  // What is absent is absent, and not undefined: limits are compared and shown as they are.
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

const common = {
  organizationId: z.string().nullable(),
  models: textList,
  metadata: metadataSchema,
  protection: z.unknown(),
  limits: limitsSchema,
  blocked: z.boolean(),
  createdAt: z.date(),
  createdBy: z.string(),
  updatedAt: z.date(),
  updatedBy: z.string(),
};

const keyRow = z.object({
  tokenHash: z.string(),
  keyName: z.string(),
  keyAlias: z.string().nullable(),
  keyAliasSetBy: z.unknown(),
  teamId: z.string().nullable(),
  userId: z.string().nullable(),
  accountId: z.string().nullable(),
  keyType: z.enum(KEY_TYPES),
  expiresAt: z.date().nullable(),
  ...common,
});

export function readKeyRow(row: unknown): KeyRecord {
  const key = read(keyRow, row, 'key');
  return {
    tokenHash: key.tokenHash,
    keyName: key.keyName,
    alias: readAlias(key.keyAlias, key.keyAliasSetBy),
    teamId: key.teamId,
    userId: key.userId,
    organizationId: key.organizationId,
    models: key.models,
    ...readProtection(key.protection, key.metadata),
    limits: readLimits(key.limits),
    accountId: key.accountId ?? key.tokenHash,
    keyType: key.keyType,
    blocked: key.blocked,
    expiresAtMs: key.expiresAt?.getTime() ?? null,
    createdAtMs: key.createdAt.getTime(),
    createdBy: key.createdBy,
    updatedAtMs: key.updatedAt.getTime(),
    updatedBy: key.updatedBy,
  };
}

const memberSchema = z.object({
  role: z.enum(['admin', 'user']),
  user_id: z.string().nullable(),
  user_email: z.string().nullable(),
}) satisfies z.ZodType<TeamMember>;

const teamRow = z.object({
  teamId: z.string(),
  teamAlias: z.string().nullable(),
  teamAliasSetBy: z.unknown(),
  members: z.array(memberSchema),
  ...common,
});

export function readTeamRow(row: unknown): TeamRecord {
  const team = read(teamRow, row, 'team');
  return {
    teamId: team.teamId,
    alias: readAlias(team.teamAlias, team.teamAliasSetBy),
    organizationId: team.organizationId,
    members: team.members,
    models: team.models,
    ...readProtection(team.protection, team.metadata),
    limits: readLimits(team.limits),
    blocked: team.blocked,
    createdAtMs: team.createdAt.getTime(),
    createdBy: team.createdBy,
    updatedAtMs: team.updatedAt.getTime(),
    updatedBy: team.updatedBy,
  };
}

const userRow = z.object({
  userId: z.string(),
  email: z.string().nullable(),
  alias: z.string().nullable(),
  role,
  passwordHash: z.string().nullable(),
  ssoSubject: z.string().nullable(),
  models: textList,
  metadata: metadataSchema,
  limits: limitsSchema,
  createdAt: z.date(),
  createdBy: z.string(),
  updatedAt: z.date(),
  updatedBy: z.string(),
});

export function readUserRow(row: unknown): UserRecord {
  const user = read(userRow, row, 'user');
  return {
    userId: user.userId,
    email: user.email,
    alias: user.alias,
    role: user.role,
    hasPassword: user.passwordHash !== null,
    ssoSubject: user.ssoSubject,
    models: user.models,
    metadata: user.metadata,
    limits: readLimits(user.limits),
    createdAtMs: user.createdAt.getTime(),
    createdBy: user.createdBy,
    updatedAtMs: user.updatedAt.getTime(),
    updatedBy: user.updatedBy,
  };
}

/** The error names the columns and never their values. */
export function read<T>(schema: z.ZodType<T>, row: unknown, what: string): T {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const columns = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new DatabaseError('fault', `a stored ${what} cannot be read: ${columns}`);
}
