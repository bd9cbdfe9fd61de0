// Signing in with an identity provider: the real server, a real OpenID Connect provider, over loopback.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Gateway } from './support/gateway.ts';
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from './support/identity-provider.ts';

const BASE = 'http://gateway.test';

const config = (issuer: string, more = ''): string => `
model_list:
  - model_name: gpt
    litellm_params: { model: mock/mock-1 }
policy_engine:
  allowed_private_hosts: ["127.0.0.1"]
sso:
  issuer: ${issuer}
  client_id: ${CLIENT_ID}
  client_secret: os.environ/SSO_SECRET
  base_url: ${BASE}
  label: Company login
${more}
`;

const MAPPED = `
  scope: openid email profile groups
  role_claim: groups
  roles: { gateway-admins: proxy_admin, staff: internal_user }
  team_claim: groups
  teams: { reds: team-red, blues: team-blue }
  create_users: true
`;

let provider: IdentityProvider;
let gateway: Gateway;
beforeAll(async () => {
  provider = await IdentityProvider.start(`${BASE}/sso/callback`);
  gateway = await Gateway.start(config(provider.issuer, MAPPED), { SSO_SECRET: CLIENT_SECRET }, FORWARDED);
  for (const team_id of ['team-red', 'team-blue']) await gateway.post('/team/new', { team_id });
});
afterAll(async () => {
  await gateway.stop();
  await provider.stop();
});

const FORWARDED = 'use_x_forwarded_for: true';
let addresses = 0;

/** A browser that follows redirects between the two, with the cookies of each. */
class Traveller {
  readonly #gateway: Gateway;
  readonly #jars = new Map<string, Map<string, string>>();
  readonly #address = `192.0.2.${(addresses += 1)}`;

  constructor(at: Gateway) {
    this.#gateway = at;
  }

  async get(address: string): Promise<Response> {
    const url = new URL(address, BASE);
    const jar = this.#jars.get(url.origin) ?? new Map<string, string>();
    this.#jars.set(url.origin, jar);
    const target = url.origin === BASE ? new URL(url.pathname + url.search, this.#gateway.url) : url;
    const answer = await fetch(target, {
      redirect: 'manual',
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        'x-forwarded-for': this.#address,
      },
    });
    for (const text of answer.headers.getSetCookie()) {
      const [pair = ''] = text.split(';', 1);
      const at = pair.indexOf('=');
      if (/max-age=0(?:;|$)|expires=thu, 01 jan 1970/iu.test(text)) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  /** Follows redirects until `stop` says so, or until there is none. Gives the last address and its answer. */
  async follow(
    address: string,
    stop: (url: URL) => boolean = () => false,
  ): Promise<{ readonly url: URL; readonly answer: Response }> {
    let url = new URL(address, BASE);
    for (let step = 0; step < 20; step += 1) {
      const answer = await this.get(url.href);
      const next = answer.headers.get('location');
      if (next === null) return { url, answer };
      url = new URL(next, url);
      if (stop(url)) return { url, answer };
    }
    throw new Error('the redirects have no end');
  }

  /** Signs in; ends where the gateway sends the browser, or with its refusal. */
  signIn(returnTo = '/ui'): Promise<{ readonly url: URL; readonly answer: Response }> {
    const start = `/sso/key/generate?return_to=${encodeURIComponent(returnTo)}`;
    return this.follow(start, ({ origin, pathname }) => origin === BASE && pathname.startsWith('/ui'));
  }

  async session(): Promise<Record<string, unknown>> {
    return (await (await this.get('/session')).json()) as Record<string, unknown>;
  }

  cookies(origin: string): Map<string, string> {
    return this.#jars.get(origin) ?? new Map();
  }
}

/** Signs in as somebody whom the provider describes like this. */
async function as(
  sub: string,
  claims: Record<string, unknown>,
  at = gateway,
): Promise<{ traveller: Traveller; url: URL; answer: Response }> {
  provider.person(sub, claims);
  provider.next = sub;
  const traveller = new Traveller(at);
  return { traveller, ...(await traveller.signIn()) };
}

async function refusalOf(answer: Response): Promise<[number, string]> {
  const { error } = (await answer.json()) as { error: { portcullis_code: string } };
  return [answer.status, error.portcullis_code];
}

const membersOf = async (team: string): Promise<unknown[]> => {
  const answer = await gateway.get(`/team/info?team_id=${team}`);
  const { team_info } = (await answer.json()) as {
    team_info: { members_with_roles: { user_id: string }[] };
  };
  return team_info.members_with_roles.map(({ user_id }) => user_id);
};

beforeEach(() => {
  provider.next = null;
});

test('the page that asks is told of it', async () => {
  const answer = await gateway.get('/login/options', null);
  expect(await answer.json()).toMatchObject({ sso: { label: 'Company login', url: '/sso/key/generate' } });
});

describe('the first sign-in', () => {
  test('makes a user with the role and teams that the provider claims, and a session', async () => {
    const { traveller, url } = await as('ann', {
      email: 'Ann@Example.com',
      email_verified: true,
      name: 'Ann',
      groups: ['staff', 'reds', 'unknown-group'],
    });
    expect(url.href).toBe(`${BASE}/ui`);
    expect(await traveller.session()).toMatchObject({
      user_id: 'ann',
      user_email: 'ann@example.com',
      user_role: 'internal_user',
      login_method: 'sso',
      teams: [{ team_id: 'team-red', role: 'user' }],
    });
    expect(await membersOf('team-red')).toContain('ann');
    const audit = await (await gateway.get('/audit/log?limit=20')).text();
    expect(audit).toContain('"action":"user.new"');
    expect(audit).toContain(`"actor":"sso ${provider.issuer}"`);
    // What was remembered meanwhile is gone.
    expect([...traveller.cookies(BASE).keys()]).toEqual(['portcullis_session']);
  });

  test('goes with PKCE, state and nonce, and leaves no secret in the address', async () => {
    provider.person('pia', {});
    provider.next = 'pia';
    const answer = await new Traveller(gateway).get('/sso/key/generate');
    expect(answer.status).toBe(302);
    const location = new URL(answer.headers.get('location') ?? '');
    const parameters = Object.fromEntries(location.searchParams);
    expect(parameters).toMatchObject({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: `${BASE}/sso/callback`,
      code_challenge_method: 'S256',
    });
    for (const name of ['code_challenge', 'state', 'nonce']) {
      expect(parameters[name]).toMatch(/^[\w-]{43}$/u);
    }
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^portcullis_sso=[^;]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/u);
    expect(cookie).not.toContain(parameters['state']);
    expect(location.href + cookie).not.toContain(CLIENT_SECRET);
  });

  test('gives somebody without a known group the default role', async () => {
    const { traveller } = await as('dan', { groups: [] });
    expect(await traveller.session()).toMatchObject({ user_id: 'dan', user_role: 'internal_user_viewer' });
  });
});

describe('a later sign-in', () => {
  test('follows the provider: role and teams change, and older sessions end with the role', async () => {
    const first = await as('eve', { groups: ['gateway-admins', 'reds'] });
    expect(await first.traveller.session()).toMatchObject({ user_role: 'proxy_admin' });
    const second = await as('eve', { groups: ['staff', 'blues'] });
    expect(await second.traveller.session()).toMatchObject({
      user_id: 'eve',
      user_role: 'internal_user',
      teams: [{ team_id: 'team-blue' }],
    });
    expect((await first.traveller.get('/session')).status).toBe(401);
    expect(await membersOf('team-red')).not.toContain('eve');
  });

  test('takes the keys in a team away with the membership', async () => {
    await as('kim', { groups: ['reds'] });
    const made = await gateway.post('/key/generate', { user_id: 'kim', team_id: 'team-red' });
    const { key } = (await made.json()) as { key: string };
    expect((await gateway.get('/v1/models', key)).status).toBe(200);
    await as('kim', { groups: [] });
    expect((await gateway.get('/v1/models', key)).status).toBe(401);
  });
});

describe('a user who is there already', () => {
  test('is who signs in with the verified address, and nobody else later on', async () => {
    await gateway.post('/user/new', {
      user_id: 'old-fred',
      user_email: 'fred@example.com',
      user_role: 'internal_user',
      auto_create_key: false,
    });
    const verified = { email: 'Fred@example.com', email_verified: true, groups: ['staff'] };
    const { traveller } = await as('sub-fred', verified);
    expect(await traveller.session()).toMatchObject({ user_id: 'old-fred', user_role: 'internal_user' });
    const { answer } = await as('sub-of-somebody-else', verified);
    expect(await refusalOf(answer)).toEqual([403, 'sso_failed']);
    // The one who was first still gets in, even with another address.
    const again = await as('sub-fred', { groups: ['staff'] });
    expect(await again.traveller.session()).toMatchObject({ user_id: 'old-fred' });
  });

  test('is not handed to an address that the provider has not verified, nor to a name', async () => {
    await gateway.post('/user/new', {
      user_id: 'gwen',
      user_email: 'gwen@example.com',
      user_role: 'proxy_admin',
      auto_create_key: false,
    });
    for (const email_verified of [false, undefined, 'true']) {
      const { traveller } = await as(`fake-gwen-${email_verified}`, {
        email: 'gwen@example.com',
        email_verified,
      });
      expect(await traveller.session()).toMatchObject({
        user_id: `fake-gwen-${email_verified}`,
        user_email: null,
        user_role: 'internal_user_viewer',
      });
    }
    const { answer } = await as('gwen', {});
    expect(await refusalOf(answer)).toEqual([403, 'sso_failed']);
  });
});

describe('nobody gets in', () => {
  test('whom the provider refuses, and its words are not repeated', async () => {
    const { answer } = await new Traveller(gateway).signIn();
    const text = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      403,
      'application/json; charset=utf-8',
    ]);
    expect(text).not.toContain('alert');
    expect(text).toContain('sso_failed');
  });

  test('in another browser than the one that began, with the state of another sign-in, or twice', async () => {
    provider.person('hal', { groups: [] });
    provider.next = 'hal';
    const isCallback = ({ pathname }: URL): boolean => pathname === '/sso/callback';
    const mine = new Traveller(gateway);
    const { url } = await mine.follow('/sso/key/generate', isCallback);
    const thief = new Traveller(gateway);
    expect(await refusalOf(await thief.get(url.href))).toEqual([400, 'sso_invalid']);
    await thief.get('/sso/key/generate');
    expect(await refusalOf(await thief.get(url.href))).toEqual([400, 'sso_invalid']);
    expect(thief.cookies(BASE).has('portcullis_session')).toBe(false);
    expect((await mine.get(url.href)).status).toBe(303);
    expect(await refusalOf(await mine.get(url.href))).toEqual([400, 'sso_invalid']);
  });

  test('by a callback that was made up', async () => {
    for (const query of ['', '?code=x&state=y', '?state=y', '?error=x', `?code=${'x'.repeat(5_000)}`]) {
      const traveller = new Traveller(gateway);
      await traveller.get('/sso/key/generate');
      const answer = await traveller.get(`/sso/callback${query}`);
      expect([query.slice(0, 20), answer.status]).toEqual([query.slice(0, 20), expect.any(Number)]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(traveller.cookies(BASE).has('portcullis_session')).toBe(false);
    }
  });
});

test.each([
  ['/ui/policies?tab=2#row', '/ui/policies?tab=2#row'],
  ['/ui/', '/ui/'],
  ['https://evil.example/ui', '/ui'],
  ['//evil.example/ui', '/ui'],
  ['/\\evil.example/ui', '/ui'],
  ['/ui/..//evil.example', '/ui'],
  ['/uix', '/ui'],
  ['/key/list', '/ui'],
  ['javascript:alert(1)', '/ui'],
  ['/ui\r\nset-cookie: a=b', '/ui'],
  ['', '/ui'],
])('a way back to %j ends at %j, never elsewhere', async (wanted, end) => {
  provider.person('ida', { groups: [] });
  provider.next = 'ida';
  const { url } = await new Traveller(gateway).signIn(wanted);
  expect(url.href).toBe(BASE + end);
});

describe('by its settings a gateway', () => {
  const start = (more: string): Promise<Gateway> =>
    Gateway.start(config(provider.issuer, more), { SSO_SECRET: CLIENT_SECRET }, FORWARDED);

  test('makes no users unless it is told to', async () => {
    const strict = await start('');
    const { answer } = await as('jim', { email: 'jim@example.com', email_verified: true }, strict);
    expect(await refusalOf(answer)).toEqual([403, 'sso_failed']);
    expect((await strict.get('/user/info?user_id=jim')).status).toBe(404);
    await strict.stop();
  });

  test('lets verified addresses of certain domains in alone, and makes them users', async () => {
    const domains = await start('  allowed_email_domains: [example.com]');
    for (const [sub, email, email_verified] of [
      ['out-1', 'a@example.com.evil.example', true],
      ['out-2', 'a@evil.example', true],
      ['out-3', 'a@example.com', false],
    ] as const) {
      const { answer } = await as(sub, { email, email_verified }, domains);
      expect([sub, ...(await refusalOf(answer))]).toEqual([sub, 403, 'sso_failed']);
    }
    const { traveller } = await as('in-1', { email: 'a@EXAMPLE.com', email_verified: true }, domains);
    expect(await traveller.session()).toMatchObject({ user_id: 'in-1', user_role: 'internal_user_viewer' });
    await domains.stop();
  });

  test('asks no provider at a private address that it was not told of', async () => {
    const text = config(provider.issuer, '').replace(
      'allowed_private_hosts: ["127.0.0.1"]',
      'create_as: draft',
    );
    const closed = await Gateway.start(text, { SSO_SECRET: CLIENT_SECRET });
    const before = provider.asked.length;
    const answer = await closed.get('/sso/key/generate', null);
    expect(await refusalOf(answer)).toEqual([502, 'sso_unavailable']);
    expect(provider.asked).toHaveLength(before);
    await closed.stop();
  });

  test('has none without settings, and says so', async () => {
    const without = await Gateway.start('model_list: []');
    expect(await refusalOf(await without.get('/sso/key/generate', null))).toEqual([
      404,
      'sso_not_configured',
    ]);
    expect(await (await without.get('/login/options', null)).json()).toMatchObject({ sso: null });
    await without.stop();
  });

  test('takes them from the environment under the names of the reference', async () => {
    const named = await Gateway.start(
      'model_list: []\npolicy_engine: { allowed_private_hosts: ["127.0.0.1"] }',
      {
        GENERIC_ISSUER: provider.issuer,
        GENERIC_CLIENT_ID: CLIENT_ID,
        GENERIC_CLIENT_SECRET: CLIENT_SECRET,
        GENERIC_SCOPE: 'openid email profile groups',
        GENERIC_USER_ROLE_ATTRIBUTE: 'groups',
        ALLOWED_EMAIL_DOMAINS: 'example.com',
        PROXY_BASE_URL: `${BASE}/`,
      },
      FORWARDED,
    );
    const { traveller } = await as(
      'kay',
      { email: 'kay@example.com', email_verified: true, groups: ['proxy_admin_viewer', 'internal_user'] },
      named,
    );
    expect(await traveller.session()).toMatchObject({ user_id: 'kay', user_role: 'proxy_admin_viewer' });
    await named.stop();
  });
});
