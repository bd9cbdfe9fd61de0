import { attachmentSchema, canonicalJson, policySchema, type VersionStatus } from '@portcullis/policy';
import { drizzle } from 'drizzle-orm/postgres-js';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../../../e2e/support/needs.ts';
import type { Database, Stores } from '../../src/ports/database.ts';
import {
  type StoredAttachment,
  type StoredDocuments,
  type StoredGuardrail,
  type StoredPolicy,
  UnreadableRowsError,
} from '../../src/ports/policy-store.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { documentSource } from '../../src/storage/documents.ts';
import { Notified } from '../../src/storage/notified.ts';
import { sessionOn } from '../../src/storage/session.ts';
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

interface Step {
  readonly kind: 'policy' | 'attachment' | 'guardrail';
  readonly action: 'put' | 'delete';
  readonly id: string;
  readonly text: string;
}

async function applied(
  policies: Stores['policies'],
  revision: number,
  { kind, action, id, text }: Step,
): Promise<void> {
  switch (kind) {
    case 'policy':
      if (action === 'delete') return policies.deletePolicy(revision, `${id}-1`);
      return policies.putPolicy(revision, version(id, 1, 'draft', { note: text }));
    case 'attachment':
      if (action === 'delete') return policies.deleteAttachment(revision, id);
      return policies.putAttachment(revision, attached(id, { teams: [id + encodeURIComponent(text)] }));
    case 'guardrail': {
      if (action === 'delete') return policies.deleteGuardrail(revision, id);
      const { guardrail: pattern } = guardrail;
      const named = { guardrail_id: id, guardrail_name: id, guardrail_info: { text } };
      return policies.putGuardrail(revision, { ...guardrail, guardrail: { ...pattern, ...named } });
    }
  }
}

/** Of everything that a snapshot is made of. */
function digestOf({ policies, attachments, guardrails }: StoredDocuments): string {
  return createHash('sha256').update(canonicalJson({ policies, attachments, guardrails })).digest('hex');
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
      alert_recipients: [],
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

  /** A reader that remembers nothing of what the others have read. */
  const reader = () => {
    const queries = drizzle(place.sql);
    const session = sessionOn(async () => queries, null, 10_000);
    return documentSource(session, new Notified(null, 'nothing', 10_000));
  };

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
      models: [],
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
      models: [],
      gone: [{ object: 'policy', id: 'way-gone-1' }],
    });
    expect((await policies.deltaSince(between)).gone).toEqual([]);
    const all = await policies.deltaSince(-1);
    const { revision } = await policies.head();
    const read = await place.database.documents.read(revision);
    expect(all.policies).toHaveLength(read.policies.length);
    expect(all.attachments).toHaveLength(read.attachments.length);
  });

  test('what is read as the way from an older revision is what a reading of everything gives (S1, S4)', async () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.record({
      kind: fc.constantFrom('policy', 'attachment', 'guardrail'),
      action: fc.constantFrom('put', 'put', 'delete'),
      id: ids,
      text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    });
    const many = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 6 });
    const there = new Set<string>();
    await fc.assert(
      fc.asyncProperty(many, fc.array(fc.nat({ max: 3 }), { maxLength: 6 }), async (commits, jumps) => {
        // One reader follows some of the commits; another one knows nothing but the last.
        const follower = reader();
        let last = 0;
        for (const [index, steps] of commits.entries()) {
          last = await write(async ({ policies }, revision) => {
            for (const { kind, action, id, text } of steps) {
              const key = `${kind} ${id}`;
              if (action === 'delete' && !there.has(key)) continue;
              if (action === 'put') there.add(key);
              else there.delete(key);
              await applied(policies, revision, { kind, action, id: `delta-${id}`, text });
            }
          });
          if ((jumps[index] ?? 0) > 0) await follower.read(last);
        }
        const whole = await reader().read(last);
        expect(digestOf(await follower.read(last))).toBe(digestOf(whole));
        expect(digestOf(await follower.read(last))).toBe(digestOf(whole));
      }),
      { numRuns: process.env['PORTCULLIS_TEST_STRICT'] === '1' ? 60 : 12 },
    );
  });

  test('a history that was exchanged behind a reader is read as a whole', async () => {
    const follower = reader();
    const first = await write(({ policies }, revision) =>
      policies.putPolicy(revision, version('exchanged', 1)),
    );
    await follower.read(first);
    // What no change does: a row of the past is another one, as in a database that was put back and went on.
    await place.sql.unsafe(
      `update portcullis.policy_history set object_id = 'exchanged-other', document = replace(document::text, 'exchanged-1', 'exchanged-other')::jsonb where object_id = 'exchanged-1'`,
    );
    const next = await write(() => Promise.resolve());
    const names = (await follower.read(next)).policies.map(({ policy }) => policy.policy_id);
    expect(names).not.toContain('exchanged-1');
    expect(names).toContain('exchanged-other');
    await place.sql.unsafe(`delete from portcullis.policy_history where object_id = 'exchanged-other'`);
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
