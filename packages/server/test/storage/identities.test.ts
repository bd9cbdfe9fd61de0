import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { DatabaseError } from '../../src/ports/database.ts';
import type { IdentityResult } from '../../src/ports/identity.ts';
import type { KeyRecord, KeyWithTeam, NewKey } from '../../src/ports/keys.ts';
import type { NewTeamRecord } from '../../src/ports/teams.ts';
import { type CachedIdentities, createIdentities } from '../../src/storage/identity/identities.ts';
import { ADMIN, newKey, newTeam, recorder, stillClock, USER } from './kit.ts';

const FRESH_MS = 60_000;
const MAX_STALE_MS = 600_000;
const MASTER = 'sk-master';

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/** A store with a switch: what it holds, whether it answers, and how often it was asked. */
class Store {
  readonly rows = new Map<string, KeyWithTeam>();
  asked = 0;
  failure: Error | null = null;
  gate: Promise<void> | null = null;

  put(secret: string, key: Partial<NewKey> = {}, team: NewTeamRecord | null = null): void {
    const record: KeyRecord = { ...newKey(secret, key), tokenHash: hashOf(secret), ignored: [] };
    this.rows.set(hashOf(secret), {
      key: record,
      team: team === null ? null : { ...team, ignored: [] },
      user: null,
      retiresAtMs: null,
    });
  }

  async findWithTeam(hash: string): Promise<KeyWithTeam | null> {
    this.asked += 1;
    const failure = this.failure;
    const row = this.rows.get(hash) ?? null;
    await this.gate;
    if (failure !== null) throw failure;
    return row;
  }
}

let store: Store;
let clock: ReturnType<typeof stillClock>;
let heard: ReturnType<typeof recorder>;
let identities: CachedIdentities;

beforeEach(() => {
  store = new Store();
  clock = stillClock();
  heard = recorder();
  identities = createIdentities({
    masterKey: MASTER,
    keys: store,
    clock,
    onEvent: heard.onEvent,
    freshMs: FRESH_MS,
    maxStaleMs: MAX_STALE_MS,
  });
});

const away = new DatabaseError('unavailable', 'the database cannot be reached (ECONNREFUSED)');

function identityIn(result: IdentityResult) {
  if (result.kind !== 'found') throw new Error(`not found but ${result.kind}`);
  return result.identity;
}

/** An answer that has come at once, as on the hot path. */
function atOnce(secret: string): IdentityResult {
  const answer = identities.find(secret);
  if (answer instanceof Promise) throw new Error('not answered at once');
  return answer;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the master key', () => {
  test('is an administrator who may name policy versions, without asking the store', () => {
    const identity = identityIn(atOnce(MASTER));
    expect(identity).toMatchObject({
      role: 'proxy_admin',
      blocked: false,
      keyModels: null,
      expiresAtMs: null,
    });
    expect(identity.policy).toMatchObject({ allow_policy_versions: true, key_hash: null });
    expect(store.asked).toBe(0);
  });

  test('works with the database away', () => {
    store.failure = away;
    expect(atOnce(MASTER).kind).toBe('found');
  });

  test.each(['sk-maste', 'sk-masterr', 'sk-Master', ''])('is not %j', async (secret) => {
    expect(await identities.find(secret)).toEqual({ kind: 'unknown' });
  });
});

describe('a stored key', () => {
  test('is answered at once from its second use on, by one and the same frozen object', async () => {
    store.put('sk-a');
    const first = identityIn(await identities.find('sk-a'));
    expect(identityIn(atOnce('sk-a'))).toBe(first);
    expect(store.asked).toBe(1);
    expect(Object.isFrozen(first)).toBe(true);
    expect(Object.isFrozen(first.policy.settings[0]?.guardrails)).toBe(true);
  });

  test('is looked up once for all who ask at the same time', async () => {
    store.put('sk-a');
    const answers = await Promise.all([1, 2, 3].map(async () => identities.find('sk-a')));
    expect(store.asked).toBe(1);
    expect(new Set(answers.map(identityIn)).size).toBe(1);
  });

  test('keeps its object when the check finds it unchanged, and gets another when it has changed', async () => {
    store.put('sk-a');
    const first = identityIn(await identities.find('sk-a'));
    clock.advance(FRESH_MS + 1);
    expect(identityIn(await identities.find('sk-a'))).toBe(first);
    expect(store.asked).toBe(2);
    store.put('sk-a', { blocked: true });
    clock.advance(FRESH_MS + 1);
    expect(identityIn(await identities.find('sk-a')).blocked).toBe(true);
  });

  test('in use is checked in the background, so that no request waits', async () => {
    store.put('sk-a');
    await identities.find('sk-a');
    clock.advance(FRESH_MS * 0.6);
    expect(atOnce('sk-a').kind).toBe('found');
    await settled();
    clock.advance(FRESH_MS * 0.45);
    expect(atOnce('sk-a').kind).toBe('found');
    expect(store.asked).toBe(2);
  });

  test('revoked by another process is refused within the fresh time (S10)', async () => {
    store.put('sk-a');
    await identities.find('sk-a');
    store.rows.clear();
    clock.advance(FRESH_MS);
    expect(await identities.find('sk-a')).toEqual({ kind: 'unknown' });
  });

  test('changed by this process is seen at once, even by a lookup under way (S10)', async () => {
    store.put('sk-a');
    await identities.find('sk-a');
    clock.advance(FRESH_MS);
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const underWay = identities.find('sk-a');
    store.put('sk-a', { blocked: true });
    identities.forget({ keys: new Set([hashOf('sk-a')]), teams: new Set(), users: new Set() });
    open();
    expect(identityIn(await underWay).blocked).toBe(true);
    expect(identityIn(atOnce('sk-a')).blocked).toBe(true);
  });

  test('is looked up anew when its team changes, and no other is', async () => {
    store.put('sk-a', { teamId: 't' }, newTeam('t'));
    store.put('sk-b', { teamId: 'u' }, newTeam('u'));
    await identities.find('sk-a');
    await identities.find('sk-b');
    store.put('sk-a', { teamId: 't' }, newTeam('t', { blocked: true }));
    identities.forget({ keys: new Set(), teams: new Set(['t']), users: new Set() });
    expect(identityIn(await identities.find('sk-a')).blocked).toBe(true);
    expect(atOnce('sk-b').kind).toBe('found');
    expect(store.asked).toBe(3);
  });

  test('that is unknown is remembered briefly, and not beyond the key being made', async () => {
    expect(await identities.find('sk-a')).toEqual({ kind: 'unknown' });
    expect(atOnce('sk-a')).toEqual({ kind: 'unknown' });
    expect(store.asked).toBe(1);
    store.put('sk-a');
    identities.forget({ keys: new Set([hashOf('sk-a')]), teams: new Set(), users: new Set() });
    expect((await identities.find('sk-a')).kind).toBe('found');
    expect(await identities.find('sk-b')).toEqual({ kind: 'unknown' });
    clock.advance(2_001);
    store.put('sk-b');
    expect((await identities.find('sk-b')).kind).toBe('found');
  });

  test.each([
    ['without sk-', 'no key of ours'],
    ['too long', `sk-${'x'.repeat(300)}`],
  ])('is never %s, so nobody is asked', (_, secret) => {
    expect(atOnce(secret)).toEqual({ kind: 'unknown' });
    expect(store.asked).toBe(0);
  });
});

describe('with the database away', () => {
  beforeEach(async () => {
    store.put('sk-a');
    await identities.find('sk-a');
    store.failure = away;
  });

  test('a cached key is served until its copy is too old, then it is unavailable and never unknown (S10)', async () => {
    clock.advance(FRESH_MS);
    expect((await identities.find('sk-a')).kind).toBe('found');
    clock.advance(MAX_STALE_MS - FRESH_MS);
    expect((await identities.find('sk-a')).kind).toBe('found');
    clock.advance(1);
    expect((await identities.find('sk-a')).kind).toBe('unavailable');
  });

  test('an unknown key is unavailable, never unknown (S10)', async () => {
    expect((await identities.find('sk-new')).kind).toBe('unavailable');
    expect((await identities.find('sk-new')).kind).toBe('unavailable');
  });

  test('the store is left in peace for a second after each failure, and asked again then', async () => {
    await identities.find('sk-new');
    const asked = store.asked;
    for (let n = 0; n < 50; n += 1) await identities.find(`sk-${n}`);
    expect(store.asked).toBe(asked);
    store.failure = null;
    clock.advance(1_000);
    expect(await identities.find('sk-new')).toEqual({ kind: 'unknown' });
    expect((await identities.find('sk-a')).kind).toBe('found');
  });

  test('a store that hangs does not hold up a key of which there is a copy', async () => {
    store.gate = new Promise(() => undefined);
    clock.advance(FRESH_MS);
    expect((await identities.find('sk-a')).kind).toBe('found');
  });

  test('one row that cannot be read is unavailable and stops no other lookup', async () => {
    store.failure = new DatabaseError('fault', 'a stored key cannot be read: metadata');
    expect((await identities.find('sk-bad')).kind).toBe('unavailable');
    store.failure = null;
    store.put('sk-good');
    expect((await identities.find('sk-good')).kind).toBe('found');
  });
});

describe('the principal of a key', () => {
  const principalOf = async (key: Partial<NewKey>, team: NewTeamRecord | null = null) => {
    store.put('sk-p', { ...key, teamId: team?.teamId ?? null }, team);
    return identityIn(await identities.find('sk-p'));
  };

  test('has the facts that an administrator set, as trusted ones (M7)', async () => {
    const { policy } = await principalOf(
      {
        alias: { value: 'prod', setBy: ADMIN },
        userId: 'u',
        protection: {
          tags: { value: ['pii', 'pii'], setBy: ADMIN },
          policies: { value: ['strict'], setBy: ADMIN },
          guardrails: { value: ['mask'], setBy: ADMIN },
          opted_out_global_guardrails: { value: ['toxicity'], setBy: ADMIN },
          disable_global_guardrails: { value: true, setBy: ADMIN },
          permissions: { value: { client_policies: false }, setBy: ADMIN },
          allow_policy_versions: { value: true, setBy: ADMIN },
          model_aliases: { value: { small: 'of-key' }, setBy: ADMIN },
        },
      },
      newTeam('t', {
        protection: {
          tags: { value: ['eu'], setBy: ADMIN },
          permissions: { value: { client_guardrails: false }, setBy: ADMIN },
          model_aliases: { value: { small: 'of-team', big: 'of-team' }, setBy: ADMIN },
        },
      }),
    );
    expect(policy).toEqual({
      key_hash: hashOf('sk-p'),
      key_alias: { value: 'prod', trusted: true },
      team_id: 't',
      team_alias: 'alias of t',
      user_id: 'u',
      tags: [
        { value: 'pii', trusted: true, source: 'key' },
        { value: 'eu', trusted: true, source: 'team' },
      ],
      settings: [
        {
          source: 'key',
          policies: ['strict'],
          guardrails: ['mask'],
          opted_out_global_guardrails: ['toxicity'],
          disable_global_guardrails: true,
          client_guardrails: true,
          client_policies: false,
        },
        {
          source: 'team',
          policies: [],
          guardrails: [],
          opted_out_global_guardrails: [],
          disable_global_guardrails: false,
          client_guardrails: false,
          client_policies: true,
        },
      ],
      allow_policy_versions: true,
      model_aliases: { small: 'of-key', big: 'of-team' },
    });
    expect(heard.events).toEqual([]);
  });

  test.each([
    ['set by a user', USER],
    ['of nobody knows whom', null],
  ])('loses no protection to a value %s (M7, M9)', async (_, setBy) => {
    const { policy } = await principalOf({
      alias: { value: 'prod', setBy },
      protection: {
        tags: { value: ['internal'], setBy },
        policies: { value: ['lax'], setBy },
        guardrails: { value: ['mask'], setBy },
        opted_out_global_guardrails: { value: ['toxicity'], setBy },
        disable_global_guardrails: { value: true, setBy },
        permissions: { value: { client_guardrails: false }, setBy },
        allow_policy_versions: { value: true, setBy },
        model_aliases: { value: { small: 'big' }, setBy },
      },
    });
    expect(policy.key_alias).toEqual({ value: 'prod', trusted: false });
    expect(policy.tags).toEqual([{ value: 'internal', trusted: false, source: 'key' }]);
    expect(policy.settings).toEqual([
      {
        source: 'key',
        policies: [],
        guardrails: ['mask'],
        opted_out_global_guardrails: [],
        disable_global_guardrails: false,
        client_guardrails: false,
        client_policies: true,
      },
    ]);
    expect(policy).toMatchObject({ allow_policy_versions: false, model_aliases: {} });
    expect(heard.events).toEqual([
      {
        kind: 'values_ignored',
        object: 'key',
        id: hashOf('sk-p'),
        fields: expect.arrayContaining(['policies', 'disable_global_guardrails']),
      },
    ]);
  });

  test.each([
    ['nothing', [], [], null, null],
    ['a list', ['a', 'openai/*'], ['a'], ['a', 'openai/*'], ['a']],
    ['all-team-models', ['all-team-models'], ['a'], null, ['a']],
    ['all-proxy-models', ['all-proxy-models', 'a'], [], null, null],
    ['no-default-models', ['no-default-models'], [], [], null],
  ])('may call, with %s, what the reference means by it', async (_, keyModels, teamModels, ofKey, ofTeam) => {
    const identity = await principalOf({ models: keyModels }, newTeam('t', { models: teamModels }));
    expect(identity.keyModels).toEqual(ofKey);
    expect(identity.teamModels).toEqual(ofTeam);
  });

  test('that should have the models of its team, and has no team, has none', async () => {
    expect(await principalOf({ models: ['all-team-models'] })).toMatchObject({
      keyModels: [],
      teamModels: null,
    });
  });

  test('shows block and expiry as facts, for the gateway to refuse', async () => {
    const identity = await principalOf({ expiresAtMs: 5 }, newTeam('t', { blocked: true }));
    expect(identity).toMatchObject({ blocked: true, expiresAtMs: 5, role: 'internal_user' });
  });
});
