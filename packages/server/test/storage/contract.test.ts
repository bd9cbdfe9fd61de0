import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { AuditEntry } from '../../src/ports/audit.ts';
import { type Database, DatabaseError, type PrincipalChange, type Stores } from '../../src/ports/database.ts';
import type { NewUserRecord } from '../../src/ports/users.ts';
import { openDatabase } from '../../src/storage/database.ts';
import {
  ADMIN,
  hashLike,
  newKey,
  newTeam,
  preparedDirectory,
  realClock,
  recorder,
  temporaryDatabase,
  USER,
} from './kit.ts';

/** What every database owes its users. One suite, run on each. */
interface Place {
  database: Database;
  /** A second door, for what no store can do: damage rows. */
  sql: Sql;
  reopen(): Promise<void>;
  release(): Promise<void>;
}

describe('storage on the embedded database', () => {
  suite(async () => {
    const directory = await preparedDirectory();
    const options = { dataDir: directory.path, url: null, clock: realClock, ...recorder(), ...LIMITS };
    const path = `${directory.path}/run/.s.PGSQL.5432`;
    const connect = () => postgres({ path, username: 'postgres', database: 'postgres', max: 1 });
    const place: Place = {
      database: await openDatabase(options),
      sql: connect(),
      async reopen() {
        await place.sql.end();
        await place.database.close();
        place.database = await openDatabase(options);
        place.sql = connect();
      },
      async release() {
        await place.sql.end();
        await place.database.close();
        directory.remove();
      },
    };
    return place;
  });
});

describeWith('DATABASE_URL_TEST', 'storage on PostgreSQL', (url) => {
  suite(async () => {
    const own = await temporaryDatabase(url);
    const options = { dataDir: '/nowhere', url: own.url, clock: realClock, ...recorder(), ...LIMITS };
    const place: Place = {
      database: await openDatabase(options),
      sql: postgres(own.url, { max: 1 }),
      async reopen() {
        await place.database.close();
        place.database = await openDatabase(options);
      },
      async release() {
        await place.sql.end();
        await place.database.close();
        await own.remove();
      },
    };
    return place;
  });
});

/** Long enough for a busy machine; one test waits until it is over. */
const LIMITS = { statementLimitMs: 2_000, transactionLimitMs: 2_000 };

function suite(open: () => Promise<Place>): void {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.release());

  const write = <T>(work: (stores: Stores) => Promise<T>) => place.database.transaction(work);

  describe('keys', () => {
    test('come back as they were written, provenance included (M9)', async () => {
      const team = newTeam('t-1', { protection: { tags: { value: ['eu'], setBy: ADMIN } } });
      const key = newKey('whole', {
        teamId: 't-1',
        userId: 'u-1',
        organizationId: 'o-1',
        models: ['gpt-5', 'openai/*', 'with,comma', 'with"quote'],
        metadata: { note: { nested: [1, null, 'ä🦀'] }, text: '"json"' },
        protection: {
          tags: { value: ['pii', 'eu'], setBy: ADMIN },
          guardrails: { value: ['pii-mask'], setBy: ADMIN },
          policies: { value: ['strict'], setBy: ADMIN },
          opted_out_global_guardrails: { value: ['toxicity'], setBy: ADMIN },
          disable_global_guardrails: { value: true, setBy: ADMIN },
          permissions: { value: { client_guardrails: false }, setBy: ADMIN },
          allow_policy_versions: { value: true, setBy: ADMIN },
          model_aliases: { value: { small: 'gpt-5-mini' }, setBy: USER },
        },
        expiresAtMs: 1_900_000_000_123,
      });
      await write(async ({ teams, keys }) => {
        expect(await teams.insert(team)).toBe('inserted');
        expect(await keys.insert(key)).toBe('inserted');
      });
      const { keys } = place.database.stores;
      expect(await keys.find(key.tokenHash)).toEqual({ ...key, ignored: [] });
      expect(await keys.findByAlias('whole')).toEqual({ ...key, ignored: [] });
      expect(await keys.findWithTeam(key.tokenHash)).toEqual({
        key: { ...key, ignored: [] },
        team: { ...team, ignored: [] },
        user: null,
        retiresAtMs: null,
      });
      expect(await keys.find(hashLike('nobody'))).toBeNull();
    });

    test('have one alias each, and a taken one is an answer, not a fault', async () => {
      await write(({ keys }) => keys.insert(newKey('taken')));
      await write(async ({ keys }) => {
        const alias = { value: 'taken', setBy: ADMIN };
        expect(await keys.insert(newKey('second', { alias }))).toBe('alias_taken');
        expect(await keys.insert(newKey('taken', { alias: null }))).toBe('token_taken');
        expect(await keys.insert(newKey('third', { alias: null }))).toBe('inserted');
        const moment = { updatedAtMs: 5, updatedBy: 'x' };
        expect(await keys.update(hashLike('third'), { alias, ...moment })).toBe('alias_taken');
        expect(await keys.update(hashLike('nobody'), { alias, ...moment })).toBe('alias_taken');
        expect(await keys.update(hashLike('nobody'), moment)).toBe('not_found');
      });
      expect((await place.database.stores.keys.find(hashLike('third')))?.alias).toBeNull();
    });

    test('change only in the fields that are given, and null clears', async () => {
      const key = newKey('partly', { models: ['a'], expiresAtMs: 5_000, metadata: { a: 1 } });
      await write(({ keys }) => keys.insert(key));
      await write(({ keys }) =>
        keys.update(key.tokenHash, {
          expiresAtMs: null,
          blocked: true,
          updatedAtMs: 7_000,
          updatedBy: 'bob',
        }),
      );
      expect(await place.database.stores.keys.find(key.tokenHash)).toEqual({
        ...key,
        expiresAtMs: null,
        blocked: true,
        updatedAtMs: 7_000,
        updatedBy: 'bob',
        ignored: [],
      });
    });

    test('are gone after deletion, and a missing one is not named', async () => {
      await write(({ keys }) => keys.insert(newKey('leaving')));
      const gone = await place.database.transaction(({ keys }) =>
        keys.delete([hashLike('leaving'), hashLike('nobody')]),
      );
      expect(gone).toEqual([hashLike('leaving')]);
      expect(await place.database.stores.keys.find(hashLike('leaving'))).toBeNull();
    });

    test('are on exactly one page of a list each', async () => {
      await write(async ({ keys }) => {
        for (let n = 0; n < 7; n += 1)
          await keys.insert(newKey(`page-${n}`, { userId: 'pager', alias: null }));
      });
      const seen: string[] = [];
      for (let offset = 0; offset < 9; offset += 3) {
        const page = await place.database.stores.keys.list({
          filter: { userId: 'pager' },
          sortBy: 'key_alias',
          descending: true,
          offset,
          limit: 3,
        });
        expect(page.total).toBe(7);
        seen.push(...page.keys.map((key) => key.tokenHash));
      }
      expect(new Set(seen).size).toBe(7);
      expect(seen).toHaveLength(7);
    });

    test('cannot point to a team that is not there', async () => {
      const attempt = write(({ keys }) => keys.insert(newKey('lost', { teamId: 'nowhere' })));
      await expect(attempt).rejects.toMatchObject({ kind: 'conflict' });
    });
  });

  describe('teams', () => {
    test('come back as they were written and may share an alias (D-48)', async () => {
      const alias = { value: 'same', setBy: ADMIN };
      const member = { role: 'user', user_id: 'm-1', user_email: null } as const;
      const one = newTeam('same-1', { alias, members: [member], models: ['m'] });
      const two = newTeam('same-2', { alias, organizationId: 'o' });
      await write(async ({ teams }) => {
        expect(await teams.insert(one)).toBe('inserted');
        expect(await teams.insert(two)).toBe('inserted');
        expect(await teams.insert(two)).toBe('id_taken');
      });
      const { teams } = place.database.stores;
      expect(await teams.find('same-1')).toEqual({ ...one, ignored: [] });
      expect((await teams.list({ memberUserId: 'm-1' })).map((team) => team.teamId)).toEqual(['same-1']);
      expect((await teams.list({ organizationId: 'o' })).map((team) => team.teamId)).toEqual(['same-2']);
    });

    test('have their keys found together', async () => {
      await write(async ({ teams, keys }) => {
        for (const id of ['ka', 'kb']) await teams.insert(newTeam(id));
        await keys.insert(newKey('ka-1', { teamId: 'ka', createdAtMs: 2 }));
        await keys.insert(newKey('ka-2', { teamId: 'ka', createdAtMs: 1 }));
        await keys.insert(newKey('kb-1', { teamId: 'kb', createdAtMs: 3 }));
      });
      const names = async (ids: string[]) =>
        (await place.database.stores.keys.ofTeams(ids)).map((key) => key.alias?.value);
      expect(await names(['ka', 'kb'])).toEqual(['ka-2', 'ka-1', 'kb-1']);
      expect(await names([])).toEqual([]);
    });
  });

  describe('a replaced key', () => {
    const at = { updatedAtMs: 1_800_000_000_000, updatedBy: 'alice' };
    const replacement = (name: string, oldUntilMs: number | null) => ({
      tokenHash: hashLike(name),
      keyName: 'sk-...new',
      oldUntilMs,
      ...at,
    });

    test('is found by the new hash, keeps its account, and the old hash leads to it for a while', async () => {
      const old = newKey('old-key', { limits: { max_budget: 1, model_rpm_limit: { gpt: 2 } } });
      await write(({ keys }) => keys.insert(old));
      const outcome = await write(({ keys }) => keys.replace(old.tokenHash, replacement('new-key', 99_000)));
      expect(outcome).toBe('replaced');
      const { keys } = place.database.stores;
      expect(await keys.find(old.tokenHash)).toBeNull();
      const found = await keys.find(hashLike('new-key'));
      expect(found).toMatchObject({ accountId: old.tokenHash, limits: old.limits, keyName: 'sk-...new' });
      expect(await keys.findWithTeam(old.tokenHash)).toMatchObject({ key: found, retiresAtMs: 99_000 });
      expect(await keys.findWithTeam(hashLike('new-key'))).toMatchObject({ key: found, retiresAtMs: null });
    });

    test('ends what was left of the keys before it, and so does its deletion', async () => {
      await write(({ keys }) => keys.replace(hashLike('new-key'), replacement('newer-key', 99_000)));
      const { keys } = place.database.stores;
      expect(await keys.findWithTeam(hashLike('old-key'))).toBeNull();
      expect(await keys.findWithTeam(hashLike('new-key'))).not.toBeNull();
      await write(({ keys }) => keys.delete([hashLike('newer-key')]));
      expect(await keys.findWithTeam(hashLike('new-key'))).toBeNull();
    });

    test('takes no hash that another key has or had', async () => {
      await write(async ({ keys }) => {
        await keys.insert(newKey('mover', { alias: null }));
        await keys.insert(newKey('holder', { alias: null }));
        expect(await keys.replace(hashLike('mover'), replacement('holder', null))).toBe('token_taken');
        expect(await keys.replace(hashLike('nobody'), replacement('fresh', null))).toBe('not_found');
      });
    });
  });

  describe('users', () => {
    const newUser = (userId: string, over: Partial<NewUserRecord> = {}): NewUserRecord => ({
      userId,
      email: `${userId}@example.com`,
      alias: null,
      role: 'internal_user',
      passwordHash: null,
      models: [],
      metadata: {},
      limits: {},
      createdAtMs: 1_700_000_000_000,
      createdBy: 'alice',
      updatedAtMs: 1_700_000_000_000,
      updatedBy: 'alice',
      ...over,
    });

    test('come back as they were written, without the hash of the password', async () => {
      const user = newUser('whole', {
        alias: 'Whole',
        role: 'proxy_admin_viewer',
        passwordHash: 'scrypt$x',
        models: ['gpt-5'],
        metadata: { a: [1] },
        limits: { max_budget: 2.5, budget_duration: '1d', budget_period_ms: 86_400_000, budget_since: 7 },
      });
      expect(await write(({ users }) => users.insert(user))).toBe('inserted');
      const { passwordHash, ...rest } = user;
      const { users } = place.database.stores;
      expect(await users.find('whole')).toEqual({ ...rest, hasPassword: true, ssoSubject: null });
      expect(await users.findByEmail('WHOLE@example.com')).toMatchObject({ userId: 'whole' });
      expect(await users.passwordHash('whole')).toBe(passwordHash);
    });

    test('have one id and one address each, and a taken one is an answer, not a fault', async () => {
      await write(async ({ users }) => {
        expect(await users.insert(newUser('first'))).toBe('inserted');
        expect(await users.insert(newUser('first', { email: null }))).toBe('id_taken');
        expect(await users.insert(newUser('second', { email: 'FIRST@example.com' }))).toBe('email_taken');
        expect(await users.insert(newUser('third', { email: null }))).toBe('inserted');
        const at = { updatedAtMs: 1, updatedBy: 'alice' };
        expect(await users.update('third', { email: 'first@example.com', ...at })).toBe('email_taken');
        expect(await users.update('nobody', at)).toBe('not_found');
      });
    });

    test('are part of what an identity is made of, and a change of one is told (S10)', async () => {
      const changes: PrincipalChange[] = [];
      place.database.onPrincipalChange((change) => changes.push(change));
      await write(async ({ users, keys }) => {
        await users.insert(newUser('owner'));
        await keys.insert(newKey('owned', { userId: 'owner' }));
        await keys.insert(newKey('unregistered', { userId: 'somebody' }));
      });
      const { keys } = place.database.stores;
      expect(await keys.findWithTeam(hashLike('owned'))).toMatchObject({ user: { userId: 'owner' } });
      expect(await keys.findWithTeam(hashLike('unregistered'))).toMatchObject({ user: null });
      expect(await keys.ofUsers(['owner'])).toMatchObject([{ keyName: 'sk-...wned' }]);
      await write(({ users }) => users.update('owner', { models: ['m'], updatedAtMs: 1, updatedBy: 'a' }));
      expect(changes.at(-1)?.users).toEqual(new Set(['owner']));
    });

    test('are on exactly one page of a list each; a part of an address is no pattern', async () => {
      await write(async ({ users }) => {
        for (const name of ['p_1', 'p_2', 'px3']) await users.insert(newUser(name));
      });
      const { users } = place.database.stores;
      const page = (offset: number, email: string) =>
        users.list({ filter: { email }, sortBy: 'user_id', descending: false, offset, limit: 1 });
      expect(await page(0, 'P_')).toMatchObject({ users: [{ userId: 'p_1' }], total: 2 });
      expect(await page(1, 'P_')).toMatchObject({ users: [{ userId: 'p_2' }], total: 2 });
      expect(await write(({ users }) => users.delete(['p_1', 'nobody']))).toEqual(['p_1']);
    });
  });

  describe('spending', () => {
    test('adds up, also when many write at once, and begins anew with a later period', async () => {
      const { spend } = place.database.stores;
      const add = (nano: number, sinceMs = 0) => spend.add(new Map([['key:sum', { nano, sinceMs }]]));
      await Promise.all(Array.from({ length: 20 }, () => add(3)));
      expect((await spend.read(['key:sum', 'key:nobody'])).get('key:sum')).toEqual({ nano: 60, sinceMs: 0 });
      expect((await add(5, 1_000)).get('key:sum')).toEqual({ nano: 5, sinceMs: 1_000 });
      // What belongs to the period before and comes late is not lost.
      expect((await add(2, 0)).get('key:sum')).toEqual({ nano: 7, sinceMs: 1_000 });
      await spend.delete(['key:sum']);
      expect(await spend.read(['key:sum'])).toEqual(new Map());
    });

    test('counts beyond what 32 bits hold', async () => {
      const { spend } = place.database.stores;
      const nano = 5_000_000 * 1_000_000_000;
      await spend.add(new Map([['key:rich', { nano, sinceMs: 0 }]]));
      expect((await spend.add(new Map([['key:rich', { nano: 1, sinceMs: 0 }]]))).get('key:rich')?.nano).toBe(
        nano + 1,
      );
    });
  });

  test('limits that cannot be read make the row a fault, because to ignore one would be to lift it', async () => {
    await write(({ keys }) => keys.insert(newKey('bad-limits')));
    await place.sql`update portcullis.keys set limits = '{"rpm_limit": "many"}' where key_alias = 'bad-limits'`;
    await expect(place.database.stores.keys.find(hashLike('bad-limits'))).rejects.toMatchObject({
      kind: 'fault',
      message: expect.stringContaining('limits.rpm_limit'),
    });
    await place.sql`delete from portcullis.keys where key_alias = 'bad-limits'`;
  });

  describe('a transaction', () => {
    test('leaves nothing behind when it fails', async () => {
      const failing = write(async ({ keys }) => {
        await keys.insert(newKey('undone'));
        throw new RangeError('no');
      });
      // What is not the database's own failure comes out as it was thrown.
      await expect(failing).rejects.toThrow(RangeError);
      expect(await place.database.stores.keys.find(hashLike('undone'))).toBeNull();
    });

    test('is rolled back when its time is over, and its stores are then of no use', async () => {
      let late: Promise<unknown> | undefined;
      const slow = write(async ({ keys }) => {
        await keys.insert(newKey('too-late'));
        late = new Promise((resolve) => setTimeout(resolve, LIMITS.transactionLimitMs + 300)).then(() =>
          keys.insert(newKey('later-still')),
        );
        await late;
      });
      await expect(slow).rejects.toMatchObject({ kind: 'timeout' });
      // Others go on at once.
      expect(await place.database.stores.keys.find(hashLike('too-late'))).toBeNull();
      await expect(late).rejects.toMatchObject({ kind: 'timeout' });
      expect(await place.database.stores.keys.find(hashLike('later-still'))).toBeNull();
    });

    test('tells which principals it changed, once it has ended (S10)', async () => {
      const heard: { keys: string[]; teams: string[] }[] = [];
      const listener = ({ keys, teams }: PrincipalChange) =>
        heard.push({ keys: [...keys], teams: [...teams] });
      place.database.onPrincipalChange(listener);
      await write(async ({ keys, teams }) => {
        await teams.insert(newTeam('told'));
        await keys.insert(newKey('told-1'));
        await keys.delete([hashLike('told-2')]);
        expect(heard).toEqual([]);
      });
      expect(heard).toEqual([{ keys: [hashLike('told-1'), hashLike('told-2')], teams: ['told'] }]);
      await write(({ keys }) => keys.find(hashLike('told-1')));
      expect(heard).toHaveLength(1);
    });

    test('is the only place where a principal can be changed', async () => {
      const outside = place.database.stores.keys.insert(newKey('outside'));
      await expect(outside).rejects.toThrow(DatabaseError);
      expect(await place.database.stores.keys.find(hashLike('outside'))).toBeNull();
    });

    test('that waits for a row sees what the one before it has written', async () => {
      await write(({ keys }) => keys.insert(newKey('counted', { metadata: { n: 0 } })));
      const add = () =>
        place.database.transaction(async ({ keys }) => {
          const key = await keys.findForUpdate(hashLike('counted'));
          const n = Number(key?.metadata['n']) + 1;
          await keys.update(hashLike('counted'), { metadata: { n }, updatedAtMs: n, updatedBy: 'x' });
        });
      await Promise.all(Array.from({ length: 8 }, add));
      expect((await place.database.stores.keys.find(hashLike('counted')))?.metadata).toEqual({ n: 8 });
    });
  });

  describe('malformed values in stored rows', () => {
    test('are ignored one by one and named; the rest of the row stays (O3, D-96)', async () => {
      await write(({ keys }) =>
        keys.insert(newKey('damaged', { protection: { tags: { value: ['eu'], setBy: ADMIN } } })),
      );
      const damage = {
        tags: { value: ['eu'], setBy: ADMIN },
        policies: { value: 'not a list', setBy: ADMIN },
        opted_out_global_guardrails: ['no provenance, no value'],
        guardrails: { value: ['g'], setBy: { by: 'x', role: 'emperor', atMs: 1 } },
      };
      await place.sql`update portcullis.keys set protection = ${place.sql.json(damage as never)}, metadata = '{"disable_global_guardrails": "yes"}' where key_alias = 'damaged'`;
      const key = await place.database.stores.keys.find(hashLike('damaged'));
      expect(key?.ignored).toEqual([
        'policies',
        'opted_out_global_guardrails',
        'metadata.disable_global_guardrails',
      ]);
      expect(key?.protection).toEqual({
        tags: { value: ['eu'], setBy: ADMIN },
        guardrails: { value: ['g'], setBy: null },
      });
    });

    test('of the reference inside metadata count as written by nobody (M7, D-08, D-69)', async () => {
      await write(({ teams }) => teams.insert(newTeam('imported')));
      const metadata = {
        guardrails: { modify_guardrails: false },
        disable_global_guardrail: true,
        tags: ['a'],
        cost_center: 7,
      };
      await place.sql`update portcullis.teams set metadata = ${place.sql.json(metadata)} where team_id = 'imported'`;
      const team = await place.database.stores.teams.find('imported');
      expect(team?.ignored).toEqual([]);
      expect(team?.metadata).toEqual({ cost_center: 7 });
      expect(team?.protection).toEqual({
        permissions: { value: { client_guardrails: false }, setBy: null },
        disable_global_guardrails: { value: true, setBy: null },
        tags: { value: ['a'], setBy: null },
      });
    });

    test('that make a row unreadable are a fault that names the column and no value', async () => {
      await write(({ keys }) => keys.insert(newKey('broken')));
      await place.sql`update portcullis.keys set metadata = '["secret value"]' where key_alias = 'broken'`;
      const reading = place.database.stores.keys.find(hashLike('broken'));
      await expect(reading).rejects.toMatchObject({
        kind: 'fault',
        message: 'a stored key cannot be read: metadata',
      });
    });
  });

  describe('the audit log', () => {
    const entry = (id: string, over: Partial<AuditEntry> = {}): AuditEntry => ({
      atMs: 1_700_000_000_001,
      actor: { by: 'alice', role: 'proxy_admin' },
      action: 'key.generate',
      object: { type: 'key', id },
      before: null,
      after: { b: 1, a: { d: [1], c: 'ä' } },
      refused: null,
      callId: 'call',
      ...over,
    });

    test('has no gaps under concurrent writers, and none after a failure (V10)', async () => {
      const { audit } = place.database.stores;
      const before = (await audit.list({ limit: 1 }))[0]?.number ?? 0;
      const writers = Array.from({ length: 6 }, (_, n) =>
        place.database
          .transaction(async (stores) => {
            await stores.audit.append(entry(`w${n}`));
            if (n === 2) throw new RangeError('undone');
          })
          .catch(() => undefined),
      );
      await Promise.all(writers);
      const entries = await audit.list({ limit: 5 });
      expect(entries.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1].map((n) => before + n));
      expect(await audit.verify()).toMatchObject({ ok: true, count: before + 5 });
    });

    test('shows an edited, a deleted and a cut off row (V10)', async () => {
      const { audit } = place.database.stores;
      await place.database.transaction(async (stores) => {
        for (const id of ['x', 'y', 'z']) await stores.audit.append(entry(id));
      });
      const last = (await audit.list({ limit: 1 }))[0]?.number ?? 0;
      await place.sql`update portcullis.audit_log set actor = 'mallory' where number = ${last - 1}`;
      expect(await audit.verify()).toMatchObject({ ok: false, number: last - 1 });
      await place.sql`update portcullis.audit_log set actor = 'alice' where number = ${last - 1}`;
      expect(await audit.verify()).toMatchObject({ ok: true });
      await place.sql`delete from portcullis.audit_log where number = ${last}`;
      expect(await audit.verify()).toMatchObject({ ok: false, number: last });
      await place.sql`update portcullis.audit_log set number = ${last} where number = ${last - 1}`;
      expect(await audit.verify()).toMatchObject({ ok: false, number: last - 1 });
    });
  });

  test('what was written is there after closing and opening again', async () => {
    await write(({ keys }) => keys.insert(newKey('kept')));
    await place.reopen();
    expect(await place.database.stores.keys.find(hashLike('kept'))).toMatchObject({ keyName: 'sk-...kept' });
  });

  test('a closed database says that it is closed', async () => {
    await place.reopen();
    await place.database.close();
    await expect(place.database.stores.keys.find(hashLike('kept'))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    await place.database.close();
  });
}
