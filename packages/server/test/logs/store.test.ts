import type { RunRecord } from '@portcullis/policy';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { Database } from '../../src/ports/database.ts';
import type { LoggedRequest, LogFilter, LogScope } from '../../src/ports/logs.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startRetention } from '../../src/storage/logs/retention.ts';
import {
  hashLike,
  realClock,
  recorder,
  stillClock,
  temporaryDatabase,
  temporaryDirectory,
} from '../storage/kit.ts';
import {
  BLOCKED,
  blocked,
  DAY_MS,
  demandedBy,
  failed,
  logged,
  masked,
  NOON,
  notRun,
  passed,
  policy,
} from './kit.ts';

/** What the log store owes its users. One suite, run on each database. */
interface Place {
  readonly database: Database;
  readonly sql: Sql;
  release(): Promise<void>;
}

describe('log store on the embedded database', () => {
  suite(async () => {
    const directory = temporaryDirectory();
    const options = { dataDir: directory.path, url: null, clock: realClock, ...recorder() };
    const database = await openDatabase(options);
    const path = `${directory.path}/run/.s.PGSQL.5432`;
    const sql = postgres({
      path,
      username: 'postgres',
      database: 'postgres',
      max: 1,
      onnotice: () => undefined,
    });
    return {
      database,
      sql,
      async release() {
        await sql.end();
        await database.close();
        directory.remove();
      },
    };
  });
});

describeWith('DATABASE_URL_TEST', 'log store on PostgreSQL', (url) => {
  suite(async () => {
    const own = await temporaryDatabase(url);
    const database = await openDatabase({
      dataDir: '/nowhere',
      url: own.url,
      clock: realClock,
      ...recorder(),
    });
    const sql = postgres(own.url, { max: 1, onnotice: () => undefined });
    return {
      database,
      sql,
      async release() {
        await sql.end();
        await database.close();
        await own.remove();
      },
    };
  });
});

function suite(open: () => Promise<Place>): void {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.release());
  beforeEach(async () => {
    await place.sql`truncate portcullis.requests, portcullis.request_contents, portcullis.request_decisions,
      portcullis.daily_counts`;
  });

  const append = (...batch: LoggedRequest[]): Promise<number> =>
    place.database.transaction(({ logs }) => logs.append(batch));
  const ids = async (filter: Partial<LogFilter>): Promise<string[]> => {
    const { rows, total } = await place.database.stores.logs.list({
      filter: { scope: null, ...filter },
      sortBy: 'startTime',
      descending: false,
      offset: 0,
      limit: 100,
    });
    expect(total).toBe(rows.length);
    return rows.map(({ requestId }) => requestId);
  };
  const counts = (kind: 'guardrail' | 'policy', scope: LogScope | null = null, id?: string) =>
    place.database.stores.logs.dailyCounts({
      kind,
      ...(id === undefined ? {} : { id }),
      fromDay: '2025-12-01',
      toDay: '2026-02-01',
      scope,
    });

  test('a request comes back as it was written, with its whole record', async () => {
    const request = logged(
      'whole',
      { team_id: 't', key_alias: 'k', user_id: 'u', caller_tags: ['mine'], guardrails: [masked('pii')] },
      { keyHash: hashLike('k'), organizationId: 'o', endUser: 'end', tags: ['eu'] },
    );
    await append(request);
    const found = await place.database.stores.logs.find('whole', null);
    expect(found).toEqual({
      requestId: 'whole',
      startedAtMs: NOON,
      endedAtMs: NOON + 120,
      callType: 'acompletion',
      status: 'success',
      action: 'masked',
      errorCode: null,
      teamId: 't',
      keyHash: hashLike('k'),
      keyAlias: 'k',
      userId: 'u',
      organizationId: 'o',
      endUser: 'end',
      model: 'gpt-4o',
      modelGroup: 'gpt-4o',
      provider: 'openai',
      tags: ['eu', 'mine'],
      promptTokens: 10,
      completionTokens: 5,
      totalTokens: 15,
      spend: 0,
      costKnown: false,
      record: JSON.parse(request.text) as unknown,
    });
    expect(await place.database.stores.logs.content('whole')).toBeNull();
  });

  test('a batch that is written twice leaves one row and counts once', async () => {
    const batch = [
      logged('a', { guardrails: [passed('pii')] }),
      logged('b', { guardrails: [passed('pii')] }),
    ];
    expect(await append(...batch)).toBe(2);
    expect(await append(...batch, logged('c', { guardrails: [passed('pii')] }))).toBe(1);
    expect(await ids({})).toEqual(['a', 'b', 'c']);
    expect(await counts('guardrail')).toMatchObject([{ subject: 'pii', evaluated: 3, timed: 3 }]);
  });

  test('a blocked request has a row: failure, its action, its guardrails kept (E2)', async () => {
    await append(logged('no', { ...BLOCKED, guardrails: [blocked('pii')] }));
    const row = await place.database.stores.logs.find('no', null);
    expect(row).toMatchObject({
      status: 'failure',
      action: 'blocked',
      errorCode: 'guardrail_violation',
      spend: 0,
      totalTokens: null,
      record: { guardrails: [{ guardrail_name: 'pii', outcome: 'flagged' }] },
    });
  });

  describe('filters', () => {
    beforeEach(async () => {
      await append(
        logged('early', { time: NOON - DAY_MS, model: 'alias', model_group: 'gpt-5' }),
        logged(
          'req-1',
          {
            team_id: 'red',
            key_alias: 'ci',
            user_id: 'u1',
            policies: [policy('p1', 'strict')],
            guardrails: [blocked('pii', demandedBy('p1', 'strict')), passed('tox')],
            ...BLOCKED,
          },
          { keyHash: hashLike('k1'), endUser: 'customer', tags: ['eu'] },
        ),
        logged('req-2', {
          time: NOON + 1,
          team_id: 'blue',
          user_id: 'u2',
          policies: [policy('p2', 'strict', 2)],
          guardrails: [passed('pii', demandedBy('p2', 'strict')), masked('tox')],
        }),
        logged('re%q', { time: NOON + 2 }),
      );
    });

    test.each<[string, Partial<LogFilter>, string[]]>([
      ['time, the end excluded', { fromMs: NOON, toMs: NOON + 2 }, ['req-1', 'req-2']],
      ['team', { teamId: 'red' }, ['req-1']],
      ['key hash', { keyHash: hashLike('k1') }, ['req-1']],
      ['key alias', { keyAlias: 'ci' }, ['req-1']],
      ['user', { userId: 'u2' }, ['req-2']],
      ['end user', { endUser: 'customer' }, ['req-1']],
      ['requested model', { model: 'alias' }, ['early']],
      ['model group', { model: 'gpt-5' }, ['early']],
      ['status', { status: 'failure' }, ['req-1']],
      ['error code', { errorCode: 'guardrail_violation' }, ['req-1']],
      ['tag', { tag: 'eu' }, ['req-1']],
      ['what became of the request', { action: 'masked' }, ['req-2']],
      ['no guardrail planned', { action: 'none' }, ['early', 're%q']],
      ['a whole request id', { requestId: 'req-1' }, ['req-1']],
      ['the beginning of a request id', { requestId: 'req' }, ['req-1', 'req-2']],
      ['a beginning in which % is a character', { requestId: 're%' }, ['re%q']],
      ['guardrail', { guardrail: 'tox' }, ['req-1', 'req-2']],
      ['what one guardrail did', { guardrail: 'pii', action: 'passed' }, ['req-2']],
      ['policy version', { policy: 'p2' }, ['req-2']],
      ['policy name, all versions', { policy: 'strict' }, ['req-1', 'req-2']],
      ['what a policy did', { policy: 'strict', action: 'blocked' }, ['req-1']],
      ['guardrail and policy', { guardrail: 'tox', policy: 'p1' }, ['req-1']],
      ['several at once', { teamId: 'red', status: 'success' }, []],
    ])('by %s', async (_, filter, expected) => {
      expect(await ids(filter)).toEqual(expected);
    });

    test.each<[string, LogScope, string[]]>([
      ['a key', { keyHash: hashLike('k1'), userId: null, teamIds: [] }, ['req-1']],
      ['a user', { keyHash: null, userId: 'u2', teamIds: [] }, ['req-2']],
      ['teams', { keyHash: null, userId: null, teamIds: ['red', 'blue'] }, ['req-1', 'req-2']],
      ['nobody', { keyHash: null, userId: null, teamIds: [] }, []],
    ])('a scope of %s sees nothing else, also by id', async (_, scope, expected) => {
      expect(await ids({ scope })).toEqual(expected);
      for (const id of ['early', 'req-1', 'req-2']) {
        const found = await place.database.stores.logs.find(id, scope);
        expect(found?.requestId ?? null).toBe(expected.includes(id) ? id : null);
      }
    });
  });

  test.each<[string, string]>([
    ['time', 'requests_started_at_index'],
    ["team_id = 't'", 'requests_team_id_index'],
    ["key_hash = 'k'", 'requests_key_hash_index'],
    ["key_alias = 'k'", 'requests_key_alias_index'],
    ["model_group = 'm'", 'requests_model_group_index'],
    ["status = 'failure'", 'requests_status_index'],
    ["action = 'blocked'", 'requests_action_index'],
    ["request_id like 'abc%'", 'requests_pkey'],
    ["tags @> array['eu']", 'requests_tags_index'],
  ])('%s is found by an index', async (condition, index) => {
    const where = condition === 'time' ? "started_at >= '2026-01-01'" : condition;
    const plan = await place.sql.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      return tx.unsafe(`explain select * from portcullis.requests where ${where}`);
    });
    expect(JSON.stringify(plan)).toContain(index);
  });

  test('pages neither repeat nor lose a request, also among equal times', async () => {
    await append(...Array.from({ length: 25 }, (_, number) => logged(`r${String(number).padStart(2, '0')}`)));
    const seen: string[] = [];
    for (const offset of [0, 10, 20]) {
      const { rows, total } = await place.database.stores.logs.list({
        filter: { scope: null },
        sortBy: 'startTime',
        descending: true,
        offset,
        limit: 10,
      });
      expect(total).toBe(25);
      seen.push(...rows.map(({ requestId }) => requestId));
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });

  describe('daily counts', () => {
    test('are written for guardrails and for policy versions (D-60)', async () => {
      await append(
        logged('1', {
          ...BLOCKED,
          policies: [policy('v1', 'strict', 1)],
          guardrails: [
            blocked('pii', { ...demandedBy('v1'), duration: 0.004, risk_score: 10 }),
            passed('tox', { duration: 0.02 }),
          ],
        }),
        logged('2', {
          policies: [policy('v1', 'strict', 1), policy('v9', 'lax', 9)],
          guardrails: [masked('pii', { ...demandedBy('v1'), duration: 0.006 }), failed('tox')],
        }),
        logged('3', { time: NOON + DAY_MS, guardrails: [passed('pii')] }),
      );
      expect(await counts('guardrail')).toMatchObject([
        {
          subject: 'pii',
          day: '2026-01-01',
          evaluated: 2,
          blocked: 1,
          masked: 1,
          passed: 0,
          timed: 2,
          scored: 1,
          score: 10,
        },
        { subject: 'tox', day: '2026-01-01', evaluated: 2, passed: 1, errors: 1 },
        { subject: 'pii', day: '2026-01-02', evaluated: 1, passed: 1 },
      ]);
      expect((await counts('guardrail', null, 'pii'))[0]?.latencyMs).toBeCloseTo(10);
      expect(await counts('policy')).toMatchObject([
        { subject: 'v1', name: 'strict', version: 1, evaluated: 2, blocked: 1, masked: 1 },
        // None of its guardrails came to run: no pass.
        { subject: 'v9', name: 'lax', version: 9, evaluated: 0, passed: 0, notRun: 1 },
      ]);
    });

    test('"not run" is no pass (D-62)', async () => {
      await append(
        logged('1', { guardrails: [notRun('pii')] }),
        logged('2', { guardrails: [passed('pii')] }),
      );
      expect(await counts('guardrail')).toMatchObject([{ evaluated: 1, passed: 1, notRun: 1, timed: 1 }]);
      expect(await ids({ action: 'passed' })).toEqual(['2']);
      expect(await ids({ action: 'not_run' })).toEqual(['1']);
    });

    test('of a scope are the same numbers, counted from its requests', async () => {
      const kinds = [passed, masked, blocked, failed, notRun];
      const batch = Array.from({ length: 60 }, (_, number) =>
        logged(`r${number}`, {
          time: NOON + number * 3_600_000,
          team_id: 'all',
          policies: [policy('v1')],
          guardrails: ['a', 'b'].flatMap((name, index) => {
            const make = kinds[(number + index) % kinds.length] ?? passed;
            return [
              make(name, {
                ...demandedBy('v1'),
                duration: (number ** 2 + 1) / 1_000,
                risk_score: number % 3,
              }),
            ];
          }),
        }),
      );
      await append(...batch.slice(0, 20));
      await append(...batch.slice(20));
      const everybody: LogScope = { keyHash: null, userId: null, teamIds: ['all'] };
      for (const kind of ['guardrail', 'policy'] as const) {
        const kept = await counts(kind);
        const anew = await counts(kind, everybody);
        expect(kept.length).toBeGreaterThan(2);
        expect(anew.map(withoutFractions)).toEqual(kept.map(withoutFractions));
      }
      expect(await counts('guardrail', { ...everybody, teamIds: ['other'] })).toEqual([]);
    });

    test('agree with the rows: one decision for each guardrail of each request (E2)', async () => {
      const batch = Array.from({ length: 40 }, (_, number) =>
        logged(`r${number}`, {
          guardrails: [passed('a'), masked('a', { executed_hook: 'post_call' }), blocked('b'), notRun('c')],
        }),
      );
      await append(...batch);
      const [row] = await place.sql<{ rows: number; decisions: number }[]>`
        select (select count(*)::int from portcullis.requests) as rows,
          (select count(*)::int from portcullis.request_decisions) as decisions`;
      expect(row).toEqual({ rows: 40, decisions: 120 });
      const sums = (await counts('guardrail')).map(({ subject, evaluated, notRun }) => [
        subject,
        evaluated + notRun,
      ]);
      expect(sums).toEqual([
        ['a', 40],
        ['b', 40],
        ['c', 40],
      ]);
    });
  });

  test('the action is part of the question, so pages are full and totals right (D-61)', async () => {
    const batch = Array.from({ length: 30 }, (_, number) =>
      logged(`r${String(number).padStart(2, '0')}`, {
        time: NOON + number,
        guardrails: [number % 3 === 0 ? blocked('pii') : passed('pii')],
      }),
    );
    await append(...batch);
    const page = (offset: number) =>
      place.database.stores.logs.decisions({
        subject: { kind: 'guardrail', id: 'pii' },
        action: 'blocked',
        fromMs: NOON - 1,
        toMs: NOON + DAY_MS,
        scope: null,
        offset,
        limit: 4,
      });
    const pages = [await page(0), await page(4), await page(8)];
    expect(pages.map(({ rows, total }) => [rows.length, total])).toEqual([
      [4, 10],
      [4, 10],
      [2, 10],
    ]);
    expect(pages.flatMap(({ rows }) => rows.map(({ requestId }) => requestId))).toEqual([
      'r27',
      'r24',
      'r21',
      'r18',
      'r15',
      'r12',
      'r09',
      'r06',
      'r03',
      'r00',
    ]);
    expect(pages[0]?.rows[0]).toMatchObject({
      action: 'blocked',
      latencyMs: 2,
      reason: 'a kind of thing was found',
    });
  });

  describe('content', () => {
    const content = (over: object = {}) => ({
      content: {
        messages: [{ role: 'user', content: 'How are you?' }],
        withheld: null,
        answer: [
          { path: '/choices/0/message/content', text: 'Fine.' },
          { path: '/choices/0/message/tool_calls/0/function/arguments#/to', text: 'x' },
        ],
        bytes: 100,
        ...over,
      },
    });

    test('is stored when it was asked for', async () => {
      await append(logged('yes', {}, content()), logged('no'));
      expect(await place.database.stores.logs.content('yes')).toEqual({
        messages: [{ role: 'user', content: 'How are you?' }],
        response: {
          choices: [
            { message: { content: 'Fine.', tool_calls: [{ function: { arguments: { '#/to': 'x' } } }] } },
          ],
        },
        withheld: null,
      });
      expect(await place.database.stores.logs.content('no')).toBeNull();
    });

    test('that was masked is stored as it went on', async () => {
      await append(logged('m', { guardrails: [masked('pii')], verdicts: { pre_call: 'mask' } }, content()));
      expect(await place.database.stores.logs.content('m')).toMatchObject({ withheld: null });
    });

    test.each([
      ['a block', [blocked('pii')], { pre_call: 'block' }],
      [
        'a match that is only logged',
        [blocked('pii', { verdict: 'allow', flagged_action: 'log' })],
        { pre_call: 'allow' },
      ],
      ['a monitored match', [masked('pii', { enforcement: 'monitor' })], {}],
      [
        'a mask that a pipeline threw away',
        [masked('pii', { pipeline: { policy_name: 'p', step: 0, action: 'next' } })],
        { pre_call: 'mask' },
      ],
      [
        'a mask beside a match that is only logged',
        [masked('pii', { match_details: [LOGGED_MATCH] })],
        { pre_call: 'mask' },
      ],
      ['a mask beside a block', [masked('pii'), failed('tox')], { pre_call: 'block' }],
    ] as const)(
      'of a request with %s is withheld, because matched values are never stored (D-101)',
      async (_, guardrails, verdicts) => {
        await append(logged('w', { guardrails: [...guardrails], verdicts }, content()));
        expect(await place.database.stores.logs.content('w')).toEqual({
          messages: null,
          response: null,
          withheld: 'matched by pii',
        });
        const [row] = await place.sql`select * from portcullis.request_contents`;
        expect(JSON.stringify(row)).not.toContain('How are you');
      },
    );

    test('that is very large is withheld', async () => {
      await append(logged('big', {}, content({ messages: ['x'.repeat(300_000)] })));
      expect(await place.database.stores.logs.content('big')).toMatchObject({ withheld: 'too large' });
    });
  });

  test('what the database has no place for is replaced, and keeps nothing out', async () => {
    const nul = '\u0000';
    const half = '\ud83d';
    const odd = `a${nul}b${half}\\u0000\\ud83d🦀`;
    const long = 'ü'.repeat(5_000);
    await append(
      logged(
        'odd',
        { model: odd, caller_tags: [odd, long], key_alias: long, error_message: odd },
        { endUser: odd },
      ),
    );
    const found = await place.database.stores.logs.find('odd', null);
    const kept = 'a�b�\\u0000\\ud83d🦀';
    expect(found).toMatchObject({
      model: kept,
      endUser: kept,
      tags: [kept, 'ü'.repeat(256)],
      record: { error_message: kept, caller_tags: [kept, long] },
    });
    expect(await ids({ keyAlias: long })).toEqual(['odd']);
  });

  test('spend is summed by day, key, user and model, and says that it is not known', async () => {
    await append(
      logged('1', { user_id: 'u' }, { keyHash: hashLike('k') }),
      logged('2', { user_id: 'u', time: NOON + 1 }, { keyHash: hashLike('k') }),
      logged('3', { time: NOON + DAY_MS, usage: null }),
    );
    expect(await place.database.stores.logs.dailySpend({ scope: null })).toEqual([
      {
        day: '2026-01-01',
        keyHash: hashLike('k'),
        userId: 'u',
        model: 'gpt-4o',
        requests: 2,
        totalTokens: 30,
        spend: 0,
        costKnown: false,
      },
      {
        day: '2026-01-02',
        keyHash: null,
        userId: null,
        model: 'gpt-4o',
        requests: 1,
        totalTokens: 0,
        spend: 0,
        costKnown: false,
      },
    ]);
  });

  test('retention deletes what is older than the period, with all that belongs to it, and keeps the counts', async () => {
    const clock = stillClock(NOON);
    const events: unknown[] = [];
    let keepMs: number | null = null;
    const retention = startRetention({
      database: place.database,
      clock,
      settings: () => ({ keepMs, everyMs: 3_600_000 }),
      onEvent: (event) => events.push(event),
    });
    const old = Array.from({ length: 1_050 }, (_, number) =>
      logged(
        `old${number}`,
        { time: NOON - 31 * DAY_MS, guardrails: [passed('pii')] },
        {
          content: { messages: [], withheld: null, answer: [], bytes: 0 },
        },
      ),
    );
    await append(...old, logged('new', { time: NOON - 29 * DAY_MS, guardrails: [passed('pii')] }));
    await retention.round();
    expect(await place.sql`select 1 from portcullis.requests`).toHaveLength(1_051);
    keepMs = 30 * DAY_MS;
    await retention.round();
    expect(await ids({})).toEqual(['new']);
    expect(await place.sql`select 1 from portcullis.request_decisions`).toHaveLength(1);
    expect(await place.sql`select 1 from portcullis.request_contents`).toHaveLength(0);
    expect(await counts('guardrail')).toMatchObject([{ evaluated: 1_050 }, { evaluated: 1 }]);
    expect(events).toMatchObject([{ kind: 'expired', records: 1_050 }]);

    clock.advance(2 * DAY_MS - 1);
    await retention.round();
    expect(await ids({})).toEqual([]);
    await retention.stop();
  });

  test('two writers of the same days wait for each other and lose nothing', async () => {
    const batch = (writer: number, number: number) =>
      Array.from({ length: 5 }, (_, index) =>
        logged(`w${writer}-${number}-${index}`, { guardrails: [passed('a'), passed('b'), passed('c')] }),
      );
    await Promise.all(
      [0, 1, 2, 3].map(async (writer) => {
        for (let number = 0; number < 5; number += 1) await append(...batch(writer, number));
      }),
    );
    expect((await counts('guardrail')).map(({ evaluated }) => evaluated)).toEqual([100, 100, 100]);
  });
}

const LOGGED_MATCH: RunRecord['match_details'][number] = {
  type: 'ip',
  action_taken: 'LOG',
  detection_method: 'regex',
  category: null,
  severity: null,
  score: null,
  path: null,
  start: null,
  end: null,
  hash: null,
};

/** Sums of fractions depend on their order in the last digits. */
function withoutFractions<T extends { readonly latencyMs: number }>(counts: T): T {
  return { ...counts, latencyMs: Math.round(counts.latencyMs) };
}
