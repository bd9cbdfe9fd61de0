import { attachmentSchema, policySchema, type VersionStatus } from '@portcullis/policy';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { Database, Stores } from '../../src/ports/database.ts';
import {
  type StoredAttachment,
  type StoredGuardrail,
  type StoredPolicy,
  UnreadableRowsError,
} from '../../src/ports/policy-store.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { Cable } from './cable.ts';
import { realClock, recorder, temporaryDatabase, temporaryDirectory } from './kit.ts';

interface Place {
  database: Database;
  /** A second door, for what no store can do: damage rows. */
  sql: Sql;
  release(): Promise<void>;
}

describe('policies on the embedded database', () => {
  suite(async () => {
    const directory = temporaryDirectory();
    const database = await openDatabase({
      dataDir: directory.path,
      url: null,
      clock: realClock,
      ...recorder(),
    });
    const path = `${directory.path}/run/.s.PGSQL.5432`;
    const sql = postgres({ path, username: 'postgres', database: 'postgres', max: 1 });
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

describeWith('DATABASE_URL_TEST', 'policies on PostgreSQL', (url) => {
  suite(async () => {
    const own = await temporaryDatabase(url);
    const database = await openDatabase({
      dataDir: '/nowhere',
      url: own.url,
      clock: realClock,
      ...recorder(),
    });
    const sql = postgres(own.url, { max: 1 });
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

  test('a replica hears of a change at once, also after its connection was lost (S5, D-30)', async () => {
    const own = await temporaryDatabase(url);
    const cable = new Cable(own.url);
    await cable.plug();
    const open = (address: string) =>
      openDatabase({ dataDir: '/nowhere', url: address, clock: realClock, ...recorder() });
    const [writer, replica] = [await open(own.url), await open(cable.url)];
    const heard: number[] = [];
    const stop = await replica.documents.listen((revision) => heard.push(revision));
    const first = await change(writer, async ({ policies }, revision) => {
      await policies.putPolicy(revision, version('told', 1));
    });
    await expect.poll(() => heard).toContain(first);

    await cable.pull();
    const missed = await change(writer, async ({ policies }, revision) => {
      await policies.putPolicy(revision, version('told', 2));
    });
    await cable.plug();
    // What was missed in the gap is made up for when listening begins again.
    await expect.poll(() => heard, { timeout: 15_000 }).toContain(missed);
    const later = await change(writer, async ({ policies }, revision) => {
      await policies.putPolicy(revision, version('told', 3));
    });
    await expect.poll(() => heard, { timeout: 15_000 }).toContain(later);

    await stop();
    await Promise.all([writer.close(), replica.close()]);
    await cable.pull();
    await own.remove();
  });
});

const moments = {
  createdAtMs: 1_700_000_000_000,
  createdBy: 'alice',
  updatedAtMs: 1_700_000_000_000,
  updatedBy: 'alice',
};

function version(
  name: string,
  number: number,
  status: VersionStatus = 'draft',
  over: Partial<StoredPolicy> = {},
): StoredPolicy {
  const policy = policySchema.parse({
    policy_id: `${name}-${number}`,
    policy_name: name,
    version_number: number,
    version_status: status,
    definition_location: 'db',
    description: 'ä🦀 "quoted"',
    guardrails_add: ['a', 'b,c'],
    condition: { model: { regex: 'gpt-.*' } },
    pipeline: { mode: 'post_call', steps: [{ guardrail: 'a', on_pass: 'next' }] },
  });
  return {
    policy,
    parentVersionId: number === 1 ? null : `${name}-${number - 1}`,
    note: 'why',
    publishedAtMs: status === 'draft' ? null : 1_700_000_001_234,
    productionAtMs: null,
    ...moments,
    ...over,
  };
}

function attached(id: string, fields: object): StoredAttachment {
  const attachment = attachmentSchema.parse({
    attachment_id: id,
    policy_name: 'whole',
    definition_location: 'db',
    ...fields,
  });
  return { attachment, ...moments };
}

const guardrail: StoredGuardrail = {
  guardrail: {
    guardrail_id: 'g-1',
    guardrail_name: 'pii',
    litellm_params: {
      guardrail: 'content_filter',
      mode: ['pre_call'],
      default_on: true,
      opt_out: true,
      enforcement: 'enforce',
      priority: null,
      weight: 1,
      scan: null,
      unscanned: null,
      request_params: [],
      timeout: null,
      on_error: null,
      fail_on_error: null,
      unreachable_fallback: null,
      streaming_mode: null,
      api_key: 'encrypted:abc',
    },
    guardrail_info: { owner: 'x' },
    policy_template: null,
    definition_location: 'db',
  },
  ...moments,
};

function change(
  database: Database,
  work: (stores: Stores, revision: number) => Promise<unknown>,
): Promise<number> {
  return database.transaction(async (stores) => {
    const revision = await stores.policies.advance({ by: 'alice', callId: 'call', atMs: 5_000 });
    await work(stores, revision);
    return revision;
  });
}

function suite(open: () => Promise<Place>): void {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.release());
  const write = (work: (stores: Stores, revision: number) => Promise<unknown>) =>
    change(place.database, work);

  test('objects come back as they were written, from the tables and from the history (S4)', async () => {
    const { policies } = place.database.stores;
    const attachment = attached('att-1', {
      teams: ['t,1', 'b*'],
      tags: { any: ['x'], none: ['y'] },
      priority: 3,
    });
    const revision = await write(async (stores, revision) => {
      await stores.policies.putPolicy(revision, version('whole', 1, 'production'));
      await stores.policies.putPolicy(revision, version('whole', 2));
      await stores.policies.putAttachment(revision, attachment);
      await stores.policies.putGuardrail(revision, guardrail);
    });
    expect(await policies.policy('whole-1')).toEqual(version('whole', 1, 'production'));
    expect(await policies.policies({ name: 'whole' })).toEqual([
      version('whole', 2),
      version('whole', 1, 'production'),
    ]);
    expect(await policies.policies({ status: 'production' })).toEqual([version('whole', 1, 'production')]);
    expect(await policies.attachments({ policyName: 'whole' })).toEqual([attachment]);
    expect(await policies.attachment('att-1')).toEqual(attachment);
    expect(await policies.guardrails()).toEqual([guardrail]);
    expect(await policies.guardrail('g-1')).toEqual(guardrail);
    expect(await policies.policy('nobody')).toBeNull();
    expect(await place.database.documents.read(revision)).toEqual({
      revision,
      configDigest: null,
      policies: [version('whole', 1, 'production'), version('whole', 2)],
      attachments: [attachment],
      guardrails: [guardrail],
    });
  });

  test('every old revision stays readable as it was (S4)', async () => {
    const draft = version('kept', 1);
    const edited = { ...draft, note: 'edited' };
    const [made, changed, gone] = [
      await write(({ policies }, revision) => policies.putPolicy(revision, draft)),
      await write(({ policies }, revision) => policies.putPolicy(revision, edited)),
      await write(({ policies }, revision) => policies.deletePolicy(revision, 'kept-1')),
    ];
    const kept = async (revision: number) =>
      (await place.database.documents.read(revision)).policies.filter(
        ({ policy }) => policy.policy_name === 'kept',
      );
    expect(await kept(made - 1)).toEqual([]);
    expect(await kept(made)).toEqual([draft]);
    expect(await kept(changed)).toEqual([edited]);
    expect(await kept(gone)).toEqual([]);
    await expect(place.database.documents.read(gone + 1)).rejects.toThrow(`no revision ${gone + 1}`);
  });

  test('a reading of many objects is whole across its pages', async () => {
    const revision = await write(async ({ policies }, revision) => {
      for (let n = 0; n < 1_005; n += 1) {
        await policies.putAttachment(revision, attached(`many-${n}`, { teams: [`team ${n}`] }));
      }
    });
    const { attachments } = await place.database.documents.read(revision);
    const many = attachments.filter(({ attachment }) => attachment.attachment_id.startsWith('many-'));
    expect(new Set(many.map(({ attachment }) => attachment.attachment_id)).size).toBe(1_005);
    await write(async ({ policies }, revision) => {
      for (let n = 0; n < 1_005; n += 1) await policies.deleteAttachment(revision, `many-${n}`);
    });
  });

  test('revisions have no gaps under concurrent writers, and none after a failure (S4)', async () => {
    const before = (await place.database.documents.head()).revision;
    const taken = await Promise.allSettled(
      Array.from({ length: 6 }, (_, n) =>
        write(async ({ policies }, revision) => {
          await policies.putPolicy(revision, version(`writer-${n}`, 1));
          if (n === 2) throw new RangeError('undone');
        }),
      ),
    );
    const revisions = taken.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect([...revisions].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5].map((n) => before + n));
    expect(await place.database.documents.head()).toMatchObject({ revision: before + 5 });
    expect(await place.database.stores.policies.policy('writer-2-1')).toBeNull();
  });

  test('numbers of deleted versions are never given again (D-20, D-79)', async () => {
    const { policies } = place.database.stores;
    expect(await policies.nextVersionNumber('counted')).toBe(1);
    await write(async (stores, revision) => {
      await stores.policies.putPolicy(revision, version('counted', 1));
      await stores.policies.putPolicy(revision, version('counted', 2));
      await stores.policies.deletePolicy(revision, 'counted-1');
      await stores.policies.deletePolicy(revision, 'counted-2');
    });
    expect(await policies.nextVersionNumber('counted')).toBe(3);
    expect(await policies.latestVersions(['counted', 'whole'])).toEqual(new Map([['whole', 2]]));
  });

  test('no two versions in production, and no number twice: the database itself refuses (V2, D-18, D-20)', async () => {
    await write(({ policies }, revision) => policies.putPolicy(revision, version('single', 1, 'production')));
    const second = write(({ policies }, revision) =>
      policies.putPolicy(revision, version('single', 2, 'production')),
    );
    await expect(second).rejects.toMatchObject({ kind: 'conflict', constraint: 'policies_one_production' });
    const twin = version('single', 1);
    const again = write(({ policies }, revision) =>
      policies.putPolicy(revision, { ...twin, policy: { ...twin.policy, policy_id: 'another' } }),
    );
    await expect(again).rejects.toMatchObject({ kind: 'conflict', constraint: 'policies_number_unique' });
  });

  test('the same attachment is made once, in whatever order its lists are (D-29)', async () => {
    const one = attached('same-1', { teams: ['a', 'b'], tags: ['t'] });
    const other = attached('same-2', { teams: ['b', 'a', 'b'], tags: { any: ['t'] } });
    await write(({ policies }, revision) => policies.putAttachment(revision, one));
    expect(await place.database.stores.policies.sameAttachment(other.attachment)).toBe('same-1');
    const twice = write(({ policies }, revision) => policies.putAttachment(revision, other));
    await expect(twice).rejects.toMatchObject({
      kind: 'conflict',
      constraint: 'policy_attachments_scope_unique',
    });
    await write(({ policies }, revision) => policies.deleteAttachment(revision, 'same-1'));
    expect(await place.database.stores.policies.sameAttachment(other.attachment)).toBeNull();
  });

  test('every row is on exactly one page, newest first (D-59)', async () => {
    await write(async ({ policies }, revision) => {
      for (let n = 0; n < 7; n += 1) {
        const createdAtMs = 1_900_000_000_000 + Math.floor(n / 3);
        await policies.putPolicy(revision, version(`page-${n}`, 1, 'published', { createdAtMs }));
      }
    });
    const seen: string[] = [];
    let after: { createdAtMs: number; id: string } | undefined;
    for (;;) {
      const page = await place.database.stores.policies.policies({
        status: 'published',
        limit: 3,
        ...(after === undefined ? {} : { after }),
      });
      const last = page.at(-1);
      if (last === undefined) break;
      seen.push(...page.map(({ policy }) => policy.policy_name));
      after = { createdAtMs: last.createdAtMs, id: last.policy.policy_id };
    }
    expect(seen.filter((name) => name.startsWith('page-'))).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((n) => `page-${n}`),
    );
    expect(await place.database.stores.policies.countPolicies({ status: 'published' })).toBe(seen.length);
  });

  test('an unreadable row is named by its id, and the reading fails instead of leaving it out (S2, D-74)', async () => {
    const revision = await write(({ policies }, revision) =>
      policies.putPolicy(revision, version('damaged', 1)),
    );
    await place.sql`update portcullis.policies set content = content || '{"gaurdrails": ["secret"]}' where policy_id = 'damaged-1'`;
    await place.sql`update portcullis.policy_history set document = jsonb_set(document, '{policy,guardrails_add}', '"secret"') where object_id = 'damaged-1'`;
    const { policies } = place.database.stores;
    const listing = await policies.policies({}).catch((error: unknown) => error);
    expect(listing).toBeInstanceOf(UnreadableRowsError);
    expect(listing).toMatchObject({
      kind: 'fault',
      rows: [{ object: 'policy', id: 'damaged-1', fields: ['gaurdrails'] }],
      message: expect.not.stringContaining('secret'),
    });
    await expect(policies.policy('damaged-1')).rejects.toThrow('damaged-1');
    expect(await policies.policy('whole-1')).not.toBeNull();
    await expect(place.database.documents.read(revision)).rejects.toMatchObject({
      rows: [{ object: 'policy', id: 'damaged-1', fields: ['policy.guardrails_add'] }],
    });
    // The last good revision is still there to be read.
    expect((await place.database.documents.read(revision - 1)).revision).toBe(revision - 1);
    await place.sql`delete from portcullis.policies where policy_id = 'damaged-1'`;
    await place.sql`delete from portcullis.policy_history where object_id = 'damaged-1'`;
  });

  test('the digest of the configuration belongs to a revision (S9)', async () => {
    const revision = await write(({ policies }) => policies.setConfigDigest('abc'));
    expect(await place.database.documents.head()).toEqual({ revision, configDigest: 'abc' });
    expect((await place.database.documents.read(revision)).configDigest).toBe('abc');
    expect((await place.database.documents.read(revision - 1)).configDigest).toBeNull();
    const next = await write(() => Promise.resolve());
    expect((await place.database.documents.read(next)).configDigest).toBe('abc');
  });

  test('says what was changed since a revision (V7)', async () => {
    const { revision: since } = await place.database.documents.head();
    await write(({ policies }, revision) => policies.putPolicy(revision, version('since', 1)));
    await write(async ({ policies }, revision) => {
      await policies.putPolicy(revision, version('since', 1, 'published'));
      await policies.putAttachment(revision, attached('since-a', { models: ['m'] }));
    });
    await write(({ policies }, revision) => policies.deletePolicy(revision, 'since-1'));
    const changes = await place.database.stores.policies.changesSince(since, 10);
    expect(changes.map(({ revision, objects }) => [revision - since, objects])).toEqual([
      [3, [{ object: 'policy', id: 'since-1', name: 'since', change: 'deleted' }]],
      [
        2,
        [
          { object: 'attachment', id: 'since-a', name: 'whole', change: 'created' },
          { object: 'policy', id: 'since-1', name: 'since', change: 'changed' },
        ],
      ],
      [1, [{ object: 'policy', id: 'since-1', name: 'since', change: 'created' }]],
    ]);
    expect(changes[0]).toMatchObject({ by: 'alice', callId: 'call', atMs: 5_000 });
    expect(await place.database.stores.policies.changesSince(since + 3, 10)).toEqual([]);
  });

  test('the way from an old revision to the current objects is what was changed on it', async () => {
    const { revision: since } = await place.database.documents.head();
    await write(async ({ policies }, revision) => {
      await policies.putPolicy(revision, version('way-kept', 1));
      await policies.putPolicy(revision, version('way-gone', 1));
    });
    const between = await write(({ policies }, revision) => policies.deletePolicy(revision, 'way-gone-1'));
    await write(({ policies }, revision) =>
      policies.putPolicy(revision, version('way-kept', 1, 'published')),
    );
    const { policies } = place.database.stores;
    expect(await policies.deltaSince(since)).toEqual({
      policies: [version('way-kept', 1, 'published')],
      attachments: [],
      guardrails: [],
      gone: [{ object: 'policy', id: 'way-gone-1' }],
    });
    expect((await policies.deltaSince(between)).gone).toEqual([]);
    const all = await policies.deltaSince(-1);
    const { revision } = await policies.head();
    const read = await place.database.documents.read(revision);
    expect(all.policies).toHaveLength(read.policies.length);
    expect(all.attachments).toHaveLength(read.attachments.length);
  });

  test('a change of this process is heard before its promise settles (S5)', async () => {
    const heard: number[] = [];
    const stop = await place.database.documents.listen((revision) => heard.push(revision));
    const revision = await write(() => Promise.resolve());
    expect(heard).toContain(revision);
    await stop();
    await write(() => Promise.resolve());
    expect(heard).not.toContain(revision + 1);
  });

  test('policies are written in transactions only', async () => {
    const outside = place.database.stores.policies.putPolicy(1, version('outside', 1));
    await expect(outside).rejects.toMatchObject({ kind: 'fault' });
    expect(await place.database.stores.policies.policy('outside-1')).toBeNull();
  });

  test('answers are kept for a retry and forgotten when they are old (V7)', async () => {
    const answer = { requestHash: 'h', status: 200, revision: 3, body: '{"b":1,"a":2}' };
    await place.database.transaction(({ idempotency }) => idempotency.keep('alice', 'k', answer, 1_000, 0));
    const { idempotency } = place.database.stores;
    expect(await idempotency.find('alice', 'k')).toEqual(answer);
    expect(await idempotency.find('bob', 'k')).toBeNull();
    await place.database.transaction((stores) => stores.idempotency.keep('alice', 'l', answer, 9_000, 5_000));
    expect(await idempotency.find('alice', 'k')).toBeNull();
  });
}
