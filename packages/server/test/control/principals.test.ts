import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, MASTER, openPlane, type Plane } from './kit.ts';

let plane: Plane;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

type Body = Answer['body'];

async function done(route: string, input: object = {}, secret?: string, more = {}): Promise<Body> {
  const answer = await plane.call(route, input, secret, more);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}

const places = (answer: Answer): string[] =>
  answer.body['detail'].map(({ loc }: { loc: string[] }) => loc.slice(1).join('.'));

let count = 0;
/** A registered user with a key. */
async function user(over: object = {}): Promise<{ id: string; secret: string }> {
  count += 1;
  const body = await done('POST /user/new', { user_id: `user-${count}`, ...over });
  return { id: body['user_id'], secret: body['key'] };
}

const lastAudit = async () => (await plane.database.stores.audit.list({ limit: 1 }))[0];

describe('limits and budgets', () => {
  const LIMITS = {
    rpm_limit: 10,
    tpm_limit: 1_000,
    max_parallel_requests: 2,
    max_budget: 5,
    soft_budget: 4,
    budget_duration: '1d',
  };

  test.each([
    ['POST /key/generate', {}],
    ['POST /team/new', {}],
    ['POST /user/new', { user_id: 'limited' }],
  ])('%s stores them and shows when the budget is renewed', async (route, more) => {
    expect(await done(route, { ...LIMITS, ...more })).toMatchObject({
      ...LIMITS,
      spend: 0,
      budget_reset_at: new Date(plane.clock.now() + 86_400_000).toISOString(),
    });
  });

  test('a key, its team and its user are counted, each by what it allows', async () => {
    const team = await done('POST /team/new', { rpm_limit: 5 });
    const owner = await user({ tpm_limit: 7, max_budget: 1 });
    const key = await done('POST /key/generate', {
      team_id: team['team_id'],
      user_id: owner.id,
      max_parallel_requests: 3,
      model_rpm_limit: { gpt: 1 },
    });
    const { limits, accounts } = await plane.identity(key['key']);
    expect(limits).toMatchObject([
      { kind: 'key', model: null, parallel: 3, requests: null },
      { kind: 'key', model: 'gpt', requests: 1 },
      { kind: 'team', requests: 5, budget: null },
      // In a team, the team pays.
      { kind: 'user', tokens: 7, budget: null },
    ]);
    expect(accounts).toEqual([`key:${key['token']}`, `team:${team['team_id']}`, `user:${owner.id}`]);
  });

  test('the budget of a user counts for keys outside teams', async () => {
    const owner = await user({ max_budget: 1 });
    const { limits, accounts } = await plane.identity(owner.secret);
    expect(limits).toMatchObject([{ kind: 'user', budget: { maxNano: 1e9 } }]);
    expect(accounts).not.toContain(`user:${owner.id}`);
  });

  test('a key without limits has none to look at', async () => {
    const key = await done('POST /key/generate', {});
    expect(await plane.identity(key['key'])).not.toHaveProperty('limits');
  });

  test('only given fields change, null clears, and the gateway sees it at once', async () => {
    const key = await done('POST /key/generate', LIMITS);
    const after = await done('POST /key/update', { key: key['key'], rpm_limit: null, tpm_limit: 5 });
    expect(after).toMatchObject({ rpm_limit: null, tpm_limit: 5, max_budget: 5, budget_duration: '1d' });
    expect((await plane.identity(key['key'])).limits).toMatchObject([{ requests: null, tokens: 5 }]);
  });

  test('another budget_duration begins a new period; the same one does not', async () => {
    const key = await done('POST /key/generate', { max_budget: 1, budget_duration: '1d' });
    const resetAt = key['budget_reset_at'];
    plane.clock.advance(3_600_000);
    const same = await done('POST /key/update', { key: key['key'], budget_duration: '1d' });
    expect(same['budget_reset_at']).toBe(resetAt);
    const other = await done('POST /key/update', { key: key['key'], budget_duration: '2d' });
    expect(other['budget_reset_at']).toBe(new Date(plane.clock.now() + 2 * 86_400_000).toISOString());
    plane.clock.advance(5 * 86_400_000);
    const later = await done('GET /key/info', { key: key['key'] });
    expect(later['info']['budget_reset_at']).toBe(
      new Date(Date.parse(other['budget_reset_at']) + 4 * 86_400_000).toISOString(),
    );
  });

  test('spend is what was spent in the present period, and 0 begins anew', async () => {
    const key = await done('POST /key/generate', { max_budget: 1 });
    const account = `key:${key['token']}`;
    await plane.database.stores.spend.add(new Map([[account, { nano: 250_000_000, sinceMs: 0 }]]));
    expect((await done('GET /key/info', { key: key['key'] }))['info']).toMatchObject({ spend: 0.25 });
    const row = await done('GET /key/list', { key_hash: key['token'], return_full_object: 'true' });
    expect(row['keys']).toMatchObject([{ spend: 0.25 }]);
    expect(await done('POST /key/update', { key: key['key'], spend: 0 })).toMatchObject({ spend: 0 });
  });

  test('temp_budget_increase needs its end, and a budget that it increases', async () => {
    const key = await done('POST /key/generate', { max_budget: 1 });
    const expiry = '2027-01-01T00:00:00.000Z';
    const update = (body: object) => plane.call('POST /key/update', { key: key['key'], ...body });
    expect(places(await update({ temp_budget_increase: 5 }))).toEqual(['temp_budget_expiry']);
    expect(await update({ temp_budget_increase: 5, temp_budget_expiry: expiry })).toMatchObject({
      body: { max_budget: 1, temp_budget_increase: 5, temp_budget_expiry: expiry },
    });
    expect((await plane.identity(key['key'])).limits).toMatchObject([
      { budget: { maxNano: 1e9, increase: { nano: 5e9, untilMs: Date.parse(expiry) } } },
    ]);
    const without = await done('POST /key/generate', {});
    const refused = await plane.call('POST /key/update', {
      key: without['key'],
      temp_budget_increase: 1,
      temp_budget_expiry: expiry,
    });
    expect(places(refused)).toEqual(['temp_budget_increase']);
  });

  test.each([
    [{ rpm_limit: -1 }, 'rpm_limit'],
    [{ rpm_limit: 1.5 }, 'rpm_limit'],
    [{ max_budget: 'much' }, 'max_budget'],
    [{ budget_duration: 'monthly' }, 'budget_duration'],
    [{ model_rpm_limit: { gpt: -1 } }, 'model_rpm_limit.gpt'],
    [{ metadata: { model_rpm_limit: { gpt: 1 } } }, 'metadata.model_rpm_limit'],
    [{ spend: 5 }, 'spend'],
  ])('%j is refused by name', async (body, place) => {
    const answer = await plane.call('POST /key/generate', body);
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual([place]);
  });

  test('a user cannot lift what limits the own key, nor make another key beside it (M7)', async () => {
    const owner = await user();
    const key = await done('POST /key/generate', { user_id: owner.id, rpm_limit: 1 });
    for (const body of [{ rpm_limit: null }, { max_budget: 9 }, { spend: 0 }]) {
      const answer = await plane.call('POST /key/update', { key: key['key'], ...body }, key['key']);
      expect(answer).toMatchObject({ status: 403 });
    }
    expect(await plane.call('POST /key/generate', {}, key['key'])).toMatchObject({ status: 403 });
  });
});

describe('POST /key/regenerate', () => {
  const regenerate = (body: object, secret?: string, key?: string) =>
    key === undefined
      ? plane.call('POST /key/regenerate', body, secret)
      : plane.call('POST /key/:key/regenerate', body, secret, { params: { key } });

  test('puts another key in the place of the old one, with all that it had', async () => {
    const old = await done('POST /key/generate', {
      key_alias: 'replaced',
      guardrails: ['pii-mask'],
      max_budget: 1,
      metadata: { a: 1 },
    });
    await plane.database.stores.spend.add(
      new Map([[`key:${old['token']}`, { nano: 500_000_000, sinceMs: 0 }]]),
    );
    const { status, body } = await regenerate({ key: old['key'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      key: expect.stringMatching(/^sk-/u),
      key_name: `sk-...${body['key'].slice(-4)}`,
      key_alias: 'replaced',
      guardrails: ['pii-mask'],
      max_budget: 1,
      // A new key is no new budget.
      spend: 0.5,
    });
    expect(body['token']).not.toBe(old['token']);
    await expect(plane.identity(old['key'])).rejects.toThrow('unknown');
    const { limits, policy } = await plane.identity(body['key']);
    expect(limits).toMatchObject([{ account: `key:${old['token']}`, id: body['token'] }]);
    expect(policy.settings).toMatchObject([{ guardrails: ['pii-mask'] }]);
    expect(await lastAudit()).toMatchObject({
      action: 'key.regenerate',
      object: { type: 'key', id: old['token'] },
      after: { token: body['token'] },
    });
    expect(JSON.stringify(await lastAudit())).not.toContain(body['key']);
  });

  test('with grace_period the old key opens until it is over, as the same key', async () => {
    const old = await done('POST /key/generate', {});
    const { body } = await regenerate({ grace_period: '1h' }, MASTER, old['key']);
    const before = await plane.identity(old['key']);
    expect(before).toMatchObject({
      policy: { key_hash: body['token'] },
      expiresAtMs: plane.clock.now() + 3_600_000,
    });
    await done('POST /key/block', { key: body['key'] });
    expect((await plane.identity(old['key'])).blocked).toBe(true);
    await done('POST /key/delete', { keys: [body['key']] });
    await expect(plane.identity(old['key'])).rejects.toThrow('unknown');
  });

  test('changes at the same time what may be updated, and takes a key of choice', async () => {
    const old = await done('POST /key/generate', {});
    const { body } = await regenerate({ key: old['key'], new_key: 'sk-of-my-choice', rpm_limit: 4 });
    expect(body).toMatchObject({ key: 'sk-of-my-choice', rpm_limit: 4 });
    const other = await done('POST /key/generate', {});
    expect(await regenerate({ key: other['key'], new_key: 'sk-of-my-choice' })).toMatchObject({
      status: 409,
    });
    await expect(plane.identity(other['key'])).resolves.toBeDefined();
  });

  test('users replace their own keys and change nothing by it', async () => {
    const owner = await user();
    const other = await user();
    expect(await regenerate({ key: other.secret }, owner.secret)).toMatchObject({ status: 403 });
    expect(await regenerate({ rpm_limit: 100 }, owner.secret)).toMatchObject({ status: 403 });
    expect(await regenerate({}, owner.secret)).toMatchObject({ status: 200 });
  });

  test('a key that an attachment knows by its hash is not taken away from it (D-48, V6)', async () => {
    const key = await done('POST /key/generate', {});
    plane.attached.set(key['token'], ['strict']);
    const answer = await regenerate({ key: key['key'] });
    expect(answer).toMatchObject({
      status: 409,
      body: { error: { portcullis_code: 'has_dependents', dependents: [{ name: 'strict' }] } },
    });
    expect(answer.body['detail']).toContain('strict');
    await expect(plane.identity(key['key'])).resolves.toBeDefined();
  });

  test('an unknown key is 404', async () => {
    expect(await regenerate({ key: 'sk-nobody-has-it' })).toMatchObject({ status: 404 });
  });
});

describe('key types', () => {
  test.each([
    ['llm_api', 'GET /key/info', 200],
    ['llm_api', 'POST /key/health', 200],
    ['llm_api', 'POST /key/generate', 403],
    ['llm_api', 'GET /key/list', 403],
    ['management', 'POST /key/generate', 200],
    ['read_only', 'GET /key/list', 200],
    ['read_only', 'POST /key/generate', 403],
  ])('a key of type %s on %s is %d', async (key_type, route, status) => {
    const owner = await user();
    const key = await done('POST /key/generate', { user_id: owner.id, key_type });
    expect(key).toMatchObject({ key_type });
    expect(await plane.call(route, {}, key['key'])).toMatchObject({ status });
  });

  test('a key of one use makes no keys of another', async () => {
    const owner = await user();
    const key = await done('POST /key/generate', { user_id: owner.id, key_type: 'management' });
    const answer = await plane.call('POST /key/generate', { key_type: 'llm_api' }, key['key']);
    expect(answer).toMatchObject({ status: 403 });
  });
});

describe('models of key, team and user', () => {
  test.each([
    [[], null],
    [['all-proxy-models'], null],
    [['all-team-models'], null],
    [['no-default-models'], []],
    [
      ['openai/*', 'gpt'],
      ['openai/*', 'gpt'],
    ],
  ])('a key in a team with %j may call %j', async (models, callable) => {
    const team = await done('POST /team/new', { models: ['gpt'] });
    const key = await done('POST /key/generate', { team_id: team['team_id'], models });
    expect(await plane.identity(key['key'])).toMatchObject({ keyModels: callable, teamModels: ['gpt'] });
  });

  test('all-team-models without a team allows nothing', async () => {
    const key = await done('POST /key/generate', { models: ['all-team-models'] });
    expect((await plane.identity(key['key'])).keyModels).toEqual([]);
  });

  test('the models of a user bind keys outside teams', async () => {
    const owner = await user({ models: ['gpt'] });
    expect((await plane.identity(owner.secret)).userModels).toEqual(['gpt']);
  });

  test('taking away the last model of a team does not give it all of them', async () => {
    const team = await done('POST /team/new', { models: ['gpt'] });
    const team_id = team['team_id'];
    const added = await done('POST /team/model/add', { team_id, models: ['gpt', 'claude'] });
    expect(added['data']['models']).toEqual(['gpt', 'claude']);
    const left = await done('POST /team/model/delete', { team_id, models: ['gpt', 'claude'] });
    expect(left['data']['models']).toEqual(['no-default-models']);
  });
});

describe('teams', () => {
  test('PATCH changes given fields alone', async () => {
    const team = await done('POST /team/new', { team_alias: 'patched', rpm_limit: 3 });
    const params = { team_id: team['team_id'] };
    const { data } = await done('PATCH /team/:team_id', { tpm_limit: 9 }, MASTER, { params });
    expect(data).toMatchObject({ team_alias: 'patched', rpm_limit: 3, tpm_limit: 9 });
  });

  test('a team with keys is not deleted, and the answer lists them (V6)', async () => {
    const team = await done('POST /team/new', {});
    const team_id = team['team_id'];
    const key = await done('POST /key/generate', { team_id, key_alias: 'in-the-way' });
    const answer = await plane.call('POST /team/delete', { team_ids: [team_id] });
    expect(answer).toMatchObject({
      status: 409,
      body: { error: { dependents: [{ type: 'key', id: key['token'], name: 'in-the-way' }] } },
    });
    await expect(plane.identity(key['key'])).resolves.toBeDefined();
  });

  test('with force=true its keys go with it, each with a row in the audit log (V6, V10)', async () => {
    const team = await done('POST /team/new', {});
    const team_id = team['team_id'];
    const key = await done('POST /key/generate', { team_id });
    const query = { force: 'true' };
    expect(await done('POST /team/delete', { team_ids: [team_id] }, MASTER, { query })).toEqual({
      deleted_teams: [team_id],
      deleted_keys: [key['token']],
    });
    await expect(plane.identity(key['key'])).rejects.toThrow('unknown');
    const rows = await plane.database.stores.audit.list({ limit: 2 });
    expect(rows.map(({ action }) => action)).toEqual(['team.delete', 'key.delete']);
    expect(await plane.call('GET /team/info', { team_id })).toMatchObject({ status: 404 });
  });

  test('one unknown team keeps all of them', async () => {
    const team = await done('POST /team/new', {});
    const answer = await plane.call('POST /team/delete', { team_ids: [team['team_id'], 'nobody'] });
    expect(answer).toMatchObject({ status: 404 });
    await done('GET /team/info', { team_id: team['team_id'] });
  });

  test('members come, change and go, and nobody is on a team twice', async () => {
    const team = await done('POST /team/new', {});
    const team_id = team['team_id'];
    const member = { role: 'user', user_id: 'm' };
    const added = await done('POST /team/member_add', { team_id, member });
    expect(added['members_with_roles']).toEqual([{ ...member, user_email: null }]);
    expect(await plane.call('POST /team/member_add', { team_id, member: [member] })).toMatchObject({
      status: 409,
    });
    const changed = await done('POST /team/member_update', { team_id, user_id: 'm', role: 'admin' });
    expect(changed).toMatchObject({ user_id: 'm', role: 'admin' });
    const key = await done('POST /key/generate', { team_id, user_id: 'm' });
    const left = await done('POST /team/member_delete', { team_id, user_id: 'm' });
    expect(left).toMatchObject({ members_with_roles: [], deleted_keys: [key['token']] });
    await expect(plane.identity(key['key'])).rejects.toThrow('unknown');
    expect(await plane.call('POST /team/member_delete', { team_id, user_id: 'm' })).toMatchObject({
      status: 404,
    });
  });

  describe('their admins', () => {
    let admin: { id: string; secret: string };
    let member: { id: string; secret: string };
    let team_id: string;
    beforeAll(async () => {
      admin = await user();
      member = await user();
      const team = await done('POST /team/new', {
        members_with_roles: [
          { role: 'admin', user_id: admin.id },
          { role: 'user', user_id: member.id },
        ],
      });
      team_id = team['team_id'];
    });

    test('change members; other members do not', async () => {
      const member_add = (id: string, secret: string) =>
        plane.call('POST /team/member_add', { team_id, member: { role: 'user', user_id: id } }, secret);
      expect(await member_add('new-1', admin.secret)).toMatchObject({ status: 200 });
      expect(await member_add('new-2', member.secret)).toMatchObject({ status: 403 });
      expect(await lastAudit()).toMatchObject({ refused: expect.stringContaining('admin of the team') });
    });

    test('make keys of the team for its members, which keep what protects their own key (M7)', async () => {
      await done('POST /user/update', { user_id: admin.id, user_alias: 'boss' });
      await done('POST /key/update', { key: admin.secret, guardrails: ['pii-mask'] });
      const key = await done('POST /key/generate', { team_id, user_id: member.id }, admin.secret);
      expect(key).toMatchObject({ team_id, user_id: member.id, guardrails: ['pii-mask'] });
      for (const body of [
        { team_id, user_id: 'outsider' },
        { team_id, tags: ['eu'] },
        { team_id: (await done('POST /team/new', {}))['team_id'] },
      ]) {
        expect(await plane.call('POST /key/generate', body, admin.secret)).toMatchObject({ status: 403 });
      }
      expect(
        await plane.call('POST /key/generate', { team_id, user_id: admin.id }, member.secret),
      ).toMatchObject({ status: 403 });
    });

    test('make keys for service accounts, which belong to nobody', async () => {
      const body = { team_id, key_alias: 'bot' };
      const key = await done('POST /key/service-account/generate', body, admin.secret);
      expect(key).toMatchObject({ user_id: null, team_id, metadata: { service_account_id: 'bot' } });
      expect(
        await plane.call('POST /key/service-account/generate', { team_id }, member.secret),
      ).toMatchObject({ status: 403 });
    });

    test('see the team with all of its keys; its members see their own', async () => {
      const key = await done('POST /key/generate', { team_id });
      const tokens = async (secret: string): Promise<string[]> => {
        const { keys } = await done('GET /team/info', { team_id }, secret);
        return keys.map(({ token }: { token: string }) => token);
      };
      expect(await tokens(admin.secret)).toContain(key['token']);
      expect(await tokens(member.secret)).not.toContain(key['token']);
      const list = (secret: string) => done('GET /key/list', { include_team_keys: 'true' }, secret);
      expect((await list(admin.secret))['keys']).toContain(key['token']);
      expect((await list(member.secret))['keys']).not.toContain(key['token']);
      expect(await plane.call('GET /key/info', { key: key['key'] }, member.secret)).toMatchObject({
        status: 403,
      });
    });

    test('may not touch what limits or protects the team (M9)', async () => {
      for (const [route, body] of [
        ['POST /team/update', { team_id, max_budget: null }],
        ['POST /team/model/add', { team_id, models: ['gpt'] }],
        ['POST /team/delete', { team_ids: [team_id] }],
      ] as const) {
        expect(await plane.call(route, body, admin.secret)).toMatchObject({ status: 403 });
      }
    });
  });

  test('GET /v2/team/list pages, finds a part of the alias, and shows users their own', async () => {
    const owner = await user();
    for (const name of ['Paged A', 'Paged B', 'Paged C']) {
      await done('POST /team/new', {
        team_alias: name,
        members_with_roles: name === 'Paged B' ? [{ role: 'user', user_id: owner.id }] : [],
      });
    }
    const query = { team_alias: 'paged', sort_by: 'team_alias', sort_order: 'asc', page_size: '2' };
    const first = await done('GET /v2/team/list', query);
    expect(first).toMatchObject({ total: 3, page: 1, page_size: 2, total_pages: 2 });
    const second = await done('GET /v2/team/list', { ...query, page: '2' });
    const names = [...first['teams'], ...second['teams']].map(({ team_alias }) => team_alias);
    expect(names).toEqual(['Paged A', 'Paged B', 'Paged C']);
    const own = await done('GET /v2/team/list', {}, owner.secret);
    expect(own['teams']).toMatchObject([{ team_alias: 'Paged B' }]);
    expect(await plane.call('GET /v2/team/list', { user_id: 'other' }, owner.secret)).toMatchObject({
      status: 403,
    });
  });
});

describe('users', () => {
  test('POST /user/new makes a user, a key and the places in teams', async () => {
    const team = await done('POST /team/new', {});
    const body = await done('POST /user/new', {
      user_email: 'Ann@Example.com',
      user_alias: 'Ann',
      teams: [team['team_id']],
      password: 'long enough',
      duration: '30d',
    });
    expect(body).toMatchObject({
      user_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      user_email: 'ann@example.com',
      user_role: 'internal_user',
      key: expect.stringMatching(/^sk-/u),
      expires: new Date(plane.clock.now() + 30 * 86_400_000).toISOString(),
      max_budget: null,
      has_password: true,
    });
    expect(await plane.identity(body['key'])).toMatchObject({
      role: 'internal_user',
      userEmail: 'ann@example.com',
      policy: { user_id: body['user_id'] },
    });
    const info = await done('GET /user/info', { user_id: body['user_id'] });
    expect(info).toMatchObject({
      user_info: { user_alias: 'Ann' },
      keys: [{ token: body['token'] }],
      teams: [{ team_id: team['team_id'] }],
    });
  });

  test('a password is never shown nor logged, and its hash is salted', async () => {
    const password = 'correct horse battery';
    const made = [await user({ password }), await user({ password })];
    const hashes = [];
    for (const { id } of made) hashes.push(await plane.database.stores.users.passwordHash(id));
    expect(hashes[0]).toMatch(/^scrypt\$65536\$8\$1\$/u);
    expect(hashes[0]).not.toBe(hashes[1]);
    const seen = JSON.stringify([
      await done('GET /user/info', { user_id: made[0]?.id ?? '' }),
      await plane.database.stores.audit.list({ limit: 4 }),
    ]);
    expect(seen).not.toContain(password);
    expect(seen).not.toContain('scrypt$');
    expect(await plane.call('POST /user/new', { password: 'short' })).toMatchObject({ status: 422 });
  });

  test('an id or address that is taken, in any case of letters, is 409', async () => {
    const { id } = await user({ user_email: 'twin@example.com' });
    expect(await plane.call('POST /user/new', { user_id: id })).toMatchObject({ status: 409 });
    expect(await plane.call('POST /user/new', { user_email: 'TWIN@example.com' })).toMatchObject({
      status: 409,
    });
    const other = await user();
    const update = { user_id: other.id, user_email: 'Twin@Example.com' };
    expect(await plane.call('POST /user/update', update)).toMatchObject({ status: 409 });
  });

  test('a role goes with every key of the user, at once', async () => {
    const { id, secret } = await user();
    expect((await plane.identity(secret)).role).toBe('internal_user');
    await done('POST /user/update', { user_id: id, user_role: 'proxy_admin' });
    expect((await plane.identity(secret)).role).toBe('proxy_admin');
    expect(await plane.call('POST /team/new', {}, secret)).toMatchObject({ status: 200 });
    await done('POST /user/update', { user_id: id, user_role: 'internal_user_viewer' });
    expect(await plane.call('POST /key/generate', {}, secret)).toMatchObject({ status: 403 });
  });

  test.each(['proxy_admin', 'proxy_admin_viewer', 'internal_user'])(
    'a user cannot make one of the role %s (M9)',
    async (user_role) => {
      const { secret } = await user();
      expect(await plane.call('POST /user/new', { user_role }, secret)).toMatchObject({ status: 403 });
    },
  );

  test('protection fields are refused on users, where they would protect nothing (D-84)', async () => {
    for (const body of [{ policies: ['strict'] }, { guardrails: ['pii-mask'] }]) {
      const answer = await plane.call('POST /user/new', body);
      expect(answer.status).toBe(422);
      expect(places(answer)).toEqual(Object.keys(body));
    }
    expect(await plane.call('POST /user/new', { user_id: 'empty', policies: [] })).toMatchObject({
      status: 200,
    });
  });

  test('POST /user/update finds by address and changes given fields alone', async () => {
    const { id } = await user({ user_email: 'found@example.com', rpm_limit: 3 });
    const { data } = await done('POST /user/update', { user_email: 'Found@example.com', tpm_limit: 4 });
    expect(data).toMatchObject({ user_id: id, user_email: 'found@example.com', rpm_limit: 3, tpm_limit: 4 });
    expect(await plane.call('POST /user/update', { user_id: 'nobody' })).toMatchObject({ status: 404 });
  });

  test('a deleted user leaves no key and no place in a team', async () => {
    const { id, secret } = await user();
    const team = await done('POST /team/new', { members_with_roles: [{ role: 'user', user_id: id }] });
    const answer = await done('POST /user/delete', { user_ids: [id] });
    expect(answer).toMatchObject({ deleted_users: [id], deleted_keys: [expect.any(String)] });
    await expect(plane.identity(secret)).rejects.toThrow('unknown');
    const info = await done('GET /team/info', { team_id: team['team_id'] });
    expect(info['team_info']['members_with_roles']).toEqual([]);
    expect(await plane.call('POST /user/delete', { user_ids: [id] })).toMatchObject({ status: 404 });
  });

  test('users see themselves and nobody else', async () => {
    const one = await user();
    const other = await user();
    expect(await done('GET /user/info', {}, one.secret)).toMatchObject({ user_id: one.id });
    expect(await plane.call('GET /user/info', { user_id: other.id }, one.secret)).toMatchObject({
      status: 403,
    });
  });

  test('GET /user/list pages and filters', async () => {
    for (const name of ['x', 'y', 'z']) await user({ user_email: `${name}@listed.example` });
    const query = { user_email: 'LISTED', sort_by: 'user_email', sort_order: 'asc', page_size: '2' };
    const first = await done('GET /user/list', query);
    expect(first).toMatchObject({ total: 3, page: 1, page_size: 2, total_pages: 2 });
    const second = await done('GET /user/list', { ...query, page: '2' });
    const emails = [...first['users'], ...second['users']].map(({ user_email }) => user_email);
    expect(emails).toEqual(['x@listed.example', 'y@listed.example', 'z@listed.example']);
  });

  test('GET /user/available_roles says what each role may', async () => {
    expect(await done('GET /user/available_roles')).toMatchObject({
      proxy_admin: { description: expect.any(String), ui_label: expect.any(String) },
    });
  });
});

describe('tags', () => {
  test('are described once; a duplicate is 400', async () => {
    const body = await done('POST /tag/new', { name: 'eu', description: 'Europe', models: ['gpt'] });
    expect(body).toMatchObject({
      message: 'Tag eu created successfully',
      tag: { name: 'eu', description: 'Europe', models: ['gpt'], created_by: 'default_user_id' },
    });
    const answer = await plane.call('POST /tag/new', { name: 'eu' });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('already exists') },
    });
  });

  test('change, are found by name, and go', async () => {
    await done('POST /tag/new', { name: 'us' });
    const { tag } = await done('POST /tag/update', { name: 'us', description: 'States' });
    expect(tag).toMatchObject({ name: 'us', description: 'States', models: [] });
    expect(await done('POST /tag/info', { names: ['us'] })).toMatchObject({ us: { description: 'States' } });
    expect(await plane.call('POST /tag/info', { names: ['us', 'mars'] })).toMatchObject({ status: 404 });
    expect((await done('GET /tag/list')).map(({ name }: { name: string }) => name)).toContain('us');
    await done('POST /tag/delete', { name: 'us' });
    expect(await plane.call('POST /tag/delete', { name: 'us' })).toMatchObject({ status: 404 });
    expect(await lastAudit()).toMatchObject({ action: 'tag.delete', object: { type: 'tag', id: 'us' } });
  });

  test('a limit on a tag would not take effect, so it is refused', async () => {
    expect(await plane.call('POST /tag/new', { name: 'b', max_budget: 1 })).toMatchObject({ status: 422 });
  });
});
