-- The number of the last change. Whoever changes policies locks this row first, so changes follow each other and
-- revisions have no gaps.
create table portcullis.policy_head (
  single boolean primary key default true,
  revision bigint not null,
  config_digest text,
  constraint policy_head_single check (single)
);

insert into portcullis.policy_head (revision) values (0);

create table portcullis.policy_revisions (
  revision bigint primary key,
  at timestamptz not null,
  actor text not null,
  call_id text not null,
  -- Digest of the configuration file that the revision goes with.
  config_digest text
);

insert into portcullis.policy_revisions (revision, at, actor, call_id) values (0, now(), 'portcullis', '');

-- What every object was, and from which revision until before which; `to_revision` is null for what is still so.
create table portcullis.policy_history (
  object_type text not null,
  object_id text not null,
  from_revision bigint not null references portcullis.policy_revisions (revision),
  to_revision bigint references portcullis.policy_revisions (revision),
  document jsonb not null,
  primary key (object_type, object_id, from_revision),
  constraint policy_history_object_type check (object_type in ('policy', 'attachment', 'guardrail')),
  constraint policy_history_span check (to_revision > from_revision)
);

create unique index policy_history_current on portcullis.policy_history (object_type, object_id)
  where to_revision is null;
create index policy_history_from on portcullis.policy_history (from_revision);
create index policy_history_to on portcullis.policy_history (to_revision) where to_revision is not null;

-- A name keeps its row when its versions are deleted, so that no number is ever given twice.
create table portcullis.policy_names (
  policy_name text primary key,
  next_version integer not null default 1
);

create table portcullis.policies (
  policy_id text primary key,
  policy_name text not null,
  version_number integer not null,
  version_status text not null,
  parent_version_id text,
  content jsonb not null,
  note text,
  published_at timestamptz,
  production_at timestamptz,
  created_at timestamptz not null,
  created_by text,
  updated_at timestamptz not null,
  updated_by text,
  constraint policies_name_known foreign key (policy_name) references portcullis.policy_names (policy_name),
  constraint policies_number_unique unique (policy_name, version_number),
  constraint policies_number_positive check (version_number > 0),
  constraint policies_status_known check (version_status in ('draft', 'published', 'production'))
);

create unique index policies_one_production on portcullis.policies (policy_name)
  where version_status = 'production';
create index policies_created_at_index on portcullis.policies (created_at, policy_id);

-- No foreign key to policies: an attachment may name a policy of the configuration file.
create table portcullis.policy_attachments (
  attachment_id text primary key,
  policy_name text not null,
  -- Of the policy and the selectors, in whatever order they were written: the same attachment is made once.
  scope_hash text not null,
  content jsonb not null,
  created_at timestamptz not null,
  created_by text,
  updated_at timestamptz not null,
  updated_by text,
  constraint policy_attachments_scope_unique unique (scope_hash)
);

create index policy_attachments_policy_name_index on portcullis.policy_attachments (policy_name);
create index policy_attachments_created_at_index on portcullis.policy_attachments (created_at, attachment_id);

create table portcullis.guardrails (
  guardrail_id text primary key,
  guardrail_name text not null,
  content jsonb not null,
  created_at timestamptz not null,
  created_by text,
  updated_at timestamptz not null,
  updated_by text
);

create index guardrails_guardrail_name_index on portcullis.guardrails (guardrail_name);

-- Answers that a retry with the same key gets again. The body is text, because jsonb would change its order.
create table portcullis.idempotency_keys (
  actor text not null,
  key text not null,
  request_hash text not null,
  status integer not null,
  revision bigint,
  body text not null,
  at timestamptz not null,
  primary key (actor, key)
);

create index idempotency_keys_at_index on portcullis.idempotency_keys (at);

-- The revision that a change took; null for what is no part of a snapshot.
alter table portcullis.audit_log add column revision bigint;

-- Who names a policy is asked before the policy may go.
create index keys_protection_index on portcullis.keys using gin (protection jsonb_path_ops);
create index teams_protection_index on portcullis.teams using gin (protection jsonb_path_ops);
