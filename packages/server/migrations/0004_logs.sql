-- One row for each request, with what it is looked for by; the whole record beside it. Spend is 0 and not known until
-- costs are worked out.
create table portcullis.requests (
  -- Collated by bytes, so that the index of the key also finds the beginning of an id.
  request_id text collate "C" primary key,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  duration_ms double precision not null,
  call_type text not null,
  status text not null,
  action text not null,
  error_code text,
  team_id text,
  key_hash text,
  key_alias text,
  user_id text,
  organization_id text,
  end_user text,
  model text,
  model_group text,
  provider text,
  tags text[] not null default '{}',
  prompt_tokens bigint,
  completion_tokens bigint,
  total_tokens bigint,
  spend double precision not null default 0,
  cost_known boolean not null default false,
  record jsonb not null,
  constraint requests_status check (status in ('success', 'failure')),
  constraint requests_action
    check (action in ('blocked', 'error', 'masked', 'flagged', 'passed', 'not_run', 'none'))
);

create index requests_started_at_index on portcullis.requests (started_at, request_id);
create index requests_team_id_index on portcullis.requests (team_id, started_at) where team_id is not null;
create index requests_key_hash_index on portcullis.requests (key_hash, started_at) where key_hash is not null;
create index requests_key_alias_index on portcullis.requests (key_alias, started_at) where key_alias is not null;
create index requests_user_id_index on portcullis.requests (user_id, started_at) where user_id is not null;
create index requests_end_user_index on portcullis.requests (end_user, started_at) where end_user is not null;
create index requests_model_index on portcullis.requests (model, started_at);
create index requests_model_group_index on portcullis.requests (model_group, started_at);
create index requests_status_index on portcullis.requests (status, started_at);
create index requests_action_index on portcullis.requests (action, started_at);
create index requests_error_code_index on portcullis.requests (error_code, started_at) where error_code is not null;
create index requests_tags_index on portcullis.requests using gin (tags);

-- Prompt and answer, only where storing them was asked for. Apart, so that lists never read them.
create table portcullis.request_contents (
  request_id text collate "C" primary key,
  messages jsonb,
  response jsonb,
  input_snippet text,
  output_snippet text,
  withheld text
);

-- What each guardrail (by name) and each policy version (by its id) did to a request: one row for each of them.
-- No foreign key: rows come and go with their request in one transaction.
create table portcullis.request_decisions (
  request_id text collate "C" not null,
  kind text not null,
  subject text not null,
  name text not null,
  version integer,
  provider text,
  started_at timestamptz not null,
  action text not null,
  latency_ms double precision,
  score double precision,
  reason text,
  primary key (request_id, kind, subject),
  constraint request_decisions_kind check (kind in ('guardrail', 'policy')),
  constraint request_decisions_action
    check (action in ('blocked', 'error', 'masked', 'flagged', 'passed', 'not_run'))
);

create index request_decisions_subject_index
  on portcullis.request_decisions (kind, subject, started_at, request_id);
create index request_decisions_action_index
  on portcullis.request_decisions (kind, subject, action, started_at, request_id);

-- The same, counted by day (UTC) in the transaction that wrote the requests. Stays when requests expire.
create table portcullis.daily_counts (
  kind text not null,
  subject text not null,
  day date not null,
  name text not null,
  version integer,
  provider text,
  evaluated bigint not null,
  passed bigint not null,
  masked bigint not null,
  blocked bigint not null,
  flagged bigint not null,
  errors bigint not null,
  not_run bigint not null,
  timed bigint not null,
  latency_ms double precision not null,
  latency_buckets bigint[] not null,
  scored bigint not null,
  score double precision not null,
  primary key (kind, subject, day),
  constraint daily_counts_kind check (kind in ('guardrail', 'policy')),
  constraint daily_counts_whole check (evaluated = passed + masked + blocked + flagged + errors)
);

create index daily_counts_name_index on portcullis.daily_counts (kind, name);
create index daily_counts_day_index on portcullis.daily_counts (kind, day);
