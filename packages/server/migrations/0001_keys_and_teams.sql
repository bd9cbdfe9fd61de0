create table portcullis.teams (
  team_id text primary key,
  team_alias text,
  team_alias_set_by jsonb,
  organization_id text,
  members jsonb not null default '[]',
  models text[] not null default '{}',
  metadata jsonb not null default '{}',
  protection jsonb not null default '{}',
  blocked boolean not null default false,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  updated_by text not null
);

-- Aliases of teams are not unique, so this only makes finding quick.
create index teams_team_alias_index on portcullis.teams (team_alias);

create table portcullis.keys (
  token_hash text primary key,
  key_name text not null,
  key_alias text,
  key_alias_set_by jsonb,
  team_id text,
  user_id text,
  organization_id text,
  models text[] not null default '{}',
  metadata jsonb not null default '{}',
  protection jsonb not null default '{}',
  blocked boolean not null default false,
  expires_at timestamptz,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  updated_by text not null,
  constraint keys_token_hash_form check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint keys_key_alias_unique unique (key_alias),
  constraint keys_team_id_known foreign key (team_id) references portcullis.teams (team_id)
);

create index keys_team_id_index on portcullis.keys (team_id);
create index keys_user_id_index on portcullis.keys (user_id);
create index keys_created_at_index on portcullis.keys (created_at);

-- Append-only: rows are linked by hashes, so an edited, deleted or cut off row is found.
create table portcullis.audit_log (
  number bigint primary key,
  at timestamptz not null,
  actor text not null,
  actor_role text not null,
  action text not null,
  object_type text not null,
  object_id text not null,
  before jsonb,
  after jsonb,
  refused text,
  call_id text not null,
  previous_hash text not null,
  hash text not null
);

-- Number and hash of the last row. Whoever appends locks this row first, so numbers have no gaps.
create table portcullis.audit_head (
  single boolean primary key default true,
  number bigint not null,
  hash text not null,
  constraint audit_head_single check (single)
);

insert into portcullis.audit_head (number, hash) values (0, repeat('0', 64));
