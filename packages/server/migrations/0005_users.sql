-- What limits a key or a team. A key's account is what its limits and spending are counted on: it stays when the key
-- itself is replaced. Null means the token hash.
alter table portcullis.keys
  add column limits jsonb not null default '{}',
  add column account_id text,
  add column key_type text not null default 'default',
  add constraint keys_account_id_unique unique (account_id);

alter table portcullis.teams add column limits jsonb not null default '{}';

-- Replaced keys that still open for a while.
create table portcullis.retired_keys (
  token_hash text primary key,
  successor text not null,
  expires_at timestamptz not null
);

create index retired_keys_successor_index on portcullis.retired_keys (successor);

create table portcullis.users (
  user_id text primary key,
  user_email text,
  user_alias text,
  user_role text not null,
  -- A salted hash that says itself how it was made.
  password_hash text,
  models text[] not null default '{}',
  metadata jsonb not null default '{}',
  limits jsonb not null default '{}',
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  updated_by text not null
);

-- Addresses differ in more than case in theory alone; two accounts of one address would share its invitations.
create unique index users_user_email_unique on portcullis.users (lower(user_email));

-- What an account (key:..., team:..., user:...) has spent since the beginning of its period, in billionths of a dollar.
create table portcullis.spend (
  account text primary key,
  nano bigint not null,
  since_ms bigint not null,
  updated_at timestamptz not null default now()
);

create table portcullis.tags (
  name text primary key,
  description text,
  models text[] not null default '{}',
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  updated_by text not null
);
