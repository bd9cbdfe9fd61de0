import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, MASTER, openPlane, type Plane } from './kit.ts';

let plane: Plane;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const generate = (body: object = {}, secret?: string) => plane.call('POST /key/generate', body, secret);
const info = (key?: string, secret?: string) =>
  plane.call('GET /key/info', key === undefined ? {} : { key }, secret);

async function made(body: object = {}, secret?: string): Promise<Answer['body']> {
  const answer = await generate(body, secret);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}

/** The fields at fault, as scripts of the reference find them. */
const places = (answer: Answer): string[] =>
  answer.body.detail.map(({ loc }: { loc: string[] }) => loc.slice(1).join('.'));

describe('POST /key/generate', () => {
  test('answers in the words of the reference, and shows the key only here', async () => {
    const key = await made({ key_alias: 'first', user_id: 'u', models: ['gpt-5'], metadata: { team: 'x' } });
    expect(key).toMatchObject({
      key: expect.stringMatching(/^sk-[\w-]{43}$/u),
      key_name: `sk-...${key['key'].slice(-4)}`,
      key_alias: 'first',
      token: createHash('sha256').update(key['key']).digest('hex'),
      token_id: key['token'],
      user_id: 'u',
      team_id: null,
      models: ['gpt-5'],
      metadata: { team: 'x' },
      expires: null,
      blocked: false,
      spend: 0,
      max_budget: null,
      created_by: 'default_user_id',
      updated_by: 'default_user_id',
      created_at: '2026-01-01T00:00:00.000Z',
      litellm_budget_table: null,
    });
    const { body } = await info(key['token']);
    expect(JSON.stringify(body)).not.toContain(key['key']);
    expect(body['info']).not.toHaveProperty('token');
    const rows = await plane.database.stores.audit.list({ limit: 5 });
    expect(JSON.stringify(rows)).not.toContain(key['key']);
  });

  test('makes a key that works at once, also when it was unknown before', async () => {
    await expect(plane.identity('sk-my-own-key')).rejects.toThrow('unknown');
    await made({ key: 'sk-my-own-key' });
    expect((await plane.identity('sk-my-own-key')).role).toBe('internal_user');
  });

  test.each([
    ['30s', '2026-01-01T00:00:30.000Z'],
    ['30m', '2026-01-01T00:30:00.000Z'],
    ['30h', '2026-01-02T06:00:00.000Z'],
    ['30d', '2026-01-31T00:00:00.000Z'],
  ])('reads the duration %s', async (duration, expires) => {
    const key = await made({ duration });
    expect(key['expires']).toBe(expires);
    expect((await plane.identity(key['key'])).expiresAtMs).toBe(Date.parse(expires));
  });

  test('takes protection fields beside metadata and inside it, stores each once and shows them in metadata (D-84)', async () => {
    const beside = await made({
      tags: ['eu'],
      guardrails: ['pii-mask'],
      policies: ['strict'],
      opted_out_global_guardrails: ['toxicity'],
      disable_global_guardrails: true,
    });
    const inside = await made({
      metadata: {
        tags: ['eu'],
        guardrails: ['pii-mask'],
        policies: ['strict'],
        opted_out_global_guardrails: ['toxicity'],
        disable_global_guardrails: true,
        note: 'free',
      },
    });
    const shown = {
      tags: ['eu'],
      guardrails: ['pii-mask'],
      policies: ['strict'],
      opted_out_global_guardrails: ['toxicity'],
      disable_global_guardrails: true,
    };
    expect(beside['metadata']).toEqual(shown);
    expect(inside['metadata']).toEqual({ ...shown, note: 'free' });
    const [one, other] = [await plane.identity(beside['key']), await plane.identity(inside['key'])];
    expect(one.policy.settings).toEqual(other.policy.settings);
    expect(one.policy.tags).toEqual([{ value: 'eu', trusted: true, source: 'key' }]);
  });

  test.each([
    [{ disable_global_guardrail: true }],
    [{ metadata: { disable_global_guardrail: true } }],
    [{ disable_global_guardrails: true, disable_global_guardrail: true }],
  ])('reads both spellings of the kill switch: %j (D-69)', async (body) => {
    const key = await made(body);
    expect(key['metadata']).toEqual({ disable_global_guardrails: true });
    const { policy } = await plane.identity(key['key']);
    expect(policy.settings[0]?.disable_global_guardrails).toBe(true);
  });

  test('refuses a field that is given twice with different values', async () => {
    const answer = await generate({ tags: ['a'], metadata: { tags: ['b'] } });
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual(['metadata.tags']);
  });

  test.each([
    ['guardrails', { guardrails: ['pii-mask', 'typo'] }],
    ['policies', { policies: ['draft-only'] }],
    ['opted_out_global_guardrails', { metadata: { opted_out_global_guardrails: ['typo'] } }],
  ])('refuses an unknown name in %s', async (field, body) => {
    const answer = await generate(body);
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual([field]);
  });

  test.each([
    [{ metadata: { opted_out_global_guardrails: 'toxicity' } }, 'metadata.opted_out_global_guardrails'],
    [{ metadata: { disable_global_guardrails: 'true' } }, 'metadata.disable_global_guardrails'],
    [{ disable_global_guardrails: 'yes' }, 'disable_global_guardrails'],
    [{ tags: 'eu' }, 'tags'],
    [{ permissions: { client_guardrail: false } }, 'permissions.client_guardrail'],
    [{ metadata: { disabled_global_guardrails: ['toxicity'] } }, 'metadata.disabled_global_guardrails'],
    [{ metadata: { a: ['nul \u0000'] } }, 'metadata'],
    [{ metadata: { 'half \ud83d': 1 } }, 'metadata'],
    [{ tags: ['half \ud83d'] }, 'tags.0'],
  ])('refuses the malformed opt-out or protection field in %j (O3, D-96)', async (body, place) => {
    const answer = await generate(body);
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual([place]);
  });

  test.each([
    { budget_id: 'b' },
    { budget_limits: [{ budget_duration: '1d', max_budget: 1 }] },
    { model_max_budget: { m: 1 } },
    { tag_rpm_limit: { t: 1 } },
    { enforced_params: ['user'] },
    { allowed_routes: ['/chat/completions'] },
    { project_id: 'p' },
    { metadata: { tag_rpm_limit: { t: 1 } } },
  ])('refuses what limits or protects and would not take effect: %j', async (body) => {
    const answer = await generate(body);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body.detail)).toMatch(/not supported yet/u);
  });

  test('takes such fields when they say nothing, as clients of the reference send them (D-83)', async () => {
    await made({
      max_budget: null,
      budget_limits: [],
      model_rpm_limit: {},
      allowed_routes: [],
      enforced_params: null,
      spend: 0,
      send_invite_email: false,
      key_type: 'default',
      guardrails: [],
      policies: null,
      metadata: { model_rpm_limit: {} },
    });
  });

  test('refuses an unknown field and suggests the nearest', async () => {
    const answer = await generate({ guardrials: ['pii-mask'], zzz: 1 });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toEqual([
      {
        loc: ['body', 'guardrials'],
        msg: 'unknown field; did you mean "guardrails"?',
        type: 'extra_forbidden',
      },
      { loc: ['body', 'zzz'], msg: 'unknown field', type: 'extra_forbidden' },
    ]);
  });

  test('says what is wrong as detail and as error (V9)', async () => {
    const answer = await generate({ key_alias: 7 });
    expect(answer.body).toMatchObject({
      detail: [{ loc: ['body', 'key_alias'] }],
      error: { code: '422', param: 'key_alias', portcullis_code: 'unprocessable' },
    });
    const other = await generate({ team_id: 'nowhere' });
    expect(other).toMatchObject({ status: 404, body: { detail: other.body.error.message } });
  });

  test.each([['0'.repeat(64)], ['9b2f4f5e-6f0a-4c8e-9f3b-2f1d0a7c6b5e']])(
    'refuses the alias %j, which has the form of an id (M9)',
    async (alias) => {
      const answer = await generate({ key_alias: alias });
      expect(answer.status).toBe(422);
      expect(places(answer)).toEqual(['key_alias']);
    },
  );

  test('gives an alias to one key only', async () => {
    await made({ key_alias: 'unique' });
    expect(await generate({ key_alias: 'unique' })).toMatchObject({
      status: 409,
      body: {
        detail: "Key with alias 'unique' already exists. Unique key aliases across all keys are required.",
        error: { param: 'key_alias' },
      },
    });
  });

  test('needs a key that is known', async () => {
    expect(await plane.call('POST /key/generate', {}, null)).toMatchObject({
      status: 401,
      body: { error: { type: 'auth_error' } },
    });
  });
});

describe('a user', () => {
  let own: Answer['body'];
  let team: Answer['body'];
  beforeAll(async () => {
    ({ body: team } = await plane.call('POST /team/new', { team_alias: 'users', guardrails: ['toxicity'] }));
    own = await made({
      key_alias: 'bob-main',
      user_id: 'bob',
      team_id: team['team_id'],
      models: ['a', 'b'],
      duration: '30d',
      guardrails: ['pii-mask'],
      tags: ['pii'],
      disable_global_guardrails: true,
    });
  });

  test.each([
    [{ guardrails: ['injection'] }],
    [{ policies: ['lax'] }],
    [{ tags: ['internal'] }],
    [{ opted_out_global_guardrails: ['toxicity'] }],
    [{ disable_global_guardrail: true }],
    [{ permissions: { client_guardrails: true } }],
    [{ allow_policy_versions: true }],
    [{ aliases: { small: 'big' } }],
    [{ metadata: { tags: ['internal'] } }],
    [{ metadata: { policies: ['lax'] } }],
    [{ metadata: { disable_global_guardrails: true } }],
    [{ metadata: { allow_policy_versions: true } }],
    [{ metadata: { permissions: { client_guardrails: true } } }],
  ])('may not write %j on a new key or on the own one (M9)', async (fields) => {
    for (const answer of [
      await generate(fields, own['key']),
      await plane.call('POST /key/update', { key: own['key'], ...fields }, own['key']),
    ]) {
      expect(answer).toMatchObject({
        status: 403,
        body: { error: { portcullis_code: 'protection_write_forbidden' }, detail: expect.any(String) },
      });
    }
  });

  test('is in the audit log with a refused attempt (V10)', async () => {
    await generate({ policies: ['lax'] }, own['key']);
    const [entry] = await plane.database.stores.audit.list({ limit: 1 });
    expect(entry).toMatchObject({
      actor: { by: 'bob', role: 'internal_user' },
      action: 'refused',
      object: { type: 'route', id: 'POST /key/generate' },
      refused: expect.stringContaining('policies'),
    });
  });

  test('makes a key that keeps all protection, team, models and expiry of the own one (M7)', async () => {
    const child = await made({ key_alias: 'bob-second', guardrails: [], duration: '3650d' }, own['key']);
    expect(child).toMatchObject({
      user_id: 'bob',
      team_id: team['team_id'],
      models: ['a', 'b'],
      expires: own['expires'],
      created_by: 'bob',
    });
    const [parentIdentity, childIdentity] = [
      await plane.identity(own['key']),
      await plane.identity(child['key']),
    ];
    expect(childIdentity.policy.settings).toEqual(parentIdentity.policy.settings);
    expect(childIdentity.policy.tags).toEqual(parentIdentity.policy.tags);
    // An alias that a user chose may add protection and never take any away.
    expect(childIdentity.policy.key_alias).toEqual({ value: 'bob-second', trusted: false });
    expect(parentIdentity.policy.key_alias).toEqual({ value: 'bob-main', trusted: true });
  });

  test.each([
    [{ user_id: 'alice' }],
    [{ team_id: 'another' }],
    [{ organization_id: 'o' }],
    [{ models: ['a', 'c'] }],
  ])('may not make a key with %j', async (fields) => {
    expect(await generate(fields, own['key'])).toMatchObject({ status: 403 });
  });

  test('with a key that belongs to nobody makes none', async () => {
    const orphan = await made();
    expect(await generate({}, orphan['key'])).toMatchObject({ status: 403 });
  });

  test.each([
    [{ duration: null }],
    [{ blocked: false }],
    [{ models: [] }],
    [{ team_id: null }],
    [{ user_id: 'alice' }],
    [{ key_alias: 'free-of-policies' }],
    [{ key_alias: null }],
  ])('may not loosen the own key by %j (D-48)', async (fields) => {
    expect(await plane.call('POST /key/update', { key: own['key'], ...fields }, own['key'])).toMatchObject({
      status: 403,
    });
  });

  test('may describe the own key, and its protection stays', async () => {
    const before = await plane.identity(own['key']);
    const answer = await plane.call(
      'POST /key/update',
      { key: own['key'], metadata: { note: 1 } },
      own['key'],
    );
    expect(answer).toMatchObject({ status: 200, body: { metadata: { note: 1, guardrails: ['pii-mask'] } } });
    expect((await plane.identity(own['key'])).policy).toEqual(before.policy);
  });

  test('sees and deletes own keys and nobody else’s', async () => {
    const alices = await made({ key_alias: 'alice-main', user_id: 'alice' });
    expect((await info(undefined, own['key'])).body).toMatchObject({
      key: own['token'],
      info: { user_id: 'bob' },
    });
    expect(await info(alices['token'], own['key'])).toMatchObject({ status: 403 });
    const list = await plane.call('GET /key/list', { return_full_object: 'true', size: '100' }, own['key']);
    expect(new Set(list.body['keys'].map((key: { user_id: string }) => key.user_id))).toEqual(
      new Set(['bob']),
    );
    expect(await plane.call('GET /key/list', { user_id: 'alice' }, own['key'])).toMatchObject({
      status: 403,
    });
    const remove = { keys: [own['key'], alices['token']] };
    expect(await plane.call('POST /key/delete', remove, own['key'])).toMatchObject({ status: 403 });
    expect((await info(own['token'])).status).toBe(200);
  });

  test.each(['POST /key/block', 'POST /key/unblock'])('may not call %s', async (route) => {
    expect(await plane.call(route, { key: own['token'] }, own['key'])).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('Only proxy admin can be used to generate') },
    });
  });
});

describe('POST /key/update', () => {
  test('changes given fields only, from the next request on (S10)', async () => {
    const key = await made({
      key_alias: 'changing',
      models: ['a'],
      tags: ['eu'],
      metadata: { n: 1 },
      duration: '30d',
    });
    await plane.identity(key['key']);
    const answer = await plane.call('POST /key/update', { key: key['token'], guardrails: ['pii-mask'] });
    expect(answer.body).toMatchObject({
      key_alias: 'changing',
      models: ['a'],
      metadata: { n: 1, tags: ['eu'], guardrails: ['pii-mask'] },
      expires: key['expires'],
    });
    expect(answer.body).not.toHaveProperty('key');
    const { policy } = await plane.identity(key['key']);
    expect(policy.settings[0]?.guardrails).toEqual(['pii-mask']);
  });

  test('clears with null and with an empty list', async () => {
    const key = await made({
      tags: ['eu'],
      guardrails: ['pii-mask'],
      duration: '30d',
      key_alias: 'clearing',
    });
    const { body } = await plane.call('POST /key/update', {
      key: key['key'],
      tags: null,
      guardrails: [],
      duration: null,
      key_alias: null,
    });
    expect(body).toMatchObject({ metadata: {}, expires: null, key_alias: null });
  });

  test('takes away for good what other programs have left in the stored metadata', async () => {
    const key = await made();
    // As an import of the reference's rows would leave it.
    await plane.database.transaction(({ keys }) =>
      keys.update(key['token'], {
        metadata: { tags: ['old'], note: 1 },
        updatedAtMs: 1,
        updatedBy: 'import',
      }),
    );
    const before = (await plane.identity(key['key'])).policy.tags;
    expect(before).toEqual([{ value: 'old', trusted: false, source: 'key' }]);
    const { body } = await plane.call('POST /key/update', { key: key['token'], tags: [] });
    expect(body).toMatchObject({ tags: [], metadata: { note: 1 } });
    expect(body['metadata']).not.toHaveProperty('tags');
    expect((await plane.identity(key['key'])).policy.tags).toEqual([]);
  });

  test('keeps who set what, field by field (M9)', async () => {
    const key = await made({ tags: ['eu'] });
    plane.clock.advance(60_000);
    const { body } = await plane.call('POST /key/update', { key: key['token'], policies: ['strict'] });
    expect(body['provenance']).toEqual({
      tags: { set_by: 'default_user_id', role: 'proxy_admin', set_at: key['created_at'] },
      policies: { set_by: 'default_user_id', role: 'proxy_admin', set_at: body['updated_at'] },
    });
    expect(body['updated_at']).not.toBe(key['created_at']);
  });

  test('finds a key by its alias when no key is given', async () => {
    await made({ key_alias: 'by-alias' });
    const { body } = await plane.call('POST /key/update', { key_alias: 'by-alias', tags: ['eu'] });
    expect(body).toMatchObject({ key_alias: 'by-alias', tags: ['eu'] });
    expect(await plane.call('POST /key/update', { key_alias: 'nobody' })).toMatchObject({ status: 404 });
    expect(await plane.call('POST /key/update', { tags: ['eu'] })).toMatchObject({ status: 422 });
  });

  test('does not give away an alias that is taken', async () => {
    await made({ key_alias: 'occupied' });
    const key = await made();
    expect(await plane.call('POST /key/update', { key: key['token'], key_alias: 'occupied' })).toMatchObject({
      status: 409,
    });
  });
});

describe('blocking, deleting, listing', () => {
  test('a blocked key is refused at once and works again when unblocked', async () => {
    const key = await made({ user_id: 'carol' });
    await plane.identity(key['key']);
    expect((await plane.call('POST /key/block', { key: key['key'] })).body).toMatchObject({ blocked: true });
    expect(await info(undefined, key['key'])).toMatchObject({
      status: 401,
      body: { detail: "Key is blocked. Update via `/key/unblock` if you're an admin." },
    });
    await plane.call('POST /key/unblock', { key: key['token'] });
    expect(await info(undefined, key['key'])).toMatchObject({ status: 200 });
  });

  test('an expired key is refused on management routes, too', async () => {
    const key = await made({ duration: '1s' });
    plane.clock.advance(1_000);
    expect(await info(undefined, key['key'])).toMatchObject({
      status: 401,
      body: { error: { type: 'expired_key' } },
    });
  });

  test('a deleted key is unknown at once; deletion is all or nothing', async () => {
    const [one, two] = [await made(), await made({ key_alias: 'doomed' })];
    await plane.identity(one['key']);
    const missing = await plane.call('POST /key/delete', { keys: [one['key'], 'sk-not-of-this-gateway'] });
    expect(missing).toMatchObject({ status: 404 });
    expect(JSON.stringify(missing.body)).not.toContain('sk-not-of-this-gateway');
    expect((await plane.identity(one['key'])).blocked).toBe(false);

    const gone = await plane.call('POST /key/delete', { keys: [one['token']], key_aliases: ['doomed'] });
    expect(gone.body).toEqual({ deleted_keys: [one['token'], two['token']] });
    await expect(plane.identity(one['key'])).rejects.toThrow('unknown');
    expect(await info(one['token'])).toMatchObject({ status: 404 });
    expect(await plane.call('POST /key/delete', {})).toMatchObject({ status: 422 });
  });

  test('lists come in pages', async () => {
    for (let n = 0; n < 3; n += 1) await made({ user_id: 'lister' });
    const query = { user_id: 'lister', size: '2', page: '2' };
    expect((await plane.call('GET /key/list', query)).body).toEqual({
      keys: [expect.stringMatching(/^[0-9a-f]{64}$/u)],
      total_count: 3,
      current_page: 2,
      total_pages: 2,
    });
    const full = await plane.call('GET /key/list', { ...query, return_full_object: 'true' });
    expect(full.body['keys'][0]).toMatchObject({ token: expect.any(String), user_id: 'lister' });
    expect(await plane.call('GET /key/list', { size: '101' })).toMatchObject({ status: 422 });
  });

  test('the master key, which is not stored, has no info', async () => {
    expect(await info(undefined, MASTER)).toMatchObject({ status: 404 });
  });

  test('everything is in the audit log, which is whole (V10)', async () => {
    const entries = await plane.database.stores.audit.list({ limit: 1_000 });
    expect(new Set(entries.map(({ action }) => action))).toEqual(
      new Set([
        'key.generate',
        'key.update',
        'key.block',
        'key.unblock',
        'key.delete',
        'team.new',
        'refused',
      ]),
    );
    expect(await plane.database.stores.audit.verify()).toMatchObject({ ok: true, count: entries.length });
  });
});

test('with the database away every route says so and nothing else', async () => {
  const away = await openPlane();
  await away.close();
  for (const [route, input] of [
    ['POST /key/generate', {}],
    ['GET /key/list', {}],
    ['POST /team/new', {}],
  ] as const) {
    expect(await away.call(route, input)).toMatchObject({
      status: 503,
      body: {
        detail: expect.stringMatching(/^Database not connected/u),
        error: { type: 'no_db_connection' },
      },
    });
  }
});
