import { bigint, boolean, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core';

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
  blocked: boolean('blocked').notNull(),
  expiresAt: moment('expires_at'),
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
  callId: text('call_id').notNull(),
  previousHash: text('previous_hash').notNull(),
  hash: text('hash').notNull(),
});

export const auditHead = portcullis.table('audit_head', {
  single: boolean('single').primaryKey(),
  number: bigint('number', { mode: 'number' }).notNull(),
  hash: text('hash').notNull(),
});
