-- Who is signed in to the control plane. The token itself is in the browser alone.
create table portcullis.sessions (
  -- SHA-256 of the token, hexadecimal.
  token_hash text primary key,
  -- Null for the holder of the admin key, who is no user of the database.
  user_id text references portcullis.users (user_id) on delete cascade,
  method text not null check (method in ('admin_key', 'password', 'sso')),
  -- For the admin key: a digest of it, so that another key ends the session.
  credential text,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create index sessions_user_id_index on portcullis.sessions (user_id);
create index sessions_expires_at_index on portcullis.sessions (expires_at);

-- One-time links with which a user chooses a password.
create table portcullis.invitations (
  -- SHA-256 of the secret in the link, hexadecimal.
  invitation_hash text primary key,
  user_id text not null references portcullis.users (user_id) on delete cascade,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz not null,
  accepted_at timestamptz
);

create index invitations_user_id_index on portcullis.invitations (user_id);

-- Whom an identity provider means: its issuer and its subject, which it never gives to anybody else.
alter table portcullis.users add column sso_subject text;
create unique index users_sso_subject_unique on portcullis.users (sso_subject);
