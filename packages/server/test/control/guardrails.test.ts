import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { Identity } from '../../src/ports/identity.ts';
import { openDatabase } from '../../src/storage/database.ts';
import {
  newKey,
  newTeam,
  preparedDirectory,
  realClock,
  recorder,
  temporaryDatabase,
} from '../storage/kit.ts';
import { ADMIN, type GuardrailPlane, guardrailPlane, identityOf } from './guardrail-plane.ts';

const SECRET = 'wh-live-5550001234567';
const HEADER = 'tenant-secret-987654321';

const WEBHOOK = {
  guardrail_name: 'webhook',
  litellm_params: {
    guardrail: 'generic_guardrail_api',
    mode: 'pre_call',
    api_base: 'https://guard.example',
    api_key: SECRET,
    headers: { 'x-tenant': HEADER },
  },
  guardrail_info: { description: 'asks the guard' },
};

const FILTER = {
  guardrail_name: 'filter',
  litellm_params: {
    guardrail: 'litellm_content_filter',
    mode: 'pre_call',
    patterns: [{ pattern_type: 'prebuilt', pattern_name: 'email', action: 'MASK' }],
    blocked_words: [{ keyword: 'zanzibar', action: 'BLOCK' }],
  },
};

const PATTERN_PLACE = ['body', 'guardrail', 'litellm_params', 'patterns', 0, 'pattern'];

interface Place {
  plane: GuardrailPlane;
  /** Another process on the same database, with other keys. */
  planeWith(salts: readonly string[]): GuardrailPlane;
  /** Every byte of every table, as text. */
  bytes(): Promise<string>;
  empty(): Promise<void>;
  release(): Promise<void>;
}

describe('guardrails on the embedded database', () => {
  suite(async () => {
    const directory = await preparedDirectory();
    const database = await openDatabase({
      dataDir: directory.path,
      url: null,
      clock: realClock,
      ...recorder(),
    });
    const path = `${directory.path}/run/.s.PGSQL.5432`;
    const sql = postgres({ path, username: 'postgres', database: 'postgres', max: 1 });
    return placeOn(database, sql, async () => {
      await sql.end();
      await database.close();
      directory.remove();
    });
  });
});

describeWith('DATABASE_URL_TEST', 'guardrails on PostgreSQL', (url) => {
  suite(async () => {
    const own = await temporaryDatabase(url);
    const database = await openDatabase({
      dataDir: '/nowhere',
      url: own.url,
      clock: realClock,
      ...recorder(),
    });
    const sql = postgres(own.url, { max: 1 });
    return placeOn(database, sql, async () => {
      await sql.end();
      await database.close();
      await own.remove();
    });
  });
});

const TABLES = ['guardrails', 'guardrail_submissions', 'policy_history', 'audit_log', 'idempotency_keys'];

function placeOn(
  database: GuardrailPlane['database'],
  sql: postgres.Sql,
  release: () => Promise<void>,
): Place {
  return {
    plane: guardrailPlane(database),
    planeWith: (salts) => guardrailPlane(database, salts),
    async bytes() {
      const rows = await Promise.all(TABLES.map((table) => sql`select * from portcullis.${sql(table)}`));
      return JSON.stringify(rows);
    },
    async empty() {
      await sql`delete from portcullis.guardrail_submissions`;
      await sql`delete from portcullis.guardrails`;
      await sql`delete from portcullis.policy_history`;
      await sql`delete from portcullis.policies`;
      await sql`delete from portcullis.keys`;
      await sql`delete from portcullis.teams`;
    },
    release,
  };
}

function suite(make: () => Promise<Place>): void {
  let place: Place;
  let plane: GuardrailPlane;

  beforeAll(async () => {
    place = await make();
  }, 60_000);
  afterAll(() => place.release());
  beforeEach(async () => {
    await place.empty();
    // A new one: what the old one knew of the database is gone.
    plane = place.planeWith(['salt']);
    await plane.load();
  });

  const created = async (guardrail: object = WEBHOOK) => {
    const answer = await plane.call('POST /guardrails', { body: { guardrail } });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  };
  const stored = async (id: string) => {
    const found = await plane.database.stores.policies.guardrail(id);
    if (found === null) throw new Error('not stored');
    return found.guardrail;
  };

  describe('POST /guardrails', () => {
    test('makes a guardrail that is in force when the answer comes, and answers its row (S5)', async () => {
      const row = await created();
      expect(row).toMatchObject({
        guardrail_id: expect.any(String),
        guardrail_name: 'webhook',
        litellm_params: { guardrail: 'generic_guardrail_api', mode: 'pre_call', api_key: 'wh-l****' },
        guardrail_info: { description: 'asks the guard' },
        guardrail_definition_location: 'db',
      });
      const info = await plane.call('GET /guardrails/:guardrail_id', { id: row['guardrail_id'] });
      expect(info.body).toMatchObject({ guardrail_id: row['guardrail_id'], in_force: true });
    });

    test('refuses what could not be set up, field by field, and stores nothing (rows 21 and 22 of the complaints)', async () => {
      const answer = await plane.call('POST /guardrails', {
        body: {
          guardrail: {
            guardrail_name: 'broken',
            litellm_params: {
              guardrail: 'litellm_content_filter',
              mode: 'pre_call',
              patterns: [{ pattern_type: 'regex', pattern: '(', name: 'x', action: 'BLOCK' }],
            },
          },
        },
      });
      expect(answer.status).toBe(422);
      expect(answer.body['detail'][0].loc).toEqual(PATTERN_PLACE);
      expect(await plane.database.stores.policies.guardrails()).toEqual([]);
    });

    test.each([
      ['an unknown provider', { guardrail: 'nobody', mode: 'pre_call' }, 'guardrail'],
      ['an unknown setting', { ...FILTER.litellm_params, blocked_wordz: [] }, 'blocked_wordz'],
      ['an unknown hook', { ...FILTER.litellm_params, mode: 'sometimes' }, 'mode'],
      ['a mask in during_call', { ...FILTER.litellm_params, mode: 'during_call' }, 'mode'],
      ['a variable of the environment', { ...WEBHOOK.litellm_params, api_key: 'os.environ/HOME' }, 'api_key'],
      ['a masked secret', { ...WEBHOOK.litellm_params, api_key: 'wh-l****' }, 'api_key'],
    ])('refuses %s by the name of the field', async (_, params, field) => {
      const answer = await plane.call('POST /guardrails', {
        body: { guardrail: { guardrail_name: 'bad', litellm_params: params } },
      });
      expect(answer.status).toBe(422);
      expect(answer.body['detail'][0].loc).toEqual(['body', 'guardrail', 'litellm_params', field]);
    });

    test('refuses a name that the database or the configuration file has', async () => {
      await created();
      const again = await plane.call('POST /guardrails', { body: { guardrail: WEBHOOK } });
      expect(again.status).toBe(409);
      const configured = { ...WEBHOOK, guardrail_name: 'configured-filter' };
      const other = await plane.call('POST /guardrails', { body: { guardrail: configured } });
      expect(other.status).toBe(409);
      expect(other.body['error'].message).toContain('configuration file');
    });

    test('with an Idempotency-Key makes one guardrail, however often it is sent (V7)', async () => {
      const request = { body: { guardrail: WEBHOOK }, headers: { 'idempotency-key': 'once-1' } };
      const first = await plane.call('POST /guardrails', request);
      const second = await plane.call('POST /guardrails', request);
      expect(second.body).toEqual(first.body);
      expect(await plane.database.stores.policies.guardrails()).toHaveLength(1);
    });

    test('refuses a character that the database cannot keep', async () => {
      const guardrail = { ...FILTER, guardrail_info: { text: 'a\u0000b' } };
      expect((await plane.call('POST /guardrails', { body: { guardrail } })).status).toBe(422);
    });
  });

  describe('secrets', () => {
    test('are in no answer, no audit row and no byte of the database', async () => {
      const answers = [];
      const row = await created();
      const id = row['guardrail_id'] as string;
      answers.push(row);
      const patch = { litellm_params: { timeout: 5 } };
      answers.push(await plane.call('PATCH /guardrails/:guardrail_id', { id, body: patch }));
      answers.push(await plane.call('GET /guardrails/:guardrail_id', { id }));
      answers.push(await plane.call('GET /guardrails/:guardrail_id/info', { id }));
      answers.push(await plane.call('GET /v2/guardrails/list'));
      answers.push(await plane.call('GET /guardrails/list'));
      const bad = { litellm_params: { api_base: SECRET, timeout: SECRET, priority: HEADER } };
      answers.push(await plane.call('PATCH /guardrails/:guardrail_id', { id, body: bad }));
      const request = { body: { guardrail: { ...WEBHOOK, guardrail_name: 'second' } } };
      answers.push(
        await plane.call('POST /guardrails', { ...request, headers: { 'idempotency-key': 'secret-1' } }),
      );
      answers.push(await plane.call('DELETE /guardrails/:guardrail_id', { id }));
      const told = JSON.stringify(answers) + (await place.bytes());
      expect(told).not.toContain(SECRET);
      expect(told).not.toContain(HEADER);
      expect(told).not.toContain('configured-secret-1');
      expect(told).toContain('wh-l****');
    });

    test('reach the service that they are for', async () => {
      await created();
      const body = { guardrail_name: 'webhook', text: 'hello' };
      expect((await plane.call('POST /guardrails/apply_guardrail', { body })).status).toBe(200);
      expect(plane.sent.at(-1)?.headers).toMatchObject({ 'x-api-key': SECRET, 'x-tenant': HEADER });
    });

    test('that come back masked stay what they were (BerriAI/litellm#28902)', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const before = plane.call('GET /guardrails/:guardrail_id', { id });
      // A form that was loaded and saved as it is, read-only fields included.
      const put = await plane.call('PUT /guardrails/:guardrail_id', {
        id,
        body: { guardrail: (await before).body },
      });
      expect(put).toMatchObject({ status: 200 });
      const patch = await plane.call('PATCH /guardrails/:guardrail_id', {
        id,
        body: { litellm_params: { api_key: 'wh-l****', timeout: 3 } },
      });
      expect(patch.status).toBe(200);
      await plane.call('POST /apply_guardrail', { body: { guardrail_name: 'webhook', text: 'hello' } });
      expect(plane.sent.at(-1)?.headers).toMatchObject({ 'x-api-key': SECRET, 'x-tenant': HEADER });
    });

    test('that are sent anew replace the old ones, also where both look alike', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const body = { litellm_params: { api_key: 'wh-live-another-one' } };
      await plane.call('PATCH /guardrails/:guardrail_id', { id, body });
      await plane.call('POST /apply_guardrail', { body: { guardrail_name: 'webhook', text: 'hello' } });
      expect(plane.sent.at(-1)?.headers['x-api-key']).toBe('wh-live-another-one');
    });

    test('that are another mask than the stored one are refused', async () => {
      const row = await created();
      const body = { litellm_params: { api_key: 'zzzz****' } };
      const answer = await plane.call('PATCH /guardrails/:guardrail_id', { id: row['guardrail_id'], body });
      expect(answer.status).toBe(422);
      expect(answer.body['detail'][0].loc).toEqual(['body', 'litellm_params', 'api_key']);
    });

    test('are written with the newest key and read with every key', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const old = String((await stored(id)).litellm_params['api_key']).split(':')[1];
      const next = place.planeWith(['new salt', 'salt']);
      await next.load();
      const body = { litellm_params: { timeout: 9 } };
      expect((await next.call('PATCH /guardrails/:guardrail_id', { id, body })).status).toBe(200);
      expect(String((await stored(id)).litellm_params['api_key']).split(':')[1]).not.toBe(old);
      const last = place.planeWith(['new salt']);
      await last.load();
      await last.call('POST /apply_guardrail', { body: { guardrail_name: 'webhook', text: 'x' } });
      expect(last.sent.at(-1)?.headers['x-api-key']).toBe(SECRET);
    });

    test('that cannot be opened break no list: the row says so, and entering them again repairs it', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const other = place.planeWith(['lost']);
      const list = await other.call('GET /v2/guardrails/list');
      expect(list.body['guardrails'][0]).toMatchObject({
        litellm_params: { api_key: '****' },
        problem: expect.stringContaining('PORTCULLIS_OLD_SALT_KEYS'),
      });
      const patch = await other.call('PATCH /guardrails/:guardrail_id', {
        id,
        body: { guardrail_info: {} },
      });
      expect(patch.status).toBe(422);
      const masks = { ...WEBHOOK, litellm_params: { ...WEBHOOK.litellm_params, api_key: '****' } };
      const guess = await other.call('PUT /guardrails/:guardrail_id', { id, body: { guardrail: masks } });
      expect(guess.status).toBe(422);
      const put = await other.call('PUT /guardrails/:guardrail_id', { id, body: { guardrail: WEBHOOK } });
      expect(put).toMatchObject({ status: 200, body: { litellm_params: { api_key: 'wh-l****' } } });
      expect(put.body).not.toHaveProperty('problem');
    });

    test('whose api_base holds a login are sealed like any other', async () => {
      const api_base = `https://user:${SECRET}@guard.example`;
      const params = { ...WEBHOOK.litellm_params, api_base };
      const row = await created({ ...WEBHOOK, litellm_params: params });
      expect(row['litellm_params'].api_base).toBe('http****');
      expect(await place.bytes()).not.toContain(SECRET);
      const body = { litellm_params: { timeout: 4 } };
      const patch = await plane.call('PATCH /guardrails/:guardrail_id', { id: row['guardrail_id'], body });
      expect(patch).toMatchObject({ status: 200 });
    });

    test('that were entered anew are told in the audit log by their place', async () => {
      const row = await created();
      const body = { litellm_params: { api_key: 'wh-live-another-one' } };
      await plane.call('PATCH /guardrails/:guardrail_id', { id: row['guardrail_id'], body });
      const [entry] = await plane.database.stores.audit.list({ limit: 1 });
      expect(entry?.after).toMatchObject({ changed_secrets: ['api_key'] });
    });

    test('of the configuration file are masked too', async () => {
      const list = await plane.call('GET /guardrails/list');
      expect(list.body['guardrails']).toEqual([
        {
          guardrail_name: 'configured-filter',
          litellm_params: expect.objectContaining({ api_key: 'conf****', mode: 'pre_call' }),
          guardrail_info: {},
        },
      ]);
    });
  });

  describe('PUT and PATCH /guardrails/{id}', () => {
    test('PUT replaces everything, PATCH only what is given, and null takes a setting away', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const patched = await plane.call('PATCH /guardrails/:guardrail_id', {
        id,
        body: { litellm_params: { timeout: 5, headers: null } },
      });
      expect(patched.body).toMatchObject({
        guardrail_info: { description: 'asks the guard' },
        litellm_params: { timeout: 5, api_key: 'wh-l****' },
      });
      expect(patched.body['litellm_params'].headers).toBeUndefined();
      const put = await plane.call('PUT /guardrails/:guardrail_id', { id, body: { guardrail: FILTER } });
      expect(put.body).toMatchObject({ guardrail_id: id, guardrail_name: 'filter', guardrail_info: {} });
      expect(put.body['litellm_params']).not.toHaveProperty('api_key');
      expect(put.body['created_at']).toBe(row['created_at']);
    });

    test('refuse a stale If-Match with what has changed since (V7)', async () => {
      const row = await created();
      const answer = await plane.call('PATCH /guardrails/:guardrail_id', {
        id: row['guardrail_id'],
        body: { guardrail_info: {} },
        headers: { 'if-match': '"0"' },
      });
      expect(answer.status).toBe(412);
    });

    test('refuse an unknown id with 404 and one of the configuration file with 400 (S7)', async () => {
      const body = { guardrail_info: {} };
      const unknown = await plane.call('PATCH /guardrails/:guardrail_id', { id: 'nobody', body });
      expect(unknown.status).toBe(404);
      for (const [route, options] of [
        ['PATCH /guardrails/:guardrail_id', { body }],
        ['PUT /guardrails/:guardrail_id', { body: { guardrail: FILTER } }],
        ['DELETE /guardrails/:guardrail_id', {}],
      ] as const) {
        const answer = await plane.call(route, { id: 'configured-filter', ...options });
        expect([route, answer.status]).toEqual([route, 400]);
        expect(answer.body['error'].message).toContain('config');
      }
    });

    test('write the masked row before and after into the audit log, with who and which revision (V10)', async () => {
      const row = await created();
      const id = row['guardrail_id'] as string;
      const answer = await plane.call('PATCH /guardrails/:guardrail_id', {
        id,
        body: { litellm_params: { timeout: 7 } },
      });
      const [entry] = await plane.database.stores.audit.list({ limit: 1 });
      expect(entry).toMatchObject({
        action: 'guardrail.update',
        actor: { by: 'default_user_id', role: 'proxy_admin' },
        object: { type: 'guardrail', id },
        before: { guardrail_name: 'webhook', litellm_params: { timeout: null, api_key: 'wh-l****' } },
        after: { guardrail_name: 'webhook', litellm_params: { timeout: 7, api_key: 'wh-l****' } },
        revision: Number(answer.headers?.['x-portcullis-revision']),
      });
    });
  });

  describe('DELETE /guardrails/{id}', () => {
    test('takes the guardrail out of force', async () => {
      const { guardrail_id: id } = await created();
      const answer = await plane.call('DELETE /guardrails/:guardrail_id', { id });
      expect(answer.body).toEqual({ message: `Guardrail ${id} deleted successfully` });
      const body = { guardrail_name: 'webhook', text: 'x' };
      expect((await plane.call('POST /apply_guardrail', { body })).status).toBe(404);
      expect((await plane.call('GET /guardrails/:guardrail_id', { id })).status).toBe(404);
    });

    test('is refused with 409 and the list while a key or team names it, and force takes it out there (V6)', async () => {
      const { guardrail_id: id } = await created();
      const setBy = { by: 'alice', role: 'proxy_admin', atMs: 1 } as const;
      await plane.database.transaction(async ({ keys, teams }) => {
        await teams.insert(
          newTeam('t-1', { protection: { opted_out_global_guardrails: { value: ['webhook'], setBy } } }),
        );
        await keys.insert(
          newKey('k-1', { protection: { guardrails: { value: ['webhook', 'other'], setBy } } }),
        );
      });
      const refused = await plane.call('DELETE /guardrails/:guardrail_id', { id });
      expect(refused.status).toBe(409);
      expect(refused.body['error'].dependents).toMatchObject([{ type: 'key' }, { type: 'team', id: 't-1' }]);
      const rename = await plane.call('PATCH /guardrails/:guardrail_id', {
        id,
        body: { guardrail_name: 'renamed' },
      });
      expect(rename.status).toBe(409);

      const forced = await plane.call('DELETE /guardrails/:guardrail_id', { id, query: { force: 'true' } });
      expect(forced).toMatchObject({ status: 200 });
      expect(forced.body['removed']).toHaveLength(2);
      const [key] = await plane.database.stores.keys.ofTeams([]).then(async () => {
        const page = { filter: {}, sortBy: 'token', descending: false, offset: 0, limit: 10 } as const;
        return (await plane.database.stores.keys.list(page)).keys;
      });
      expect(key?.protection.guardrails).toEqual({ value: ['other'], setBy });
      expect((await plane.database.stores.teams.find('t-1'))?.protection).toEqual({});
    });

    test('is refused while a policy names it, and force takes the name out of the policy (V6)', async () => {
      const { guardrail_id: id } = await created(FILTER);
      await created();
      await plane.database.transaction(async ({ policies }) => {
        const revision = await policies.advance({ by: 'alice', callId: 'c', atMs: 1 });
        await policies.putPolicy(revision, {
          policy: {
            policy_id: 'p-1',
            policy_name: 'strict',
            version_number: 1,
            version_status: 'production',
            definition_location: 'db',
            inherit: null,
            description: null,
            guardrails_add: ['filter', 'webhook'],
            guardrails_remove: [],
            guardrails_lock: ['filter'],
            condition: null,
            pipeline: null,
            unscanned: null,
          },
          parentVersionId: null,
          note: null,
          createdAtMs: 1,
          createdBy: null,
          updatedAtMs: 1,
          updatedBy: null,
          publishedAtMs: 1,
          productionAtMs: 1,
        });
      });
      const refused = await plane.call('DELETE /guardrails/:guardrail_id', { id });
      expect(refused.status).toBe(409);
      expect(refused.body['error'].dependents).toMatchObject([{ type: 'policy', id: 'p-1', name: 'strict' }]);
      const forced = await plane.call('DELETE /guardrails/:guardrail_id', { id, query: { force: 'true' } });
      expect(forced).toMatchObject({ status: 200 });
      const left = (await plane.database.stores.policies.policy('p-1'))?.policy;
      expect(left).toMatchObject({ guardrails_add: ['webhook'], guardrails_lock: [] });
    });
  });

  describe('POST /guardrails/apply_guardrail', () => {
    const apply = (body: object, as: Identity = ADMIN) =>
      plane.call('POST /guardrails/apply_guardrail', { body, as });

    test('really scans: masks come back with kinds, places and counts, never with the matched text (BerriAI/litellm#36894)', async () => {
      await created(FILTER);
      const answer = await apply({ guardrail_name: 'filter', text: 'write to jane@example.com today' });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        response_text: 'write to [EMAIL_REDACTED] today',
        action: 'mask',
        masked_entity_count: { email: 1 },
        detections: [{ type: 'email', action: 'MASK', place: 'text', start: 9, end: 25 }],
      });
      expect(answer.body['latency_ms']).toEqual(expect.any(Number));
      expect(JSON.stringify(answer.body)).not.toContain('jane@');
    });

    test('a block is the usual 400, told once and not to be tried again (E7)', async () => {
      await created(FILTER);
      const answer = await apply({ guardrail_name: 'filter', text: 'off to Zanzibar' });
      expect(answer.status).toBe(400);
      expect(answer.headers?.['x-should-retry']).toBe('false');
      expect(answer.body['error']).toMatchObject({
        type: 'guardrail_violation',
        code: '400',
        param: null,
        provider_specific_fields: {
          guardrail_name: 'filter',
          guardrail_mode: 'pre_call',
          policy: null,
          detections: [{ type: 'blocked_word', start: 7, end: 15 }],
        },
      });
    });

    test('a clean text comes back as it is', async () => {
      await created(FILTER);
      const answer = await apply({ guardrail_name: 'filter', text: 'hello' });
      expect(answer.body).toMatchObject({ response_text: 'hello', action: 'allow', detections: [] });
    });

    test('a monitored guardrail changes and blocks nothing, and says what it would have done (E5)', async () => {
      await created({ ...FILTER, litellm_params: { ...FILTER.litellm_params, enforcement: 'monitor' } });
      const answer = await apply({ guardrail_name: 'filter', text: 'Zanzibar' });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        response_text: 'Zanzibar',
        action: 'block',
        enforcement: 'monitor',
      });
    });

    test('takes the side on which the guardrail runs, unless the caller names one', async () => {
      await created({ ...FILTER, litellm_params: { ...FILTER.litellm_params, mode: 'post_call' } });
      const own = await apply({ guardrail_name: 'filter', text: 'x' });
      expect(own.body['guardrail_mode']).toBe('post_call');
      const asked = await apply({ guardrail_name: 'filter', text: 'x', input_type: 'request' });
      expect(asked.body['guardrail_mode']).toBe('pre_call');
    });

    test('scans a text although the guardrail looks at other kinds of content only', async () => {
      await created({ ...FILTER, litellm_params: { ...FILTER.litellm_params, scan: ['tool_result'] } });
      const answer = await apply({ guardrail_name: 'filter', text: 'jane@example.com' });
      expect(answer.body['response_text']).toBe('[EMAIL_REDACTED]');
    });

    test('scans the messages around the text too', async () => {
      await created(FILTER);
      const messages = [{ role: 'user', content: 'I am joe@example.com' }];
      const answer = await apply({ guardrail_name: 'filter', text: 'hello', messages });
      expect(answer.body).toMatchObject({
        response_text: 'hello',
        response_messages: [{ role: 'user', content: 'I am [EMAIL_REDACTED]' }],
        detections: [{ place: '/messages/0/content' }],
      });
    });

    test('tells the service for whom it asks: the caller, or whom an administrator names (BerriAI/litellm#33059)', async () => {
      await created();
      await apply({ guardrail_name: 'webhook', text: 'x' }, identityOf('internal_user', 'team-9'));
      expect(plane.sent.at(-1)?.body).toContain('"user_api_key_team_id":"team-9"');
      await apply({ guardrail_name: 'webhook', text: 'x', team_id: 'team-7', key_alias: 'batch' });
      expect(plane.sent.at(-1)?.body).toContain('"user_api_key_team_id":"team-7"');
      expect(plane.sent.at(-1)?.body).toContain('"user_api_key_alias":"batch"');
    });

    test('lets nobody but an administrator ask in the name of another team', async () => {
      await created();
      const body = { guardrail_name: 'webhook', text: 'x', team_id: 'team-7' };
      const answer = await apply(body, identityOf('internal_user', 'team-9'));
      expect(answer.status).toBe(403);
      expect(plane.sent).toEqual([]);
    });

    test('says which fields of the reference had no use, and 404 for an unknown guardrail', async () => {
      await created(FILTER);
      const answer = await apply({ guardrail_name: 'filter', text: 'x', language: 'en', entities: null });
      expect(answer.body['ignored_fields']).toEqual(['language']);
      expect((await apply({ guardrail_name: 'nobody', text: 'x' })).status).toBe(404);
    });

    test('a guardrail that gives no verdict blocks (E1)', async () => {
      await created();
      plane.serviceAnswer = 'no json';
      const answer = await apply({ guardrail_name: 'webhook', text: 'x' });
      expect(answer.status).toBe(400);
      expect(answer.body['error'].type).toBe('guardrail_error');
    });
  });

  describe('submissions of teams', () => {
    const member = identityOf('internal_user', 'team-1');
    const SUBMISSION = { ...WEBHOOK, guardrail_name: 'ours' };

    test('wait for review, and run for nobody until they are approved', async () => {
      const registered = await plane.call('POST /guardrails/register', { body: SUBMISSION, as: member });
      expect(registered.body).toMatchObject({
        status: 'pending_review',
        team_id: 'team-1',
        submitted_by: 'internal_user-user',
        litellm_params: { api_key: 'wh-l****' },
      });
      const body = { guardrail_name: 'ours', text: 'x' };
      expect((await plane.call('POST /apply_guardrail', { body })).status).toBe(404);
      expect((await plane.call('GET /v2/guardrails/list')).body['guardrails']).toHaveLength(1);

      const id = registered.body['guardrail_id'] as string;
      const approved = await plane.call('POST /guardrails/submissions/:guardrail_id/approve', { id });
      expect(approved.body).toMatchObject({ status: 'active', reviewed_by: 'default_user_id' });
      expect((await plane.call('POST /apply_guardrail', { body })).status).toBe(200);
      expect(plane.sent.at(-1)?.headers['x-api-key']).toBe(SECRET);
      expect(await place.bytes()).not.toContain(SECRET);

      const again = await plane.call('POST /guardrails/submissions/:guardrail_id/reject', { id });
      expect(again.status).toBe(400);
    });

    test('that were rejected stay visible and never run', async () => {
      const { body } = await plane.call('POST /guardrails/register', { body: SUBMISSION, as: member });
      const id = body['guardrail_id'] as string;
      const rejected = await plane.call('POST /guardrails/submissions/:guardrail_id/reject', {
        id,
        body: { reason: 'not ours' },
      });
      expect(rejected.body).toMatchObject({ status: 'rejected', review_reason: 'not ours' });
      const approve = await plane.call('POST /guardrails/submissions/:guardrail_id/approve', { id });
      expect(approve.status).toBe(400);
      const list = await plane.call('GET /guardrails/submissions', { query: { status: 'rejected' } });
      expect(list.body).toMatchObject({
        submissions: [{ guardrail_id: id }],
        summary: { total: 1, pending_review: 0, active: 0, rejected: 1 },
      });
    });

    test('are seen by their own team and by administrators', async () => {
      const { body } = await plane.call('POST /guardrails/register', { body: SUBMISSION, as: member });
      const id = body['guardrail_id'] as string;
      const other = identityOf('internal_user', 'team-2');
      const seen = async (as: Identity) => {
        const one = await plane.call('GET /guardrails/submissions/:guardrail_id', { id, as });
        const all = await plane.call('GET /guardrails/submissions', { as });
        return [one.status, all.body['summary'].total];
      };
      expect(await seen(member)).toEqual([200, 1]);
      expect(await seen(identityOf('proxy_admin_viewer'))).toEqual([200, 1]);
      expect(await seen(other)).toEqual([404, 0]);
      expect(await seen(identityOf('internal_user'))).toEqual([404, 0]);
      const asked = { query: { team_id: 'team-1' }, as: other };
      expect((await plane.call('GET /guardrails/submissions', asked)).status).toBe(403);
    });

    test.each([
      ['another kind', { ...FILTER, guardrail_name: 'ours' }, 'guardrail'],
      [
        'a guardrail for everybody',
        { ...SUBMISSION, litellm_params: { ...SUBMISSION.litellm_params, default_on: true } },
        'default_on',
      ],
      [
        'an address that is no http',
        { ...SUBMISSION, litellm_params: { ...SUBMISSION.litellm_params, api_base: 'file:///etc' } },
        'api_base',
      ],
    ])('of %s are refused', async (_, body, field) => {
      const answer = await plane.call('POST /guardrails/register', { body, as: member });
      expect(answer.status).toBe(422);
      expect(answer.body['detail'][0].loc).toEqual(['body', 'litellm_params', field]);
    });

    test('are told at once that their name is taken, also by themselves', async () => {
      await created({ ...FILTER, guardrail_name: 'theirs' });
      const register = async (guardrail_name: string) =>
        (
          await plane.call('POST /guardrails/register', {
            body: { ...SUBMISSION, guardrail_name },
            as: member,
          })
        ).status;
      expect(await register('theirs')).toBe(409);
      expect(await register('configured-filter')).toBe(409);
      expect([await register('ours'), await register('ours')]).toEqual([200, 409]);
    });

    test('come from a key of a team', async () => {
      const as = identityOf('internal_user');
      expect((await plane.call('POST /guardrails/register', { body: SUBMISSION, as })).status).toBe(400);
    });

    test('with a name that was taken meanwhile cannot be approved', async () => {
      const { body } = await plane.call('POST /guardrails/register', { body: SUBMISSION, as: member });
      await created({ ...FILTER, guardrail_name: 'ours' });
      const id = body['guardrail_id'] as string;
      const answer = await plane.call('POST /guardrails/submissions/:guardrail_id/approve', { id });
      expect(answer.status).toBe(409);
      const after = await plane.call('GET /guardrails/submissions/:guardrail_id', { id });
      expect(after.body['status']).toBe('pending_review');
    });
  });

  describe('forms', () => {
    test('the settings name every shipped pattern with its group', async () => {
      const { body } = await plane.call('GET /guardrails/ui/add_guardrail_settings');
      expect(body['supported_modes']).toContain('pre_call');
      const patterns = body['content_filter_settings'].prebuilt_patterns;
      expect(patterns.length).toBeGreaterThan(50);
      expect(patterns).toContainEqual(
        expect.objectContaining({ name: 'email', category: expect.any(String) }),
      );
    });

    test('the parameters of each provider are those of the schema that checks them', async () => {
      const { body } = await plane.call('GET /guardrails/ui/provider_specific_params');
      expect(body['generic_guardrail_api']).toMatchObject({
        ui_friendly_name: 'Webhook (generic guardrail API)',
        api_base: { required: true, type: 'string' },
        api_key: { required: false, type: 'password', secret: true },
        default_on: { type: 'bool', default_value: false },
        mode: { required: true, type: 'multiselect', options: expect.arrayContaining(['pre_call']) },
        headers: { type: 'dict', secret: true },
        unreachable_fallback: { type: 'select', options: ['fail_closed', 'fail_open'] },
      });
      expect(body['litellm_content_filter'].pattern_redaction_format.default_value).toBe(
        '[{pattern_name}_REDACTED]',
      );
    });

    test('a file of blocked words is checked as the content filter would read it', async () => {
      const check = async (file_content: string) =>
        (await plane.call('POST /guardrails/validate_blocked_words_file', { body: { file_content } })).body;
      expect(await check('blocked_words:\n  - {keyword: a, action: BLOCK}\n')).toEqual({
        valid: true,
        message: 'Valid file with 1 blocked words',
      });
      expect(await check('blocked_words:\n  - {keyword: a, action: BITE}\n')).toMatchObject({
        valid: false,
        errors: [expect.stringContaining('blocked_words.0.action')],
      });
      expect(await check('words: []')).toMatchObject({ valid: false });
      expect(await check(': : [')).toMatchObject({ valid: false, error: 'the file is not readable as YAML' });
    });

    test('code is tried on made-up content; what does not compile is told from what fails', async () => {
      const tryCode = async (body: object) =>
        (await plane.call('POST /guardrails/test_custom_code', { body })).body;
      const source = (statement: string) => `function apply_guardrail(inputs) { ${statement} }`;
      const test_input = { texts: ['hello'] };
      expect(
        await tryCode({ custom_code: source('return block("no " + inputs.texts[0]);'), test_input }),
      ).toEqual({ success: true, result: { action: 'block', reason: 'no hello', texts: ['hello'] } });
      expect(
        await tryCode({ custom_code: source('return modify(inputs.texts.map(upper));'), test_input }),
      ).toEqual({ success: true, result: { action: 'modify', reason: null, texts: ['HELLO'] } });
      expect(await tryCode({ custom_code: source('return {'), test_input })).toEqual({
        success: false,
        error: expect.stringContaining('SyntaxError'),
        error_type: 'compilation',
      });
      expect(await tryCode({ custom_code: source('inputs.none.such'), test_input })).toEqual({
        success: false,
        error: expect.stringContaining('TypeError'),
        error_type: 'execution',
      });
      expect(await tryCode({ custom_code: source('for (;;);'), test_input })).toMatchObject({
        success: false,
        error_type: 'execution',
      });
    });

    test('a shipped category can be read as a file; an unknown one is 404', async () => {
      const read = (id: string) => plane.call('GET /guardrails/ui/category_yaml/:category_name', { id });
      const answer = await read('harmful_self_harm');
      expect(answer).toMatchObject({
        status: 200,
        body: {
          category_name: 'harmful_self_harm',
          file_type: 'yaml',
          yaml_content: expect.stringContaining('category_name: "harmful_self_harm"\n'),
        },
      });
      expect((await read('nothing')).status).toBe(404);
    });

    test('the settings name the shipped categories', async () => {
      const { body } = await plane.call('GET /guardrails/ui/add_guardrail_settings');
      expect(body).toMatchObject({
        content_filter_settings: {
          content_categories: expect.arrayContaining([
            expect.objectContaining({ name: 'harmful_self_harm', default_action: 'BLOCK' }),
          ]),
        },
      });
    });
  });

  describe('roles', () => {
    const WRITES = [
      ['POST /guardrails', { guardrail: FILTER }],
      ['PUT /guardrails/:guardrail_id', { guardrail: FILTER }],
      ['PATCH /guardrails/:guardrail_id', {}],
      ['DELETE /guardrails/:guardrail_id', undefined],
      ['POST /guardrails/test_custom_code', { custom_code: 'function apply_guardrail() {}' }],
      ['POST /guardrails/submissions/:guardrail_id/approve', undefined],
      ['POST /guardrails/submissions/:guardrail_id/reject', undefined],
    ] as const;
    const CONFIGURATION = ['GET /guardrails/:guardrail_id', 'GET /guardrails/:guardrail_id/info'];
    const SEEN_BY_ALL = [
      'GET /guardrails/list',
      'GET /v2/guardrails/list',
      'GET /guardrails/ui/add_guardrail_settings',
      'GET /guardrails/ui/provider_specific_params',
      'GET /guardrails/ui/category_yaml/:category_name',
      'GET /guardrails/submissions',
      'GET /guardrails/submissions/:guardrail_id',
    ];
    const DONE_BY_USERS = [
      ['POST /guardrails/apply_guardrail', { guardrail_name: 'filter', text: 'x' }],
      ['POST /apply_guardrail', { guardrail_name: 'filter', text: 'x' }],
      ['POST /guardrails/validate_blocked_words_file', { file_content: '' }],
      ['POST /guardrails/register', { guardrail_name: 'n', litellm_params: {} }],
    ] as const;

    test('every route is in this list', () => {
      const listed = [...WRITES, ...DONE_BY_USERS].map(([route]) => route as string);
      expect([...plane.routes].sort()).toEqual([...listed, ...CONFIGURATION, ...SEEN_BY_ALL].sort());
    });

    test.each(['proxy_admin_viewer', 'internal_user', 'internal_user_viewer'] as const)(
      'a %s changes nothing: 403, and the attempt is in the audit log (V9, V10)',
      async (role) => {
        const { guardrail_id: id } = await created(FILTER);
        for (const [route, body] of WRITES) {
          const answer = await plane.call(route, { id, body, as: identityOf(role) });
          expect([route, answer.status]).toEqual([route, 403]);
          expect(answer.body['detail']).toBe('Admin access required to manage guardrails');
          const [entry] = await plane.database.stores.audit.list({ limit: 1 });
          expect([route, entry?.refused]).toEqual([route, expect.any(String)]);
        }
        expect(await plane.database.stores.policies.guardrails()).toHaveLength(1);
      },
    );

    test.each([
      ['proxy_admin_viewer', 200],
      ['internal_user', 403],
      ['internal_user_viewer', 403],
    ] as const)('a %s reading a configuration gets %i', async (role, status) => {
      const { guardrail_id: id } = await created(FILTER);
      for (const route of CONFIGURATION) {
        const answer = await plane.call(route, { id, as: identityOf(role) });
        expect([route, answer.status]).toEqual([route, status]);
      }
    });

    test.each(['internal_user', 'internal_user_viewer'] as const)(
      'a %s sees that guardrails exist, and not how they are configured',
      async (role) => {
        await created(FILTER);
        for (const route of SEEN_BY_ALL) {
          const { status } = await plane.call(route, { as: identityOf(role) });
          expect([200, 404]).toContain(status);
        }
        const { body } = await plane.call('GET /v2/guardrails/list', { as: identityOf(role) });
        expect(body['guardrails'].map((row: { litellm_params: unknown }) => row.litellm_params)).toEqual([
          { guardrail: 'litellm_content_filter', mode: 'pre_call', default_on: false },
          { guardrail: 'generic_guardrail_api', mode: 'pre_call', default_on: false },
        ]);
      },
    );

    test.each([
      ['internal_user', [200, 200, 200, 400]],
      ['internal_user_viewer', [403, 403, 403, 403]],
      ['proxy_admin_viewer', [403, 403, 403, 403]],
    ] as const)('a %s who acts gets %j', async (role, statuses) => {
      await created(FILTER);
      const got = [];
      for (const [route, body] of DONE_BY_USERS) {
        got.push((await plane.call(route, { body, as: identityOf(role) })).status);
      }
      expect(got).toEqual(statuses);
    });
  });
}
