-- Models that were made with the API. What a provider must not leak is sealed as a whole.
create table portcullis.models (
  model_id text primary key,
  model_name text not null,
  content jsonb not null,
  created_at timestamptz not null,
  created_by text,
  updated_at timestamptz not null,
  updated_by text
);

create index models_model_name_index on portcullis.models (model_name);

alter table portcullis.policy_history
  drop constraint policy_history_object_type,
  add constraint policy_history_object_type
    check (object_type in ('policy', 'attachment', 'guardrail', 'model'));
