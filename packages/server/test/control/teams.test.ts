import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, openPlane, type Plane } from './kit.ts';

let plane: Plane;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

async function call(route: string, input: object, secret?: string): Promise<Answer['body']> {
  const answer = await plane.call(route, input, secret);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body;
}

describe('POST /team/new', () => {
  test('answers in the words of the reference', async () => {
    const team = await call('POST /team/new', {
      team_alias: 'blue',
      models: ['gpt-5'],
      guardrails: ['pii-mask'],
      tags: ['eu'],
      metadata: { cost_center: 7 },
      members_with_roles: [{ role: 'user', user_id: 'u' }],
      max_budget: null,
    });
    expect(team).toMatchObject({
      team_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      team_alias: 'blue',
      models: ['gpt-5'],
      metadata: { cost_center: 7, guardrails: ['pii-mask'], tags: ['eu'] },
      members_with_roles: [{ role: 'user', user_id: 'u', user_email: null }],
      blocked: false,
      spend: 0,
      max_budget: null,
      budget_reset_at: null,
      admins: [],
      members: [],
    });
  });

  test('takes an id once, and an alias as often as one likes', async () => {
    await call('POST /team/new', { team_id: 'fixed', team_alias: 'twice' });
    await call('POST /team/new', { team_alias: 'twice' });
    expect(await plane.call('POST /team/new', { team_id: 'fixed' })).toMatchObject({
      status: 409,
      body: { detail: 'Team id = fixed already exists. Please use a different team id.' },
    });
  });

  test('reads the legacy object that forbids client guardrails, and a list beside it (D-08)', async () => {
    const team = await call('POST /team/new', {
      guardrails: ['pii-mask'],
      metadata: { guardrails: { modify_guardrails: false } },
    });
    expect(team).toMatchObject({
      permissions: { client_guardrails: false },
      metadata: { guardrails: ['pii-mask'] },
    });
  });

  test.each([
    [{ budget_id: 'b' }],
    [{ max_budget: -1 }],
    [{ team_member_budget: 1 }],
    [{ allow_policy_versions: true }],
    [{ metadata: { allow_policy_versions: true } }],
    [{ metadata: { guardrails: { modify_guardrails: 'no' } } }],
    [{ team_alias: '0'.repeat(64) }],
    [{ policies: ['unknown'] }],
  ])('refuses %j', async (body) => {
    expect(await plane.call('POST /team/new', body)).toMatchObject({ status: 422 });
  });

  test('is for administrators', async () => {
    const { key } = await call('POST /key/generate', { user_id: 'u' });
    expect(await plane.call('POST /team/new', { team_alias: 'mine' }, key)).toMatchObject({ status: 403 });
  });
});

describe('a key of a team', () => {
  test('has the protection of both, each from its own place (O1, D-68, D-83)', async () => {
    const team = await call('POST /team/new', {
      guardrails: ['pii-mask'],
      opted_out_global_guardrails: ['toxicity'],
      tags: ['team-tag'],
      permissions: { client_guardrails: false },
      models: ['a'],
    });
    const { key } = await call('POST /key/generate', {
      team_id: team['team_id'],
      guardrails: [],
      disable_global_guardrails: false,
      tags: ['key-tag'],
      models: ['a', 'b'],
    });
    const { policy, keyModels, teamModels } = await plane.identity(key);
    expect(policy.settings).toMatchObject([
      { source: 'key', guardrails: [], opted_out_global_guardrails: [], client_guardrails: true },
      {
        source: 'team',
        guardrails: ['pii-mask'],
        opted_out_global_guardrails: ['toxicity'],
        client_guardrails: false,
      },
    ]);
    expect(policy.tags.map(({ value, source }) => `${source}:${value}`)).toEqual([
      'key:key-tag',
      'team:team-tag',
    ]);
    expect({ keyModels, teamModels }).toEqual({ keyModels: ['a', 'b'], teamModels: ['a'] });
  });

  test('feels a change of its team at once (S10)', async () => {
    const team = await call('POST /team/new', { team_alias: 'moving' });
    const { key } = await call('POST /key/generate', { team_id: team['team_id'] });
    await plane.identity(key);
    const changed = await call('POST /team/update', { team_id: team['team_id'], policies: ['strict'] });
    expect(changed).toMatchObject({ data: { team_alias: 'moving', metadata: { policies: ['strict'] } } });
    expect((await plane.identity(key)).policy.settings[1]?.policies).toEqual(['strict']);
    await call('POST /team/block', { team_id: team['team_id'] });
    expect((await plane.identity(key)).blocked).toBe(true);
    await call('POST /team/unblock', { team_id: team['team_id'] });
    expect((await plane.identity(key)).blocked).toBe(false);
  });

  test('sees its own team and of its keys the own ones', async () => {
    const team = await call('POST /team/new', { team_alias: 'seen' });
    const mine = await call('POST /key/generate', { team_id: team['team_id'], user_id: 'me' });
    await call('POST /key/generate', { team_id: team['team_id'], user_id: 'you' });
    const query = { team_id: team['team_id'] };
    const asAdmin = await call('GET /team/info', query);
    expect(asAdmin).toMatchObject({
      team_id: team['team_id'],
      team_info: { team_alias: 'seen' },
      team_memberships: [],
    });
    expect(asAdmin['keys']).toHaveLength(2);
    const asMember = await call('GET /team/info', query, mine['key']);
    expect(asMember['keys'].map((key: { token: string }) => key.token)).toEqual([mine['token']]);
    const other = await call('POST /team/new', {});
    expect(await plane.call('GET /team/info', { team_id: other['team_id'] }, mine['key'])).toMatchObject({
      status: 403,
    });
    expect(await plane.call('GET /team/info', { team_id: 'nowhere' })).toMatchObject({ status: 404 });
  });
});

test('GET /team/list is a bare list by alias; a user asks for the own teams', async () => {
  await call('POST /team/new', {
    team_alias: 'z-list',
    members_with_roles: [{ role: 'user', user_id: 'dora' }],
  });
  await call('POST /team/new', {
    team_alias: 'a-list',
    members_with_roles: [{ role: 'admin', user_id: 'dora' }],
  });
  const all = await plane.call('GET /team/list', {});
  expect(Array.isArray(all.body)).toBe(true);
  const { key } = await call('POST /key/generate', { user_id: 'dora' });
  expect(await plane.call('GET /team/list', {}, key)).toMatchObject({ status: 403 });
  const own = await plane.call('GET /team/list', { user_id: 'dora' }, key);
  expect(own.body).toMatchObject([
    { team_alias: 'a-list', keys: [], team_memberships: [] },
    { team_alias: 'z-list' },
  ]);
});
