-- Guardrails that teams brought, apart from those that run: nothing here is part of a snapshot.
create table portcullis.guardrail_submissions (
  guardrail_id text primary key,
  guardrail_name text not null,
  team_id text,
  status text not null,
  content jsonb not null,
  submitted_at timestamptz not null,
  submitted_by text not null,
  reviewed_at timestamptz,
  reviewed_by text,
  review_reason text,
  constraint guardrail_submissions_status_known check (status in ('pending_review', 'active', 'rejected')),
  constraint guardrail_submissions_reviewed check ((status = 'pending_review') = (reviewed_at is null))
);

create index guardrail_submissions_team_id_index on portcullis.guardrail_submissions (team_id);
