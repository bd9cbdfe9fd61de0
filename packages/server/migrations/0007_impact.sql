-- The texts of a JSON list in the form in which they are compared; null when it is no list of texts.
create function portcullis.texts_of(value jsonb) returns text[] language plpgsql immutable strict parallel safe as $$
declare
  item jsonb;
  texts text[] := '{}';
begin
  if jsonb_typeof(value) <> 'array' then return null; end if;
  for item in select jsonb_array_elements(value) loop
    if jsonb_typeof(item) <> 'string' then return null; end if;
    texts := texts || normalize(item #>> '{}', NFC);
  end loop;
  return texts;
end $$;

-- Tags where many rows can be asked for them at once: the protection field, or else its twin inside metadata. The role is that
-- of who set them; null when nobody knows.
alter table portcullis.keys
  add column stored_tags text[] generated always as
    (coalesce(portcullis.texts_of(protection -> 'tags' -> 'value'), portcullis.texts_of(metadata -> 'tags'), '{}')) stored,
  add column stored_tags_role text generated always as
    (case when portcullis.texts_of(protection -> 'tags' -> 'value') is not null
        and jsonb_typeof(protection -> 'tags' -> 'setBy' -> 'by') = 'string'
        and jsonb_typeof(protection -> 'tags' -> 'setBy' -> 'atMs') = 'number'
      then protection -> 'tags' -> 'setBy' ->> 'role' end) stored;

alter table portcullis.teams
  add column stored_tags text[] generated always as
    (coalesce(portcullis.texts_of(protection -> 'tags' -> 'value'), portcullis.texts_of(metadata -> 'tags'), '{}')) stored,
  add column stored_tags_role text generated always as
    (case when portcullis.texts_of(protection -> 'tags' -> 'value') is not null
        and jsonb_typeof(protection -> 'tags' -> 'setBy' -> 'by') = 'string'
        and jsonb_typeof(protection -> 'tags' -> 'setBy' -> 'atMs') = 'number'
      then protection -> 'tags' -> 'setBy' ->> 'role' end) stored;

-- Aliases are compared in NFC; this order also finds the beginning of one.
create index keys_normal_alias_index on portcullis.keys (normalize(key_alias) text_pattern_ops);
create index teams_normal_alias_index on portcullis.teams (normalize(team_alias) text_pattern_ops);
