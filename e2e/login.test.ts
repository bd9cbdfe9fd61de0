// Signing in to the control plane, through the real server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment, type RunningServer, startServer } from '@portcullis/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser } from './support/browser.ts';
import { ADMIN_KEY, Gateway } from './support/gateway.ts';

const CONFIG = `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
`;
const PASSWORD = 'correct horse battery';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start(CONFIG, {}, 'use_x_forwarded_for: true');
});
afterAll(() => gateway.stop());

let people = 0;

/** A user with a password, and a browser somewhere of its own. */
async function person(role = 'internal_user'): Promise<{ browser: Browser; id: string; email: string }> {
  people += 1;
  const [id, email] = [`person-${people}`, `person-${people}@example.com`];
  const made = await gateway.post('/user/new', {
    user_id: id,
    user_email: email,
    user_role: role,
    password: PASSWORD,
    auto_create_key: false,
  });
  if (made.status !== 200) throw new Error(await made.text());
  return { browser: elsewhere(), id, email };
}

let addresses = 0;
function elsewhere(): Browser {
  addresses += 1;
  return new Browser(gateway.url, `192.0.2.${addresses}`);
}

const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { error: { portcullis_code: string } }).error.portcullis_code;

describe('the admin key', () => {
  test.each([{ key: ADMIN_KEY }, { username: 'admin', password: ADMIN_KEY }])(
    'opens a session that says who one is: %j',
    async (body) => {
      const browser = elsewhere();
      await browser.login(body);
      expect(await (await browser.get('/session')).json()).toMatchObject({
        user_id: 'default_user_id',
        user_role: 'proxy_admin',
        login_method: 'admin_key',
        teams: [],
        csrf_token: browser.csrf,
      });
      expect((await browser.get('/policies/list')).status).toBe(200);
    },
  );

  test('any other key opens none, a virtual key of an administrator included', async () => {
    const made = (await (await gateway.post('/key/generate', {})).json()) as { key: string };
    for (const key of [made.key, `${ADMIN_KEY}x`, ADMIN_KEY.slice(1), 'ſk']) {
      const answer = await elsewhere().post('/login', { key });
      expect([answer.status, await codeOf(answer)]).toEqual([401, 'login_failed']);
    }
  });
});

describe('address and password of a user', () => {
  test('open a session with the role and teams of the user, and the address in any case', async () => {
    const { browser, id, email } = await person();
    await gateway.post('/team/new', {
      team_id: `team-of-${id}`,
      team_alias: 'Team',
      members_with_roles: [{ role: 'admin', user_id: id }],
    });
    await browser.login({ username: email.toUpperCase(), password: PASSWORD });
    expect(await (await browser.get('/session')).json()).toMatchObject({
      user_id: id,
      user_email: email,
      user_role: 'internal_user',
      login_method: 'password',
      teams: [{ team_id: `team-of-${id}`, team_alias: 'Team', role: 'admin' }],
    });
  });

  test('of an unknown user, a user without a password and a wrong password get the same answer', async () => {
    const { email } = await person();
    await gateway.post('/user/new', { user_email: 'without@example.com', auto_create_key: false });
    const answers = await Promise.all(
      [email, 'nobody@example.com', 'without@example.com'].map(async (user_email) => {
        const answer = await elsewhere().post('/login', { user_email, password: 'wrong password' });
        return { status: answer.status, body: await answer.json(), cookies: answer.headers.getSetCookie() };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, cookies: [], body: { error: { type: 'auth_error' } } });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  test('an unknown user costs as much time as a wrong password', async () => {
    const { email } = await person();
    const timed = async (user_email: string): Promise<number> => {
      const browser = elsewhere();
      const times: number[] = [];
      for (let run = 0; run < 5; run += 1) {
        const start = performance.now();
        await (await browser.post('/login', { user_email, password: 'wrong password' })).arrayBuffer();
        times.push(performance.now() - start);
      }
      // The least of them is what the machine had to do.
      return Math.min(...times);
    };
    const [known, unknown] = [await timed(email), await timed('nobody-else@example.com')];
    expect(unknown / known).toBeGreaterThan(0.6);
    expect(unknown / known).toBeLessThan(1.7);
  });
});

describe('the cookie', () => {
  test('is for this host alone: HttpOnly, SameSite=Strict, and with https Secure under a __Host- name', async () => {
    const plain = await elsewhere().post('/login', { key: ADMIN_KEY });
    expect(plain.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^portcullis_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/u,
      ),
    ]);
    const secure = await elsewhere().post('/login', { key: ADMIN_KEY }, { 'x-forwarded-proto': 'https' });
    expect(secure.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-portcullis_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/u,
      ),
    ]);
    // Over https a cookie that any host of the domain may have set opens nothing.
    const [, value = ''] = /=([\w-]{43})/u.exec(secure.headers.getSetCookie()[0] ?? '') ?? [];
    const tossed = await elsewhere().send('GET', '/session', undefined, {
      'x-forwarded-proto': 'https',
      cookie: `portcullis_session=${value}`,
    });
    expect(tossed.status).toBe(401);
  });

  test('never opens the data plane', async () => {
    const browser = elsewhere();
    await browser.login({ key: ADMIN_KEY });
    const chat = { model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] };
    expect((await browser.post('/v1/chat/completions', chat)).status).toBe(401);
    expect((await browser.post('/v1/chat/completions/', chat)).status).toBe(401);
    // Which models there are is asked by the pages that choose among them; it calls none.
    expect((await browser.get('/v1/models')).status).toBe(200);
    // The token is no key either.
    const token = browser.cookie.split('=')[1] ?? '';
    expect((await gateway.get('/v1/models', token)).status).toBe(401);
    expect((await gateway.get('/v1/models', `sk-${token}`)).status).toBe(401);
  });

  test('a key that is sent beside it is what counts', async () => {
    const browser = elsewhere();
    await browser.login({ key: ADMIN_KEY });
    const answer = await browser.send('GET', '/policies/list', undefined, {
      authorization: 'Bearer sk-unknown',
    });
    expect(answer.status).toBe(401);
  });
});

describe('a write by cookie', () => {
  test('needs the CSRF token of its own session, and a page of this gateway', async () => {
    const [mine, other] = [elsewhere(), elsewhere()];
    await mine.login({ key: ADMIN_KEY });
    await other.login({ key: ADMIN_KEY });
    const tag = { name: 'tag-by-cookie' };
    const refused: [Readonly<Record<string, string>>, string][] = [
      [{ 'x-csrf-token': '' }, 'missing'],
      [{ 'x-csrf-token': 'x'.repeat(43) }, 'made up'],
      [{ 'x-csrf-token': other.csrf ?? '' }, 'of another session'],
      [{ 'sec-fetch-site': 'cross-site' }, 'sent by another site'],
      [{ 'sec-fetch-site': 'same-site' }, 'sent by another host of the domain'],
    ];
    for (const [headers, why] of refused) {
      const answer = await mine.post('/tag/new', tag, headers);
      expect([why, answer.status, await codeOf(answer)]).toEqual([why, 403, 'csrf_failed']);
    }
    const reads = await mine.get('/tag/list');
    expect(await reads.json()).not.toHaveProperty('tag-by-cookie');
    expect((await mine.post('/tag/new', tag)).status).toBe(200);
  });

  test('nobody is signed in by a page of another site', async () => {
    const answer = await elsewhere().post('/login', { key: ADMIN_KEY }, { 'sec-fetch-site': 'cross-site' });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
  });
});

describe('roles by session are those by key', () => {
  const expected = {
    proxy_admin: [200, 200, 200],
    proxy_admin_viewer: [200, 403, 403],
    // Makes keys with a key, or for a team that the user administers.
    internal_user: [403, 403, 403],
    internal_user_viewer: [403, 403, 403],
  };
  test.each(Object.entries(expected))('%s', async (role, statuses) => {
    const { browser, email, id } = await person(role);
    await browser.login({ user_email: email, password: PASSWORD });
    const answers = [
      await browser.get('/policies/list'),
      await browser.post('/tag/new', { name: `tag-of-${id}` }),
      await browser.post('/key/generate', {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    expect((await browser.get('/key/list')).status).toBe(200);
    // Also a viewer may go, and choose a password.
    const fresh = `${PASSWORD} again`;
    const changed = await browser.post('/user/password', { current_password: PASSWORD, new_password: fresh });
    expect(changed.status).toBe(200);
    browser.csrf = ((await changed.json()) as { csrf_token: string }).csrf_token;
    expect((await browser.post('/logout', {})).status).toBe(200);
    expect((await browser.get('/session')).status).toBe(401);
  });
});

describe('an admin of a team who is signed in', () => {
  test('makes keys of that team, for its members, and of no other', async () => {
    const { browser, email, id } = await person();
    for (const team_id of ['own-team', 'other-team']) await gateway.post('/team/new', { team_id });
    await gateway.post('/team/member_add', { team_id: 'own-team', member: { role: 'admin', user_id: id } });
    await gateway.post('/team/member_add', { team_id: 'other-team', member: { role: 'user', user_id: id } });
    await browser.login({ user_email: email, password: PASSWORD });
    const made = await browser.post('/key/generate', { team_id: 'own-team' });
    expect(await made.json()).toMatchObject({ team_id: 'own-team', user_id: id });
    for (const body of [
      {},
      { team_id: 'other-team' },
      { team_id: 'nowhere' },
      { team_id: 'own-team', user_id: 'stranger' },
      { team_id: 'own-team', guardrails: [], tags: ['vip'] },
    ]) {
      const { status } = await browser.post('/key/generate', body);
      expect([body, status]).toEqual([body, 403]);
    }
  });

  test('makes none while a key of the same user is protected: a new one would be a way around', async () => {
    const { browser, email, id } = await person();
    await gateway.post('/team/new', {
      team_id: 'bound-team',
      members_with_roles: [{ role: 'admin', user_id: id }],
    });
    await gateway.post('/key/generate', { user_id: id, rpm_limit: 1 });
    await browser.login({ user_email: email, password: PASSWORD });
    expect((await browser.post('/key/generate', { team_id: 'bound-team' })).status).toBe(403);
  });
});

describe('a session ends', () => {
  const ended = async (browser: Browser): Promise<void> => {
    const answer = await browser.get('/session');
    expect([answer.status, await codeOf(answer)]).toEqual([401, 'session_expired']);
  };

  test('with a logout, also for whoever has copied the cookie', async () => {
    const browser = elsewhere();
    await browser.login({ key: ADMIN_KEY });
    const thief = browser.copy();
    await browser.post('/logout', {});
    expect(browser.cookie).toBe('');
    await ended(thief);
  });

  test('with a logout everywhere, on all browsers of the same person and of nobody else', async () => {
    const { browser, email } = await person();
    const second = elsewhere();
    const other = await person();
    await browser.login({ user_email: email, password: PASSWORD });
    await second.login({ user_email: email, password: PASSWORD });
    await other.browser.login({ user_email: other.email, password: PASSWORD });
    await browser.post('/logout', { everywhere: true });
    await ended(second);
    expect((await other.browser.get('/session')).status).toBe(200);
  });

  test.each([
    ['another role', (user_id: string) => ['/user/update', { user_id, user_role: 'proxy_admin' }]],
    ['another password', (user_id: string) => ['/user/update', { user_id, password: 'another password' }]],
    ['no password', (user_id: string) => ['/user/update', { user_id, password: null }]],
    ['deletion', (user_id: string) => ['/user/delete', { user_ids: [user_id] }]],
  ] as const)('with %s of its user', async (_why, change) => {
    const { browser, id, email } = await person();
    await browser.login({ user_email: email, password: PASSWORD });
    const [path, body] = change(id) as [string, object];
    expect((await gateway.post(path, body)).status).toBe(200);
    await ended(browser);
  });

  test('and goes on when something else about the user changes', async () => {
    const { browser, id, email } = await person();
    await browser.login({ user_email: email, password: PASSWORD });
    await gateway.post('/user/update', { user_id: id, user_alias: 'Other' });
    expect((await browser.get('/session')).status).toBe(200);
  });

  test('with the own change of the password on every other browser', async () => {
    const { browser, email } = await person();
    const second = elsewhere();
    await browser.login({ user_email: email, password: PASSWORD });
    await second.login({ user_email: email, password: PASSWORD });
    const wrong = { current_password: 'wrong', new_password: 'a new password' };
    expect((await browser.post('/user/password', wrong)).status).toBe(401);
    await browser.post('/user/password', { ...wrong, current_password: PASSWORD });
    await ended(second);
    expect((await browser.get('/session')).status).toBe(200);
    const again = elsewhere();
    expect((await again.post('/login', { user_email: email, password: PASSWORD })).status).toBe(401);
    await again.login({ user_email: email, password: 'a new password' });
  });
});

describe('an invitation', () => {
  test('lets its user choose a password once, and is worth nothing afterwards', async () => {
    await gateway.post('/user/new', {
      user_id: 'guest',
      user_email: 'guest@example.com',
      auto_create_key: false,
    });
    const made = await gateway.post('/invitation/new', { user_id: 'guest' });
    const { id } = (await made.json()) as { id: string };
    const browser = elsewhere();
    const asked = await browser.get(`/onboarding/get_token?invite_link=${id}`);
    expect(await asked.json()).toMatchObject({ user_id: 'guest', user_email: 'guest@example.com' });
    const short = await browser.post('/onboarding/claim_token', { invitation_link: id, password: 'short' });
    expect(short.status).toBe(422);
    const claim = { invitation_link: id, user_id: 'guest', password: PASSWORD };
    expect((await browser.post('/onboarding/claim_token', claim)).status).toBe(200);
    expect(await (await browser.get('/session')).json()).toMatchObject({ user_id: 'guest' });
    for (const answer of [
      await elsewhere().post('/onboarding/claim_token', claim),
      await elsewhere().get(`/onboarding/get_token?invite_link=${id}`),
    ]) {
      expect([answer.status, await codeOf(answer)]).toEqual([400, 'invitation_invalid']);
    }
    await elsewhere().login({ user_email: 'guest@example.com', password: PASSWORD });
    const info = await gateway.get(`/invitation/info?invitation_id=${id}`);
    expect(await info.json()).toMatchObject({ is_accepted: true });
  });

  test('that was taken back, replaced or made up opens nothing, with one answer for all', async () => {
    await gateway.post('/user/new', { user_id: 'guest-2', auto_create_key: false });
    const invite = async (): Promise<string> =>
      ((await (await gateway.post('/invitation/new', { user_id: 'guest-2' })).json()) as { id: string }).id;
    const replaced = await invite();
    const deleted = await invite();
    await gateway.post('/invitation/delete', { invitation_id: deleted });
    for (const invitation_link of [replaced, deleted, 'made-up']) {
      const answer = await elsewhere().post('/onboarding/claim_token', {
        invitation_link,
        password: PASSWORD,
      });
      expect([answer.status, await codeOf(answer)]).toEqual([400, 'invitation_invalid']);
    }
  });
});

describe('guessing', () => {
  test('ends after ten attempts for one account, from wherever they come, and tells when to go on', async () => {
    const { email } = await person();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const answer = await elsewhere().post('/login', { user_email: email, password: `guess ${attempt}` });
      expect(answer.status).toBe(401);
    }
    const answer = await elsewhere().post('/login', { user_email: email.toUpperCase(), password: PASSWORD });
    expect([answer.status, await codeOf(answer)]).toEqual([429, 'too_many_attempts']);
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(300);
    // Other accounts are not concerned.
    const other = await person();
    await other.browser.login({ user_email: other.email, password: PASSWORD });
  });

  test('ends after thirty attempts from one address, and nobody can lock out the admin key', async () => {
    const browser = elsewhere();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 31; attempt += 1) {
      statuses.push((await browser.post('/login', { key: `sk-guess-${attempt}` })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 30 }, () => 401), 429]);
    await elsewhere().login({ key: ADMIN_KEY });
  });
});

test('no password, token or invitation is in the log or the audit log', async () => {
  const { browser, email, id } = await person();
  await browser.login({ user_email: email, password: PASSWORD });
  const made = await gateway.post('/invitation/new', { user_id: id });
  const invitation = ((await made.json()) as { id: string }).id;
  const audit = await (await gateway.get('/audit/log?limit=1000')).text();
  const token = browser.cookie.split('=')[1] ?? '';
  expect(token).toHaveLength(43);
  expect(audit).toContain('session.login');
  for (const secret of [PASSWORD, token, invitation, browser.csrf ?? '', 'scrypt$']) {
    expect(audit).not.toContain(secret);
    expect(gateway.log()).not.toContain(secret);
  }
});

describe('a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-login-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(masterKey: string): Promise<RunningServer> {
    const configFile = join(folder, 'config.yaml');
    writeFileSync(configFile, `${CONFIG}\ngeneral_settings: { master_key: ${masterKey} }\n`);
    return startServer({
      configFile,
      port: 0,
      host: '127.0.0.1',
      dataDir: join(folder, 'data'),
      logLevel: 'warn',
      logDestination: join(folder, 'log.jsonl'),
      env: readEnvironment({}),
    });
  }

  test('ends no session, except those of an admin key that is no longer one', async () => {
    const first = await start('sk-first-admin-key-of-all');
    const browser = new Browser(first.url, '192.0.2.1');
    await browser.login({ key: 'sk-first-admin-key-of-all' });
    await first.close();

    const statusAt = async ({ url }: RunningServer): Promise<number> => {
      const answer = await fetch(`${url}/session`, { headers: { cookie: browser.cookie } });
      await answer.arrayBuffer();
      return answer.status;
    };
    const second = await start('sk-first-admin-key-of-all');
    expect(await statusAt(second)).toBe(200);
    await second.close();

    const third = await start('sk-other-admin-key-of-all');
    expect(await statusAt(third)).toBe(401);
    await third.close();
  }, 90_000);
});
