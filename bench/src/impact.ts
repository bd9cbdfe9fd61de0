/**
 * Measures the questions that administrators ask of a large installation: `/policies/attachments/estimate-impact` and
 * `/policies/resolve` over HTTP, with 1,000,000 keys and 10,000 teams in PostgreSQL.
 *
 *     BENCH_DATABASE_URL=postgres://user@host/empty_database npm run bench:impact
 *
 * The database must hold no keys. Its rows are made by SQL, and the schema is dropped again at the end, unless
 * `--keep` is given.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { freePort, Target } from './target.ts';

const KEYS = Number(process.env['BENCH_KEYS'] ?? 1_000_000);
const TEAMS = Number(process.env['BENCH_TEAMS'] ?? 10_000);
const AT_ONCE = 50_000;
const ADMIN = 'sk-bench-impact-admin';
const RESOLVES = 200;
const IMPACT_LIMIT_MS = 1_000;
const RESOLVE_LIMIT_MS = 20;

const CONFIG = `
model_list:
  - { model_name: gpt-4, litellm_params: { model: mock/gpt-4 } }
  - { model_name: claude, litellm_params: { model: mock/claude } }
guardrails:
  - guardrail_name: words
    litellm_params: { guardrail: litellm_content_filter, mode: pre_call, blocked_words: [{ keyword: forbidden, action: BLOCK }] }
policies:
  base: { guardrails: { add: [words] } }
policy_attachments:
  - { policy: base, teams: [squad-1*] }
general_settings:
  master_key: ${ADMIN}
`;

const QUESTIONS: readonly (readonly [string, object])[] = [
  ['everybody', { scope: '*' }],
  ['one team', { teams: ['squad-7'] }],
  ['teams by prefix', { teams: ['squad-1*'] }],
  ['one key', { keys: ['key-123457'] }],
  ['keys by prefix', { keys: ['key-12*'] }],
  ['a tag', { tags: ['env-8'] }],
  ['tags any, all, none', { tags: { any: ['prod'], all: ['env-*'], none: ['hipaa'] } }],
  ['a model', { models: ['gpt-4'] }],
  ['all dimensions', { teams: ['squad-*'], keys: ['key-*'], models: ['gpt-*'], tags: ['prod'] }],
];

const SET_BY = `'{"by":"bench","role":"proxy_admin","atMs":1}'::jsonb`;
const tagged = (when: string, tags: string): string =>
  `case when ${when} then jsonb_build_object('tags', jsonb_build_object('value', ${tags}, 'setBy', ${SET_BY})) else '{}' end`;

const teamsSql = `
  insert into portcullis.teams (team_id, team_alias, protection, created_at, created_by, updated_at, updated_by)
  select 'team-' || i, 'squad-' || i, ${tagged('i % 10 = 0', `jsonb_build_array('hipaa')`)}, now(), 'bench', now(), 'bench'
  from generate_series(0, ${TEAMS - 1}) i`;

const keysSql = (from: number, to: number): string => `
  insert into portcullis.keys (token_hash, key_name, key_alias, team_id, models, protection, created_at, created_by, updated_at, updated_by)
  select encode(sha256(i::text::bytea), 'hex'), 'sk-...abcd', case when i % 5 = 0 then null else 'key-' || i end,
    'team-' || i % ${TEAMS}, case when i % 3 = 0 then array['claude'] else '{}' end,
    ${tagged('i % 4 = 0', `jsonb_build_array('env-' || i % 50, 'prod')`)}, now(), 'bench', now(), 'bench'
  from generate_series(${from + 1}, ${to}) i`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function fill(sql: postgres.Sql): Promise<void> {
  const [{ count } = { count: '0' }] = await sql<{ count: string }[]>`select count(*) from portcullis.keys`;
  if (Number(count) === KEYS) return;
  if (Number(count) !== 0) throw new Error(`the database holds ${count} keys: give an empty one`);
  const start = performance.now();
  await sql.unsafe(teamsSql);
  for (let from = 0; from < KEYS; from += AT_ONCE) {
    await sql.unsafe(keysSql(from, Math.min(KEYS, from + AT_ONCE)));
  }
  await sql.unsafe('vacuum analyze portcullis.keys');
  await sql.unsafe('vacuum analyze portcullis.teams');
  say(`made ${KEYS} keys and ${TEAMS} teams in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
}

async function ask(origin: string, path: string, body: object): Promise<{ ms: number; answer: unknown }> {
  const start = performance.now();
  const answer = await fetch(origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const ms = performance.now() - start;
  if (answer.status !== 200) throw new Error(`${path} ${answer.status}: ${text.slice(0, 300)}`);
  return { ms, answer: JSON.parse(text) };
}

async function isReady(origin: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const status = await fetch(`${origin}/health/readiness`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await delay(100);
  }
  throw new Error('the gateway is not ready after a minute');
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

async function measure(origin: string): Promise<boolean> {
  let ok = true;
  say('\nestimate-impact                     first     best of 3   keys');
  for (const [name, selectors] of QUESTIONS) {
    const body = { policy_name: 'base', ...selectors };
    const times: number[] = [];
    let found = 0;
    for (let run = 0; run < 3; run += 1) {
      const { ms, answer } = await ask(origin, '/policies/attachments/estimate-impact', body);
      times.push(ms);
      found = (answer as { affected_keys_count: number }).affected_keys_count;
    }
    const best = Math.min(...times);
    ok &&= best < IMPACT_LIMIT_MS;
    const mark = best < IMPACT_LIMIT_MS ? '' : `   more than ${IMPACT_LIMIT_MS} ms`;
    say(
      `${name.padEnd(30)} ${(times[0] ?? 0).toFixed(0).padStart(8)} ms ${best.toFixed(0).padStart(8)} ms ${String(found).padStart(10)}${mark}`,
    );
  }
  for (const [name, question] of [
    ['by alias', (i: number) => ({ key_alias: `key-${1 + 5 * i}`, team_alias: null, model: 'gpt-4' })],
    ['explained', (i: number) => ({ key_alias: `key-${1 + 5 * i}`, model: 'gpt-4', explain: true })],
    ['hypothetical', (i: number) => ({ key_alias: `nobody-${i}`, team_alias: `squad-${i}`, tags: ['prod'] })],
  ] as const) {
    const times: number[] = [];
    for (let i = 0; i < RESOLVES; i += 1) {
      times.push((await ask(origin, '/policies/resolve', question(i * 37))).ms);
    }
    times.sort((a, b) => a - b);
    const p99 = quantile(times, 0.99);
    ok &&= p99 < RESOLVE_LIMIT_MS;
    const mark = p99 < RESOLVE_LIMIT_MS ? '' : `   more than ${RESOLVE_LIMIT_MS} ms`;
    say(
      `resolve, ${name.padEnd(20)} p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms${mark}`,
    );
  }
  return ok;
}

async function main(): Promise<void> {
  const url = process.env['BENCH_DATABASE_URL'];
  if (url === undefined) throw new Error('give BENCH_DATABASE_URL: an empty database of PostgreSQL');
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const config = join(folder, 'config.yaml');
  writeFileSync(config, CONFIG);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  let gateway: Target | null = null;
  try {
    gateway = await Target.start(
      'portcullis',
      new URL('../../packages/cli/dist/main.js', import.meta.url),
      ['serve', '--config', config, '--port', String(port), '--data-dir', join(folder, 'data')],
      port,
      () => isReady(origin),
      { ...process.env, DATABASE_URL: url },
    );
    await fill(sql);
    process.exitCode = (await measure(origin)) ? 0 : 1;
  } finally {
    await gateway?.stop();
    if (!process.argv.includes('--keep')) await sql.unsafe('drop schema if exists portcullis cascade');
    await sql.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
