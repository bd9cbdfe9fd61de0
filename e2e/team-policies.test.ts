// What admins of a team may read of the policies that concern it (D-70), through the real server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from './support/browser.ts';
import { Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
guardrails:
  - guardrail_name: words
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: forbidden, action: BLOCK }]
  - guardrail_name: others
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      blocked_words: [{ keyword: other, action: BLOCK }]
policies:
  everybody: { guardrails: { add: [words] } }
  reds-only: { inherit: everybody, guardrails: { add: [others] } }
  blues-only: { guardrails: { add: [others] } }
  some-keys: { guardrails: { add: [others] } }
  named: { description: named on the team, guardrails: { add: [others] } }
policy_attachments:
  - { policy: everybody, scope: "*" }
  - { policy: reds-only, teams: [reds, "secret-team-*"], models: [gpt] }
  - { policy: blues-only, teams: [blues] }
  - { policy: some-keys, keys: ["key-of-reds", "key-of-blues"] }
  - { policy: blues-only, keys: ["key-of-blues"] }
`;
const PASSWORD = 'correct horse battery';

interface View {
  readonly attachments: readonly {
    readonly policy_name: string;
    readonly teams: readonly string[];
    readonly keys: readonly string[];
  }[];
  readonly policies: readonly {
    readonly policy_name: string;
    readonly resolved_guardrails: readonly string[];
  }[];
  readonly team_policies: readonly string[];
  readonly effective_guardrails: readonly string[];
}

let gateway: Gateway;
const browsers = new Map<string, Browser>();
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG);
  const people = {
    'admin-of-reds': 'internal_user',
    'viewer-and-admin-of-reds': 'internal_user_viewer',
    'member-of-reds': 'internal_user',
    'admin-of-blues': 'internal_user',
    'gateway-viewer': 'proxy_admin_viewer',
  };
  for (const [user_id, user_role] of Object.entries(people)) {
    const user_email = `${user_id}@example.com`;
    await gateway.post('/user/new', {
      user_id,
      user_email,
      user_role,
      password: PASSWORD,
      auto_create_key: false,
    });
    const browser = new Browser(gateway.url, '192.0.2.1');
    await browser.login({ user_email, password: PASSWORD });
    browsers.set(user_id, browser);
  }
  const member = (user_id: string, role: string) => ({ user_id, role });
  await gateway.post('/team/new', {
    team_id: 'team-1',
    team_alias: 'reds',
    policies: ['named'],
    members_with_roles: [
      member('admin-of-reds', 'admin'),
      member('viewer-and-admin-of-reds', 'admin'),
      member('member-of-reds', 'user'),
    ],
  });
  await gateway.post('/team/new', {
    team_id: 'team-2',
    team_alias: 'blues',
    members_with_roles: [member('admin-of-blues', 'admin')],
  });
  await gateway.post('/key/generate', { key_alias: 'key-of-reds', team_id: 'team-1' });
  await gateway.post('/key/generate', { key_alias: 'key-of-blues', team_id: 'team-2' });
});
afterAll(() => gateway.stop());

async function ask(who: string, team: string): Promise<Response> {
  const browser = browsers.get(who);
  if (browser === undefined) throw new Error(`nobody is ${who}`);
  return browser.get(`/team/policies?team_id=${team}`);
}

describe('what is in force for a team (D-70)', () => {
  test.each(['admin-of-reds', 'viewer-and-admin-of-reds', 'gateway-viewer'])('is read by %s', async (who) => {
    const answer = await ask(who, 'team-1');
    expect(answer.status).toBe(200);
    const view = (await answer.json()) as View;
    expect(
      view.attachments.map(({ policy_name }) => policy_name).toSorted((a, b) => (a < b ? -1 : 1)),
    ).toEqual(['everybody', 'reds-only', 'some-keys']);
    expect(view.team_policies).toEqual(['named']);
    expect(view.policies.find(({ policy_name }) => policy_name === 'reds-only')?.resolved_guardrails).toEqual(
      ['others', 'words'],
    );
    expect(view.policies.map(({ policy_name }) => policy_name)).toContain('named');
    expect(view.effective_guardrails).toEqual(['others', 'words']);
  });

  test('names no other team and no key of another', async () => {
    const text = await (await ask('admin-of-reds', 'team-1')).text();
    expect(text).not.toMatch(/blues|secret-team/u);
    const view = JSON.parse(text) as View;
    expect(view.attachments.find(({ policy_name }) => policy_name === 'reds-only')?.teams).toEqual(['reds']);
    expect(view.attachments.find(({ policy_name }) => policy_name === 'some-keys')?.keys).toEqual([
      'key-of-reds',
    ]);
  });

  test.each([
    ['member-of-reds', 'team-1'],
    ['admin-of-blues', 'team-1'],
    ['admin-of-reds', 'team-2'],
    ['admin-of-reds', 'nowhere'],
  ])('is refused to %s for %s', async (who, team) => {
    expect((await ask(who, team)).status).toBe(403);
  });

  test('is all that they get: nothing of it can be changed, and the lists of all stay closed', async () => {
    const browser = browsers.get('admin-of-reds');
    if (browser === undefined) throw new Error('nobody signed in');
    const attach = { policy_name: 'everybody', teams: ['reds'] };
    expect((await browser.post('/policies/attachments', attach)).status).toBe(403);
    expect((await browser.post('/policies', { policy_name: 'x' })).status).toBe(403);
    expect((await browser.send('DELETE', '/policies/attachments/config-1')).status).toBe(403);
    expect((await browser.get('/policies/list')).status).toBe(403);
    expect((await browser.get('/policies/attachments/list')).status).toBe(403);
  });
});
