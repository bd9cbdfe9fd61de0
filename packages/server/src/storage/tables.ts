import { bigint, boolean, integer, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core';

/**
 * The tables as queries see them; `migrations/` makes them. A schema of their own, because the database may be one that
 * LiteLLM already uses.
 */
const portcullis = pgSchema('portcullis');

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

export const teams = portcullis.table('teams', {
  teamId: text('team_id').primaryKey(),
  teamAlias: text('team_alias'),
  teamAliasSetBy: jsonb('team_alias_set_by'),
  organizationId: text('organization_id'),
  members: jsonb('members').notNull(),
  models: text('models').array().notNull(),
  metadata: jsonb('metadata').notNull(),
  protection: jsonb('protection').notNull(),
  limits: jsonb('limits').notNull().default({}),
  blocked: boolean('blocked').notNull(),
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  updatedAt: moment('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
});

export const keys = portcullis.table('keys', {
  tokenHash: text('token_hash').primaryKey(),
  keyName: text('key_name').notNull(),
  keyAlias: text('key_alias'),
  keyAliasSetBy: jsonb('key_alias_set_by'),
  teamId: text('team_id'),
  userId: text('user_id'),
  organizationId: text('organization_id'),
  models: text('models').array().notNull(),
  metadata: jsonb('metadata').notNull(),
  protection: jsonb('protection').notNull(),
  limits: jsonb('limits').notNull().default({}),
  accountId: text('account_id'),
  keyType: text('key_type').notNull().default('default'),
  blocked: boolean('blocked').notNull(),
  expiresAt: moment('expires_at'),
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  updatedAt: moment('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
});

export const retiredKeys = portcullis.table('retired_keys', {
  tokenHash: text('token_hash').primaryKey(),
  successor: text('successor').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const users = portcullis.table('users', {
  userId: text('user_id').primaryKey(),
  email: text('user_email'),
  alias: text('user_alias'),
  role: text('user_role').notNull(),
  passwordHash: text('password_hash'),
  ssoSubject: text('sso_subject'),
  models: text('models').array().notNull(),
  metadata: jsonb('metadata').notNull(),
  limits: jsonb('limits').notNull(),
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  updatedAt: moment('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
});

export const sessions = portcullis.table('sessions', {
  tokenHash: text('token_hash').primaryKey(),
  userId: text('user_id'),
  method: text('method').notNull(),
  credential: text('credential'),
  createdAt: moment('created_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const invitations = portcullis.table('invitations', {
  hash: text('invitation_hash').primaryKey(),
  userId: text('user_id').notNull(),
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  expiresAt: moment('expires_at').notNull(),
  acceptedAt: moment('accepted_at'),
});

export const spend = portcullis.table('spend', {
  account: text('account').primaryKey(),
  nano: bigint('nano', { mode: 'number' }).notNull(),
  sinceMs: bigint('since_ms', { mode: 'number' }).notNull(),
  updatedAt: moment('updated_at').notNull().defaultNow(),
});

export const tags = portcullis.table('tags', {
  name: text('name').primaryKey(),
  description: text('description'),
  models: text('models').array().notNull(),
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  updatedAt: moment('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
});

export const auditLog = portcullis.table('audit_log', {
  number: bigint('number', { mode: 'number' }).primaryKey(),
  at: moment('at').notNull(),
  actor: text('actor').notNull(),
  actorRole: text('actor_role').notNull(),
  action: text('action').notNull(),
  objectType: text('object_type').notNull(),
  objectId: text('object_id').notNull(),
  before: jsonb('before'),
  after: jsonb('after'),
  refused: text('refused'),
  revision: bigint('revision', { mode: 'number' }),
  callId: text('call_id').notNull(),
  previousHash: text('previous_hash').notNull(),
  hash: text('hash').notNull(),
});

export const auditHead = portcullis.table('audit_head', {
  single: boolean('single').primaryKey(),
  number: bigint('number', { mode: 'number' }).notNull(),
  hash: text('hash').notNull(),
});

export const policyHead = portcullis.table('policy_head', {
  single: boolean('single').primaryKey(),
  revision: bigint('revision', { mode: 'number' }).notNull(),
  configDigest: text('config_digest'),
});

export const policyRevisions = portcullis.table('policy_revisions', {
  revision: bigint('revision', { mode: 'number' }).primaryKey(),
  at: moment('at').notNull(),
  actor: text('actor').notNull(),
  callId: text('call_id').notNull(),
  configDigest: text('config_digest'),
});

export const policyHistory = portcullis.table('policy_history', {
  objectType: text('object_type').notNull(),
  objectId: text('object_id').notNull(),
  fromRevision: bigint('from_revision', { mode: 'number' }).notNull(),
  toRevision: bigint('to_revision', { mode: 'number' }),
  document: jsonb('document').notNull(),
});

export const policyNames = portcullis.table('policy_names', {
  policyName: text('policy_name').primaryKey(),
  nextVersion: integer('next_version').notNull(),
});

const written = {
  createdAt: moment('created_at').notNull(),
  createdBy: text('created_by'),
  updatedAt: moment('updated_at').notNull(),
  updatedBy: text('updated_by'),
};

export const policies = portcullis.table('policies', {
  policyId: text('policy_id').primaryKey(),
  policyName: text('policy_name').notNull(),
  versionNumber: integer('version_number').notNull(),
  versionStatus: text('version_status').notNull(),
  parentVersionId: text('parent_version_id'),
  content: jsonb('content').notNull(),
  note: text('note'),
  publishedAt: moment('published_at'),
  productionAt: moment('production_at'),
  ...written,
});

export const policyAttachments = portcullis.table('policy_attachments', {
  attachmentId: text('attachment_id').primaryKey(),
  policyName: text('policy_name').notNull(),
  scopeHash: text('scope_hash').notNull(),
  content: jsonb('content').notNull(),
  ...written,
});

export const guardrails = portcullis.table('guardrails', {
  guardrailId: text('guardrail_id').primaryKey(),
  guardrailName: text('guardrail_name').notNull(),
  content: jsonb('content').notNull(),
  ...written,
});

export const models = portcullis.table('models', {
  modelId: text('model_id').primaryKey(),
  modelName: text('model_name').notNull(),
  content: jsonb('content').notNull(),
  ...written,
});

export const idempotencyKeys = portcullis.table('idempotency_keys', {
  actor: text('actor').notNull(),
  key: text('key').notNull(),
  requestHash: text('request_hash').notNull(),
  status: integer('status').notNull(),
  revision: bigint('revision', { mode: 'number' }),
  body: text('body').notNull(),
  at: moment('at').notNull(),
});

export const guardrailSubmissions = portcullis.table('guardrail_submissions', {
  guardrailId: text('guardrail_id').primaryKey(),
  guardrailName: text('guardrail_name').notNull(),
  teamId: text('team_id'),
  status: text('status').notNull(),
  content: jsonb('content').notNull(),
  submittedAt: moment('submitted_at').notNull(),
  submittedBy: text('submitted_by').notNull(),
  reviewedAt: moment('reviewed_at'),
  reviewedBy: text('reviewed_by'),
  reviewReason: text('review_reason'),
});

export const principalHead = portcullis.table('principal_head', {
  single: boolean('single').primaryKey(),
  number: bigint('number', { mode: 'number' }).notNull(),
});

export const principalChanges = portcullis.table('principal_changes', {
  number: bigint('number', { mode: 'number' }).primaryKey(),
  keys: text('keys').array().notNull(),
  teams: text('teams').array().notNull(),
  users: text('users').array().notNull(),
});

export const replicas = portcullis.table('replicas', {
  replicaId: text('replica_id').primaryKey(),
  host: text('host').notNull(),
  pid: integer('pid').notNull(),
  version: text('version').notNull(),
  startedAt: moment('started_at').notNull(),
  heartbeatAt: moment('heartbeat_at').notNull(),
  state: text('state').notNull(),
  revision: bigint('revision', { mode: 'number' }),
  configDigest: text('config_digest'),
  rejectedRevision: bigint('rejected_revision', { mode: 'number' }),
  problem: text('problem'),
  problemSince: moment('problem_since'),
});
