import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { LogStore } from '../../ports/logs.ts';
import { read } from '../rows.ts';
import type { Session } from '../session.ts';
import { logReader } from './reader.ts';
import { rowsOf } from './rows.ts';

const idRow = z.object({ request_id: z.string() });

/** Requests at rest, on a connection or in a transaction. Writing is for transactions only: `append` is four statements. */
export function logStore(session: Session): LogStore {
  return {
    ...logReader(session),

    async append(batch) {
      const rows = rowsOf(batch);
      const inserted = await session.ask((queries) =>
        queries.execute(sql`
          insert into portcullis.requests
            (request_id, started_at, ended_at, duration_ms, call_type, status, action, error_code, team_id, key_hash,
             key_alias, user_id, organization_id, end_user, model, model_group, provider, tags, prompt_tokens,
             completion_tokens, total_tokens, spend, cost_known, record)
          select request_id, started_at, ended_at, duration_ms, call_type, status, action, error_code, team_id, key_hash,
             key_alias, user_id, organization_id, end_user, model, model_group, provider, tags, prompt_tokens,
             completion_tokens, total_tokens, spend, cost_known, record
          from json_to_recordset(${rows.requests}::text::json) as batch
            (request_id text, started_at timestamptz, ended_at timestamptz, duration_ms double precision, call_type text,
             status text, action text, error_code text, team_id text, key_hash text, key_alias text, user_id text,
             organization_id text, end_user text, model text, model_group text, provider text, tags text[],
             prompt_tokens bigint, completion_tokens bigint, total_tokens bigint,
             spend double precision, cost_known boolean, record jsonb)
          on conflict (request_id) do nothing
          returning request_id`),
      );
      // What follows is counted and kept for new requests only, so that writing a batch again changes nothing.
      const fresh = new Set(inserted.map((row) => read(idRow, row, 'request').request_id));
      if (fresh.size === 0) return 0;
      const decisions = rows.decisions(fresh);
      if (decisions !== NONE) {
        await session.ask((queries) =>
          queries.execute(sql`
            insert into portcullis.request_decisions
              (request_id, kind, subject, name, version, provider, started_at, action, latency_ms, score, reason)
            select request_id, kind, subject, name, version, provider, started_at, action, latency_ms, score, reason
            from json_to_recordset(${decisions}::text::json) as batch
              (request_id text, kind text, subject text, name text, version integer, provider text,
               started_at timestamptz, action text, latency_ms double precision, score double precision, reason text)`),
        );
        await session.ask((queries) =>
          queries.execute(sql`
            insert into portcullis.daily_counts as old
              (kind, subject, day, name, version, provider, evaluated, passed, masked, blocked, flagged, errors, not_run,
               timed, latency_ms, latency_buckets, scored, score)
            select kind, subject, day, name, version, provider, evaluated, passed, masked, blocked, flagged, errors,
               not_run, timed, latency_ms, latency_buckets, scored, score
            from json_to_recordset(${rows.counts(fresh)}::text::json) as batch
              (kind text, subject text, day date, name text, version integer, provider text, evaluated bigint,
               passed bigint, masked bigint, blocked bigint, flagged bigint, errors bigint, not_run bigint, timed bigint,
               latency_ms double precision, latency_buckets bigint[], scored bigint, score double precision)
            on conflict (kind, subject, day) do update set
              name = excluded.name,
              version = excluded.version,
              provider = excluded.provider,
              evaluated = old.evaluated + excluded.evaluated,
              passed = old.passed + excluded.passed,
              masked = old.masked + excluded.masked,
              blocked = old.blocked + excluded.blocked,
              flagged = old.flagged + excluded.flagged,
              errors = old.errors + excluded.errors,
              not_run = old.not_run + excluded.not_run,
              timed = old.timed + excluded.timed,
              latency_ms = old.latency_ms + excluded.latency_ms,
              latency_buckets = (
                select array_agg(coalesce(a, 0) + coalesce(b, 0) order by place)
                from unnest(old.latency_buckets, excluded.latency_buckets) with ordinality as both_of(a, b, place)
              ),
              scored = old.scored + excluded.scored,
              score = old.score + excluded.score`),
        );
      }
      const contents = rows.contents(fresh);
      if (contents !== NONE) {
        await session.ask((queries) =>
          queries.execute(sql`
            insert into portcullis.request_contents
              (request_id, messages, response, input_snippet, output_snippet, withheld)
            select request_id, messages, response, input_snippet, output_snippet, withheld
            from json_to_recordset(${contents}::text::json) as batch
              (request_id text, messages jsonb, response jsonb, input_snippet text, output_snippet text, withheld text)`),
        );
      }
      return fresh.size;
    },

    async deleteBefore(timeMs, limit) {
      const gone = await session.ask((queries) =>
        queries.execute(sql`
          with old as (
            -- Rows that another replica is deleting are left to it.
            select request_id from portcullis.requests
            where started_at < ${new Date(timeMs).toISOString()}::timestamptz
            order by started_at limit ${limit} for update skip locked
          ), decisions as (
            delete from portcullis.request_decisions using old
            where request_decisions.request_id = old.request_id
          ), contents as (
            delete from portcullis.request_contents using old
            where request_contents.request_id = old.request_id
          )
          delete from portcullis.requests using old
          where requests.request_id = old.request_id
          returning requests.request_id`),
      );
      return gone.length;
    },
  };
}

/** What an empty list of rows looks like. */
const NONE = '[]';
