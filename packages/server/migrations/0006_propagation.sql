-- The number of the last change of keys, teams and users. Whoever changes them takes it at the very end of the transaction, so
-- numbers have no gaps and none becomes visible after a later one.
create table portcullis.principal_head (
  single boolean primary key default true,
  number bigint not null,
  constraint principal_head_single check (single)
);

insert into portcullis.principal_head (number) values (0);

-- Which keys, teams and users the last changes were about, so that other replicas drop their copies. Old rows are removed: who
-- has missed them drops everything.
create table portcullis.principal_changes (
  number bigint primary key,
  keys text[] not null,
  teams text[] not null,
  users text[] not null
);

-- What each replica says of itself every few seconds. Times are those of the database, so that clocks need not agree.
create table portcullis.replicas (
  replica_id text primary key,
  host text not null,
  pid integer not null,
  version text not null,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null,
  state text not null,
  revision bigint,
  config_digest text,
  rejected_revision bigint,
  problem text,
  problem_since timestamptz
);

create index replicas_heartbeat_at_index on portcullis.replicas (heartbeat_at);
