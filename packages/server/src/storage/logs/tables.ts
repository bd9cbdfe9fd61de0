import {
  bigint,
  boolean,
  date,
  doublePrecision,
  integer,
  jsonb,
  pgSchema,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/** The tables of the log store as queries see them; `migrations/` makes them. */
const portcullis = pgSchema('portcullis');

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const whole = (name: string) => bigint(name, { mode: 'number' });

export const requests = portcullis.table('requests', {
  requestId: text('request_id').primaryKey(),
  startedAt: moment('started_at').notNull(),
  endedAt: moment('ended_at').notNull(),
  durationMs: doublePrecision('duration_ms').notNull(),
  callType: text('call_type').notNull(),
  status: text('status').notNull(),
  action: text('action').notNull(),
  errorCode: text('error_code'),
  teamId: text('team_id'),
  keyHash: text('key_hash'),
  keyAlias: text('key_alias'),
  userId: text('user_id'),
  organizationId: text('organization_id'),
  endUser: text('end_user'),
  model: text('model'),
  modelGroup: text('model_group'),
  provider: text('provider'),
  tags: text('tags').array().notNull(),
  promptTokens: whole('prompt_tokens'),
  completionTokens: whole('completion_tokens'),
  totalTokens: whole('total_tokens'),
  spend: doublePrecision('spend').notNull(),
  costKnown: boolean('cost_known').notNull(),
  record: jsonb('record').notNull(),
});

export const requestContents = portcullis.table('request_contents', {
  requestId: text('request_id').primaryKey(),
  messages: jsonb('messages'),
  response: jsonb('response'),
  inputSnippet: text('input_snippet'),
  outputSnippet: text('output_snippet'),
  withheld: text('withheld'),
});

export const requestDecisions = portcullis.table('request_decisions', {
  requestId: text('request_id').notNull(),
  kind: text('kind').notNull(),
  subject: text('subject').notNull(),
  name: text('name').notNull(),
  version: integer('version'),
  provider: text('provider'),
  startedAt: moment('started_at').notNull(),
  action: text('action').notNull(),
  latencyMs: doublePrecision('latency_ms'),
  score: doublePrecision('score'),
  reason: text('reason'),
});

export const dailyCounts = portcullis.table('daily_counts', {
  kind: text('kind').notNull(),
  subject: text('subject').notNull(),
  day: date('day', { mode: 'string' }).notNull(),
  name: text('name').notNull(),
  version: integer('version'),
  provider: text('provider'),
  evaluated: whole('evaluated').notNull(),
  passed: whole('passed').notNull(),
  masked: whole('masked').notNull(),
  blocked: whole('blocked').notNull(),
  flagged: whole('flagged').notNull(),
  errors: whole('errors').notNull(),
  notRun: whole('not_run').notNull(),
  timed: whole('timed').notNull(),
  latencyMs: doublePrecision('latency_ms').notNull(),
  buckets: whole('latency_buckets').array().notNull(),
  scored: whole('scored').notNull(),
  score: doublePrecision('score').notNull(),
});
