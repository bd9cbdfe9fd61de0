import {
  allowsModel,
  compile,
  type Attachment,
  attachmentSchema,
  decide,
  expandModel,
  HOOKS,
  type ModelGroup,
  type Principal,
  type Snapshot,
} from '@portcullis/policy';
import fc from 'fast-check';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../../e2e/support/needs.ts';
import { openDatabase } from '../../../src/storage/database.ts';
import { buildIdentity, callableModels, principalOf } from '../../../src/storage/identity/principal.ts';
import { realClock, recorder, temporaryDatabase } from '../../storage/kit.ts';
import { openPlanes, openPolicyPlane, type PolicyPlane, yamlPolicies } from './plane.ts';

/** One database with a plane on it, and a second door for rows that no store would write. */
interface Place {
  readonly plane: PolicyPlane;
  readonly sql: Sql;
  close(): Promise<void>;
}

async function embedded(): Promise<Place> {
  const planes = await openPlanes();
  return { plane: await planes.fresh(), sql: planes.sql, close: () => planes.close() };
}

async function onPostgres(url: string): Promise<Place> {
  const own = await temporaryDatabase(url);
  const database = await openDatabase({ dataDir: '/nowhere', url: own.url, clock: realClock, ...recorder() });
  const sql = postgres(own.url, { max: 1, onnotice: () => undefined });
  return {
    plane: await openPolicyPlane(database),
    sql,
    async close() {
      await sql.end();
      await database.close();
      await own.remove();
    },
  };
}

const deployment = (model: string) => ({ model, guardrails: [] });
const GROUPS: readonly ModelGroup[] = [
  { model_name: 'gpt-4', deployments: [deployment('openai/gpt-4'), deployment('azure/gpt-4')] },
  { model_name: 'claude', deployments: [deployment('anthropic/claude')] },
  { model_name: 'openai/*', deployments: [deployment('openai/*')] },
  { model_name: 'openai/gpt-*', deployments: [deployment('azure/*'), deployment('openai/gpt-4')] },
];
const ALIASES = { fast: 'gpt-4', smart: 'claude', far: 'openai/far' };

/** Enough names that every set of patterns and lists below which can be fulfilled is fulfilled by one of them. */
const REQUESTS = [
  'gpt-4',
  'claude',
  'fast',
  'smart',
  'far',
  'mine',
  'openai/*',
  'openai/gpt-*',
  'nobody-serves-this',
  'openai/',
  'openai/x',
  'openai/gpt-',
  'openai/gpt-4',
  'openai/gpt-4o',
  'openai/gpt-4x',
  'openai/gpt-5',
  'openai/gpt-gpt-4',
  'openai/gp',
  'openai/far',
  'openai/far-off',
  'openai/gpt-5x',
  'openai/gpt-gpt-4x',
];
const TEAM_ID = '0f0e0d0c-0b0a-4908-8706-050403020100';
const HASH = 'ab'.repeat(32);
const TAGS = ['t', 't-x', 'u', 'cafe\u0301', 'a, b', '50%', 'a_b', 'aXb', 'back\\slash', 'T'];
const TAG_PATTERNS = ['t', 't*', 't-*', 'u', '*', 'caf\u00e9', '5*', '50%*', 'a_*', 'back\\*', 'no'];
const MODEL_LISTS = [
  [],
  [],
  ['gpt-4'],
  ['claude', 'all-team-models'],
  ['openai/*'],
  ['openai/gpt-4*'],
  ['openai/far'],
  ['fast', 'mine'],
  ['no-default-models'],
  ['all-proxy-models'],
  ['open*', 'claude'],
];

interface TeamRow {
  readonly alias: string | null;
  readonly models: readonly string[];
  readonly protection: unknown;
  readonly metadata: object;
}

interface KeyRow extends TeamRow {
  readonly team: number | null;
  readonly user: number | null;
}

interface World {
  readonly teams: readonly TeamRow[];
  readonly keys: readonly KeyRow[];
  /** The models of each user. */
  readonly users: readonly (readonly string[])[];
}

const admin = { by: 'a', role: 'proxy_admin', atMs: 1 };
const setBy = fc.constantFrom<unknown>(
  admin,
  admin,
  { by: 'b', role: 'internal_user', atMs: 1 },
  { role: 'proxy_admin' },
  null,
  'proxy_admin',
);
const tagList = fc.subarray(TAGS, { maxLength: 3 });
const protection = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      tags: fc.oneof(
        { weight: 6, arbitrary: fc.record({ value: tagList, setBy }) },
        fc.constantFrom<unknown>('t', ['t'], { value: 't', setBy: admin }, { value: ['t', 1], setBy: admin }),
      ),
      model_aliases: fc.oneof(
        fc.record({
          value: fc.constantFrom({ mine: 'claude' }, { fast: 'openai/gpt-5' }, { mine: 'mine' }),
          setBy,
        }),
        fc.constant({ value: { mine: 1 }, setBy: admin }),
      ),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom<unknown>([], 'broken'),
);
const metadata = fc.oneof(
  fc.constant({}),
  fc.record({ tags: fc.oneof(tagList, fc.constantFrom<unknown>(null, ['t', ['u']], 'u')) }),
);
const models = fc.constantFrom(...MODEL_LISTS);

const teamRow: fc.Arbitrary<TeamRow> = fc.record({
  alias: fc.constantFrom(null, 'fin-1', 'fin-2', 'fin_3', 'FIN-1', 'cafe\u0301-team', '*'),
  models,
  protection,
  metadata,
});
const keyRow: fc.Arbitrary<KeyRow> = fc.record({
  alias: fc.constantFrom(null, null, 'k', 'k-', 'k-%-', 'K-', 'cafe\u0301', 'zz'),
  team: fc.option(fc.nat(), { freq: 4 }),
  user: fc.option(fc.nat({ max: 2 })),
  models,
  protection,
  metadata,
});
const world: fc.Arbitrary<World> = fc.record({
  teams: fc.array(teamRow, { maxLength: 6 }),
  keys: fc.array(keyRow, { maxLength: 24 }),
  users: fc.array(models, { minLength: 2, maxLength: 2 }),
});

const some = (patterns: readonly string[]) => fc.subarray([...patterns], { maxLength: 3 });
const attachment = fc
  .record({
    scope: fc.constantFrom(null, null, null, null, '*' as const),
    teams: some(['fin-1', 'fin-*', 'fin_*', 'caf\u00e9-team', '*', TEAM_ID, '0f*', 'nobody']),
    keys: some(['k', 'k-*', 'k-%*', '*', HASH, 'ab*', 'caf\u00e9*', HASH.toUpperCase()]),
    models: some([
      'gpt-4',
      'fast',
      'mine',
      'azure/*',
      '*',
      'openai/*',
      'openai/gpt-4',
      'claude',
      'anthropic/claude',
      'azure/gpt-4',
      'azure/gpt-4x',
      'openai/far*',
      'openai/gpt-5',
      'azure/5*',
      'open*',
    ]),
    tags: fc.oneof(
      fc.constant([]),
      some(TAG_PATTERNS),
      fc
        .record({ any: some(TAG_PATTERNS), all: some(TAG_PATTERNS), none: some(TAG_PATTERNS) })
        .map((parts) => Object.fromEntries(Object.entries(parts).filter(([, part]) => part.length > 0))),
    ),
  })
  .filter((body) => attachmentSchema.safeParse({ ...body, attachment_id: 'a', policy_name: 'p' }).success);

const dense = { minLength: 4, maxLength: 4 };
const STRICT = process.env['PORTCULLIS_TEST_STRICT'] === '1';

async function fill(sql: Sql, { teams, keys, users }: World): Promise<void> {
  const common = { metadata: {}, limits: {}, blocked: false, created_at: '2026-01-01', created_by: 'x' };
  const written = { updated_at: '2026-01-01', updated_by: 'x' };
  await sql`truncate portcullis.keys, portcullis.teams, portcullis.users, portcullis.requests cascade`;
  const insert = async (table: string, rows: readonly object[]) => {
    for (const row of rows) {
      const columns = Object.keys(row).join(', ');
      await sql.unsafe(
        `insert into portcullis.${table} (${columns})
         select ${columns} from jsonb_populate_record(null::portcullis.${table}, $1::text::jsonb)`,
        [JSON.stringify(row)],
      );
    }
  };
  const teamIds = teams.map((_, index) => (index === 0 ? TEAM_ID : `team-${index}`));
  await insert(
    'teams',
    teams.map((row, index) => ({
      ...common,
      ...written,
      team_id: teamIds[index],
      team_alias: row.alias,
      members: [],
      models: row.models,
      protection: row.protection,
      metadata: row.metadata,
    })),
  );
  await insert(
    'users',
    users.map((row, index) => {
      const { blocked: _, ...rest } = common;
      return { ...rest, ...written, user_id: `user-${index}`, user_role: 'internal_user', models: row };
    }),
  );
  await insert(
    'keys',
    keys.map((row, index) => ({
      ...common,
      ...written,
      token_hash: index === 0 ? HASH : index.toString(16).padStart(64, '0'),
      key_name: 'sk-...abcd',
      key_type: 'default',
      // Aliases of keys are unique.
      key_alias: row.alias === null ? null : `${row.alias}${index === 0 ? '' : index}`,
      team_id: row.team === null ? null : (teamIds[row.team % Math.max(1, teamIds.length)] ?? null),
      user_id: row.user === null ? null : `user-${row.user}`,
      models: row.models,
      protection: row.protection,
      metadata: row.metadata,
    })),
  );
}

/** Whether the engine lets this attachment apply to any request that this caller could make. */
function isReached(
  snapshot: Snapshot,
  principal: Principal,
  lists: readonly (readonly string[] | null)[],
  selectsByModel: boolean,
): boolean {
  const applies = (model: string | null): boolean => {
    const decision = decide(snapshot, { principal, model, tags: [], guardrails: [], policies: [] });
    return (
      decision.kind === 'planned' &&
      decision.plan.policies.some(({ selections }) =>
        selections.some((made) => made.attachment_id === 'estimated'),
      )
    );
  };
  if (!selectsByModel) return applies(null);
  return REQUESTS.some((requested) => {
    const names = expandModel(snapshot.models, principal.model_aliases, requested);
    if (names === 'alias_loop' || names.group === null) return false;
    return lists.every((list) => allowsModel(list, requested, names.group)) && applies(requested);
  });
}

const counted = (body: Record<string, unknown>) => ({
  keys: body['affected_keys_count'],
  unnamedKeys: body['unnamed_keys_count'],
  teams: body['affected_teams_count'],
  unnamedTeams: body['unnamed_teams_count'],
  teamsOfKeys: body['teams_of_affected_keys_count'],
});

function suite(open: () => Promise<Place>): void {
  let place: Place;
  beforeAll(async () => {
    place = await open();
    await place.plane.configure({
      policies: yamlPolicies({
        p: { guardrails: { add: ['pii'] } },
        other: { guardrails: { add: ['toxicity'] } },
      }),
      modelGroups: GROUPS,
      modelAliases: ALIASES,
    });
  });
  afterAll(() => place.close());

  const estimate = (body: object) =>
    place.plane.ok('POST /policies/attachments/estimate-impact', { body: { policy_name: 'p', ...body } });

  test('counts exactly what the matcher finds one by one, for any keys, teams and attachments (Q2, D-56)', async () => {
    let reachedSome = 0;
    let missedSome = 0;
    await fc.assert(
      fc.asyncProperty(world, fc.array(attachment, dense), async (drawn, attachments) => {
        await fill(place.sql, drawn);
        const { stores } = place.plane.database;
        const keys = (
          await stores.keys.list({ filter: {}, sortBy: 'token', descending: false, offset: 0, limit: 100 })
        ).keys;
        const found = await Promise.all(keys.map(({ tokenHash }) => stores.keys.findWithTeam(tokenHash)));
        const teams = await stores.teams.list({});
        for (const body of attachments) {
          const snapshot = withAttachment(
            place.plane,
            attachmentSchema.parse({
              ...body,
              attachment_id: 'estimated',
              policy_name: 'p',
            }),
          );
          const selectsByModel = body.models.length > 0;
          const hitKeys = found.filter((one) => {
            if (one === null) return false;
            const { policy, keyModels, teamModels, userModels } = buildIdentity(one).identity;
            return isReached(
              snapshot,
              policy,
              [keyModels, teamModels, userModels ?? null],
              selectsByModel && !body.models.includes('*'),
            );
          });
          const hitTeams = teams.filter((one) => {
            const principal = principalOf({ key: null, team: one });
            return isReached(
              snapshot,
              principal,
              [callableModels(one.models, false)],
              selectsByModel && !body.models.includes('*'),
            );
          });
          const answer = await estimate(body);
          expect(counted(answer)).toEqual({
            keys: hitKeys.length,
            unnamedKeys: hitKeys.filter((one) => one?.key.alias == null).length,
            teams: hitTeams.length,
            unnamedTeams: hitTeams.filter(({ alias }) => alias === null).length,
            teamsOfKeys: new Set(hitKeys.flatMap((one) => one?.key.teamId ?? [])).size,
          });
          const aliases = hitKeys.flatMap((one) => one?.key.alias?.value ?? []);
          expect(answer.sample_keys).toHaveLength(Math.min(10, aliases.length));
          expect(aliases).toEqual(expect.arrayContaining(answer.sample_keys));
          reachedSome += hitKeys.length;
          missedSome += keys.length - hitKeys.length;
        }
      }),
      { numRuns: STRICT ? 150 : 30 },
    );
    // A test in which nothing, or everything, is reached would prove nothing.
    expect(reachedSome).toBeGreaterThan(20);
    expect(missedSome).toBeGreaterThan(20);
  }, 300_000);

  test('a global attachment has real counts and says that it is global, never -1 (Q2, D-57)', async () => {
    const everything = Array.from({ length: 12 }, (_, index) => ({
      alias: index % 3 === 0 ? null : 'k',
      team: index % 2,
      user: null,
      models: [],
      protection: {},
      metadata: {},
    }));
    const teams = [
      { alias: 'fin-1', models: [], protection: {}, metadata: {} },
      { alias: null, models: [], protection: {}, metadata: {} },
    ];
    await fill(place.sql, { teams, keys: everything, users: [[], []] });
    expect(await estimate({ scope: '*' })).toMatchObject({
      affected_keys_count: 12,
      unnamed_keys_count: 4,
      affected_teams_count: 2,
      unnamed_teams_count: 1,
      sample_teams: ['fin-1'],
      is_global: true,
      scope: 'global',
      total_keys: 12,
      total_teams: 2,
      caller_tags_counted: false,
    });
    const samples = (await estimate({ scope: '*' })).sample_keys;
    expect(samples).toHaveLength(8);
    expect(samples.every((sample: string) => /^k\d+$/u.test(sample))).toBe(true);
  });

  test('says which guardrails the affected would gain and lose, as the gateway decides (Q2, A6)', async () => {
    const rows = { alias: 'k', user: null, models: [], protection: {}, metadata: {} };
    await fill(place.sql, {
      teams: [{ alias: 'fin-1', models: [], protection: {}, metadata: {} }],
      keys: [
        { ...rows, team: 0 },
        { ...rows, team: 0 },
        { ...rows, team: null },
      ],
      users: [[], []],
    });
    const answer = await estimate({ teams: ['fin-1'] });
    expect(answer).toMatchObject({ affected_keys_count: 2, affected_teams_count: 1 });
    expect(answer.guardrails).toMatchObject({ gained: ['pii'], lost: [], decided: { keys_in_groups: 2 } });
    const unknown = await estimate({ policy_name: 'nobody', teams: ['fin-1'] });
    expect(unknown).toMatchObject({ affected_keys_count: 2, guardrails: { gained: [] } });
    expect(unknown.guardrails.problem).toContain("'nobody' has no production version");
  });

  test('the share of the last 24 hours of traffic counts keys and models together (Q2)', async () => {
    const rows = { alias: 'k', user: null, models: [], protection: {}, metadata: {} };
    await fill(place.sql, {
      teams: [{ alias: 'fin-1', models: [], protection: {}, metadata: {} }],
      keys: [
        { ...rows, team: 0 },
        { ...rows, team: null },
      ],
      users: [[], []],
    });
    const now = new Date(place.plane.clock.now());
    const old = new Date(place.plane.clock.now() - 90_000_000);
    const made = (id: string, hash: string | null, model: string, at: Date) => place.sql`
      insert into portcullis.requests (request_id, started_at, ended_at, duration_ms, call_type, status, action, key_hash, model, record)
      values (${id}, ${at}, ${at}, 1, 'acompletion', 'success', 'none', ${hash}, ${model}, '{}')`;
    await made('1', HASH, 'fast', now);
    await made('2', HASH, 'claude', now);
    await made('3', '1'.padStart(64, '0'), 'fast', now);
    await made('4', null, 'fast', now);
    await made('5', HASH, 'fast', old);
    const shareOf = async (body: object) => (await estimate(body)).traffic_24h;
    expect(await shareOf({ teams: ['fin-1'] })).toEqual({
      total_requests: 4,
      affected_requests: 2,
      share: 0.5,
    });
    expect(await shareOf({ teams: ['fin-1'], models: ['azure/*'] })).toMatchObject({ affected_requests: 1 });
    expect(await shareOf({ models: ['gpt-4'] })).toMatchObject({ affected_requests: 3 });
    expect(await shareOf({ scope: '*' })).toMatchObject({ share: 1 });
  });

  test('an attachment without any dimension is refused, not counted as nothing (M6, D-56)', async () => {
    const body = { policy_name: 'p', teams: [] };
    const answer = await place.plane.call('POST /policies/attachments/estimate-impact', { body });
    expect(answer.status).toBe(422);
    const role = 'internal_user';
    const refused = await place.plane.call('POST /policies/attachments/estimate-impact', {
      body: { policy_name: 'p', scope: '*' },
      role,
    });
    expect(refused.status).toBe(403);
  });

  const FULL = process.env['PORTCULLIS_TEST_FULL'] === '1';
  test(`answers within the time of a statement for ${FULL ? '1,000,000' : '20,000'} keys (Q2)`, async () => {
    const keys = FULL ? 1_000_000 : 20_000;
    await fill(place.sql, { teams: [], keys: [], users: [[], []] });
    await place.sql.unsafe(FILLED_TEAMS);
    for (let from = 0; from < keys; from += 20_000) await place.sql.unsafe(FILLED_KEYS(from, from + 20_000));
    await place.sql.unsafe('analyze portcullis.keys; analyze portcullis.teams');
    const questions: readonly [string, object][] = [
      ['global', { scope: '*' }],
      ['one team', { teams: ['squad-7'] }],
      ['teams by prefix', { teams: ['squad-1*'] }],
      ['keys by prefix', { keys: ['key-12*'] }],
      ['tags', { tags: ['env-1*'] }],
      ['tags any, all, none', { tags: { any: ['prod'], all: ['env-*'], none: ['hipaa'] } }],
      ['models', { models: ['openai/gpt-4'] }],
      ['everything', { teams: ['squad-*'], keys: ['key-*'], models: ['azure/*'], tags: ['prod'] }],
    ];
    for (const [name, body] of questions) {
      const start = performance.now();
      const { affected_keys_count: found } = await estimate(body);
      const seconds = ((performance.now() - start) / 1_000).toFixed(2);
      process.stdout.write(
        `impact of ${name}: ${found} of ${keys} keys on ${place.plane.database.kind} in ${seconds} s\n`,
      );
    }
  }, 600_000);
}

const FILLED_TEAMS = `
  insert into portcullis.teams (team_id, team_alias, protection, created_at, created_by, updated_at, updated_by)
    select 'team-' || i, 'squad-' || i, case when i % 10 = 0 then jsonb_build_object('tags', jsonb_build_object(
      'value', jsonb_build_array('hipaa'), 'setBy', '${JSON.stringify(admin)}'::jsonb)) else '{}' end,
      now(), 'x', now(), 'x' from generate_series(0, 1999) i`;

const FILLED_KEYS = (from: number, to: number) => `
  insert into portcullis.keys (token_hash, key_name, key_alias, team_id, models, protection, created_at, created_by,
      updated_at, updated_by)
    select encode(sha256(i::text::bytea), 'hex'), 'sk-...abcd', case when i % 5 = 0 then null else 'key-' || i end,
      'team-' || i % 2000, case when i % 3 = 0 then array['claude'] else '{}' end,
      case when i % 4 = 0 then jsonb_build_object('tags', jsonb_build_object(
        'value', jsonb_build_array('env-' || i % 50, 'prod'), 'setBy', '${JSON.stringify(admin)}'::jsonb)) else '{}' end,
      now(), 'x', now(), 'x' from generate_series(${from} + 1, ${to}) i`;

function withAttachment(plane: PolicyPlane, attachment: Attachment): Snapshot {
  const snapshot = plane.snapshot();
  if (snapshot === null) throw new Error('nothing is in force');
  const { documents } = snapshot;
  const result = compile({ ...documents, attachments: [...documents.attachments, attachment] }, () => ({
    hooks: HOOKS,
    masks: false,
  }));
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.snapshot;
}

describe('estimate-impact on the embedded database', () => {
  suite(embedded);
});

describeWith('DATABASE_URL_TEST', 'estimate-impact on PostgreSQL', (url) => {
  suite(() => onPostgres(url));
});
