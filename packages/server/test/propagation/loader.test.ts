import { describe, expect, test } from 'vitest';
import { DatabaseError } from '../../src/ports/database.ts';
import { SecretProblem } from '../../src/ports/guardrail-secrets.ts';
import { UnreadableRowsError } from '../../src/ports/policy-store.ts';
import { oneAtATime } from '../../src/snapshot/one-at-a-time.ts';
import {
  configuration,
  filter,
  loaderKit,
  policy,
  storedAttachment,
  storedGuardrail,
  storedPolicy,
} from './kit.ts';

const AWAY = new DatabaseError('unavailable', 'connection refused');

/** A loader that has put the first configuration in force. */
async function loaded(over: Parameters<typeof loaderKit>[0] = {}) {
  const kit = loaderKit(over);
  await kit.loader.configure(configuration('one'));
  return kit;
}

describe('a revision of the database', () => {
  test('is enforced with the configuration, and its number is that of the database (S4)', async () => {
    const { holder, documents, loader, names } = await loaded();
    expect(holder.current()?.revision).toBe(1);
    documents.commit({
      policies: [storedPolicy('p-1', 'stored', ['words-b'])],
      attachments: [storedAttachment('a-1', 'stored')],
    });
    await loader.sync();
    expect(holder.current()?.revision).toBe(2);
    expect(names()).toEqual(['from-yaml', 'stored']);
    expect(loader.status).toMatchObject({ state: 'in_force', origin: 'database', problem: null });
  });

  test('stands in for a policy of the file with the same name, which comes back when it goes (S7)', async () => {
    const { holder, documents, loader } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'from-yaml', ['words-b'])] });
    await loader.sync();
    const added = () => holder.current()?.policy.documents.policies[0]?.guardrails_add;
    expect(added()).toEqual(['words-b']);
    documents.commit({ policies: [] });
    await loader.sync();
    expect(added()).toEqual(['words-a']);
  });

  test('is read once for a burst of messages', async () => {
    const { holder, documents, loader } = await loaded();
    documents.reads.length = 0;
    for (let count = 0; count < 100; count += 1) {
      documents.commit({ policies: [storedPolicy(`p-${count}`, 'stored', ['words-b'])] });
      void loader.sync();
    }
    await loader.sync();
    expect(holder.current()?.revision).toBe(101);
    expect(documents.reads.length).toBeLessThanOrEqual(2);
  });
});

describe('D-01, D-74: what goes wrong while loading', () => {
  test('a database that is away empties nothing, and is caught up with when it is back', async () => {
    const { documents, loader, names, refusals } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    documents.failure = AWAY;
    await loader.sync();
    await loader.sync();
    expect(names()).toEqual(['from-yaml', 'stored']);
    expect(loader.status).toMatchObject({ state: 'database_away', revision: 2 });
    expect(loader.status.problem).toContain('connection refused');
    expect(loader.status.problemSinceMs).not.toBeNull();
    expect(refusals).toHaveLength(1);
    documents.failure = null;
    documents.commit({ policies: [] });
    await loader.sync();
    expect(loader.status).toMatchObject({
      state: 'in_force',
      revision: 3,
      problem: null,
      problemSinceMs: null,
    });
  });

  test('a poisoned row keeps the last good revision, and is named', async () => {
    const { documents, loader, names } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    const poisoned = documents.commit({ policies: [] });
    documents.spoilt.set(
      poisoned,
      new UnreadableRowsError([{ object: 'policy', id: 'p-9', fields: ['guardrails_ad'] }]),
    );
    await loader.sync();
    expect(names()).toEqual(['from-yaml', 'stored']);
    expect(loader.status).toMatchObject({ state: 'rejected', revision: 2, rejectedRevision: 3 });
    expect(loader.status.problem).toContain('policy p-9 (guardrails_ad)');
    // The next revision without it is loaded as if nothing had been.
    documents.commit({ policies: [] });
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'in_force', revision: 4, rejectedRevision: null });
  });

  test('a revision that does not compile keeps the last good one', async () => {
    const { documents, loader, names } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['no-such-guardrail'])] });
    await loader.sync();
    expect(names()).toEqual(['from-yaml']);
    expect(loader.status).toMatchObject({ state: 'rejected', revision: 1, rejectedRevision: 2 });
    expect(loader.status.problem).toContain('no-such-guardrail');
  });

  test('a secret that cannot be opened keeps the last good one, and names the guardrail', async () => {
    const { documents, loader } = await loaded({
      openGuardrail: ({ guardrail_name }) => {
        throw new SecretProblem(`The secret api_key of guardrail "${guardrail_name}" cannot be opened`);
      },
    });
    documents.commit({ guardrails: [storedGuardrail(filter('remote', 'x'))] });
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'rejected', revision: 1 });
    expect(loader.status.problem).toContain('guardrail "remote"');
  });

  test('a failed revision is not tried again at once, and is when it was repaired in place', async () => {
    const { documents, loader } = await loaded();
    const poisoned = documents.commit({ policies: [] });
    documents.spoilt.set(poisoned, new UnreadableRowsError([{ object: 'policy', id: 'p-9', fields: ['x'] }]));
    documents.reads.length = 0;
    await loader.sync();
    await loader.sync();
    expect(documents.reads).toEqual([2]);
    documents.spoilt.clear();
    await expect
      .poll(
        async () => {
          await loader.sync();
          return loader.status.revision;
        },
        { timeout: 5_000 },
      )
      .toBe(2);
  });

  test('a database that went back in time is not followed', async () => {
    const { documents, loader } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    documents.headIs = { revision: 0, configDigest: null };
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'rejected', revision: 2, rejectedRevision: 0 });
    expect(loader.status.problem).toContain('restored from a backup');
  });
});

test('D-02: before the first snapshot nothing is in force, and the status says so', async () => {
  const { holder, documents, loader } = loaderKit();
  documents.failure = AWAY;
  expect(loader.status).toMatchObject({ state: 'starting', revision: null });
  await loader.configure(configuration('one'));
  expect(holder.acquire()).toBeNull();
  expect(loader.inForce).toBeNull();
  expect(loader.status).toMatchObject({ state: 'database_away', revision: null });
});

test('D-32: a deleted version is gone from every map of the one snapshot', async () => {
  const { holder, documents, loader } = await loaded();
  documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
  await loader.sync();
  expect(holder.current()?.policy.production.has('stored')).toBe(true);
  documents.commit({ policies: [] });
  await loader.sync();
  const snapshot = holder.current()?.policy;
  expect(snapshot?.production.has('stored')).toBe(false);
  expect(snapshot?.documents.policies.some(({ policy_id }) => policy_id === 'p-1')).toBe(false);
  expect(JSON.stringify(snapshot?.documents)).not.toContain('p-1');
});

test('D-78: what the configuration file brings survives any number of syncs', async () => {
  const { documents, loader, holder, names } = await loaded();
  for (let count = 0; count < 50; count += 1) {
    documents.commit({ policies: count % 2 === 0 ? [] : [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    expect(names()).toContain('from-yaml');
    expect(holder.current()?.policy.documents.attachments.map(({ policy_name }) => policy_name)).toEqual([
      'from-yaml',
    ]);
  }
});

test('D-99: policies and attachments are of one revision, whatever happens while they are read', async () => {
  const { documents, loader, holder } = await loaded();
  const both = (name: string) => ({
    policies: [storedPolicy(`p-${name}`, name, ['words-b'])],
    attachments: [storedAttachment(`a-${name}`, name)],
  });
  documents.commit(both('first'));
  documents.meanwhile = () => {
    documents.meanwhile = null;
    documents.commit(both('second'));
  };
  await loader.sync();
  const held = () => {
    const { policies = [], attachments = [] } = holder.current()?.policy.documents ?? {};
    return [policies.at(-1)?.policy_name, attachments.at(-1)?.policy_name];
  };
  expect(held()).toEqual(['first', 'first']);
  await loader.sync();
  expect(held()).toEqual(['second', 'second']);
});

describe('D-30: waiting for a revision', () => {
  test('ends when it is enforced here', async () => {
    const { documents, loader, holder } = await loaded();
    const revision = documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    expect(await loader.ensureRevision(revision, 5_000)).toEqual({ kind: 'enforced' });
    expect(holder.current()?.revision).toBe(revision);
  });

  test('ends with the reason when it cannot be loaded, and when there is none', async () => {
    const { documents, loader } = await loaded();
    expect(await loader.ensureRevision(9, 5_000)).toMatchObject({ kind: 'refused' });
    const revision = documents.commit({ policies: [storedPolicy('p-1', 'stored', ['nothing'])] });
    expect(await loader.ensureRevision(revision, 5_000)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('nothing') as string,
    });
  });

  test('has an end when the database hangs', async () => {
    const { documents, loader } = await loaded();
    documents.head = () => new Promise(() => undefined);
    expect(await loader.ensureRevision(9, 20)).toEqual({ kind: 'late' });
  });
});

describe('S9: a configuration file', () => {
  test('takes a revision of its own, and the same file takes none', async () => {
    const { documents, loader } = await loaded();
    expect(documents.headIs).toEqual({ revision: 1, configDigest: 'one' });
    await loader.configure(configuration('one'));
    expect(documents.headIs.revision).toBe(1);
    expect(await loader.configure(configuration('two'))).toMatchObject({ ok: true, revision: 2 });
    expect(documents.headIs).toEqual({ revision: 2, configDigest: 'two' });
  });

  test('that another replica was faster with takes no second one', async () => {
    const { documents, loader } = await loaded();
    documents.meanwhile = () => {
      documents.meanwhile = null;
      documents.commit({}, 'two');
    };
    expect(await loader.configure(configuration('two'))).toMatchObject({ ok: true, revision: 2 });
    expect(loader.status).toMatchObject({ revision: 2, digest: 'two', state: 'in_force' });
    expect(documents.headIs.revision).toBe(2);
  });

  test('that does not go with the database takes none: the one before stays and follows the database', async () => {
    const { documents, loader, names } = await loaded();
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    const broken = configuration('two', { guardrails: [filter('words-a', 'alpha')] });
    expect(await loader.configure(broken)).toMatchObject({ ok: false });
    expect(documents.headIs.configDigest).toBe('one');
    expect(loader.status).toMatchObject({ state: 'config_refused', revision: 2, digest: 'one' });
    expect(loader.status.problem).toContain('words-b');
    documents.commit({
      policies: [storedPolicy('p-2', 'another', ['words-b'])],
    });
    await loader.sync();
    expect(names()).toContain('another');
    // It is used as soon as nothing stands against it.
    documents.commit({ policies: [] });
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'in_force', digest: 'two', problem: null });
  });

  test('of another replica is a mismatch that keeps the last matching snapshot', async () => {
    const { documents, loader, living, names } = await loaded();
    living.add('two');
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] }, 'two');
    await loader.sync();
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'config_mismatch', revision: 1, digest: 'one' });
    expect(names()).toEqual(['from-yaml']);
    expect(documents.headIs).toEqual({ revision: 2, configDigest: 'two' });
    // Nobody is left that has the other file, so this one is the newest again.
    living.clear();
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'in_force', revision: 3, digest: 'one' });
    expect(names()).toEqual(['from-yaml', 'stored']);
  });

  test('that cannot be read says so until a good one comes', async () => {
    const { loader } = await loaded();
    loader.refuseConfiguration('line 3 is no YAML');
    expect(loader.status).toMatchObject({
      state: 'config_refused',
      revision: 1,
      problem: 'line 3 is no YAML',
    });
    await loader.configure(configuration('one'));
    expect(loader.status).toMatchObject({ state: 'in_force', problem: null });
  });

  test('that was read while the database was away is taken over when it is back', async () => {
    const { documents, loader } = await loaded();
    documents.failure = AWAY;
    expect(await loader.configure(configuration('two'))).toMatchObject({ ok: false });
    expect(loader.status).toMatchObject({ state: 'database_away', digest: 'one' });
    documents.failure = null;
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'in_force', digest: 'two', revision: 2 });
  });
});

describe('S3: the last known good documents', () => {
  test('are on the disk before they are in force', async () => {
    const { documents, loader, lastGood, holder } = await loaded();
    const enforcedAtWrite: (number | undefined)[] = [];
    lastGood.onWrite = () => enforcedAtWrite.push(holder.current()?.revision);
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    expect(enforcedAtWrite).toEqual([1]);
    expect(lastGood.kept).toMatchObject({ kind: 'found', documents: { revision: 2, configDigest: 'one' } });
  });

  test('are enforced at start while the database is away, and looked at again when it is back', async () => {
    const before = await loaded();
    before.documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await before.loader.sync();

    const { documents, loader, lastGood, names } = loaderKit();
    lastGood.kept = before.lastGood.kept;
    documents.failure = AWAY;
    expect(await loader.restore(configuration('one'))).toBe('found');
    await loader.sync();
    expect(names()).toEqual(['from-yaml', 'stored']);
    expect(loader.status).toMatchObject({ revision: 2, origin: 'last_known_good', state: 'database_away' });

    for (const [revision, held] of before.documents.revisions) documents.revisions.set(revision, held);
    documents.headIs = before.documents.headIs;
    documents.failure = null;
    await loader.sync();
    expect(loader.status).toMatchObject({ revision: 2, origin: 'database', state: 'in_force' });
  });

  test('are not used with another configuration file, nor when they are refused', async () => {
    const before = await loaded();
    const { loader, lastGood, holder } = loaderKit();
    lastGood.kept = before.lastGood.kept;
    await loader.restore(configuration('two'));
    expect(holder.current()).toBeNull();
    expect(loader.status.lastGoodProblem).toContain('another configuration file');

    const other = loaderKit();
    other.lastGood.kept = { kind: 'refused', reason: 'the file is torn' };
    expect(await other.loader.restore(configuration('one'))).toBe('refused');
    expect(other.holder.current()).toBeNull();
    expect(other.loader.status.lastGoodProblem).toBe('the file is torn');
  });

  test('that cannot be written hold up nothing, and are a problem of their own', async () => {
    const { documents, loader, lastGood } = await loaded();
    lastGood.failure = new Error('no space left');
    documents.commit({ policies: [storedPolicy('p-1', 'stored', ['words-b'])] });
    await loader.sync();
    expect(loader.status).toMatchObject({ state: 'in_force', revision: 2, lastGoodProblem: 'no space left' });
  });
});

test('a configuration alone is revision 0, until the new database has given it one', async () => {
  const { holder, loader, lastGood } = loaderKit();
  expect(await loader.restore(configuration('one'))).toBe('none');
  await loader.loadAlone(configuration('one'));
  expect(holder.current()?.revision).toBe(0);
  expect(loader.status.origin).toBe('configuration');
  expect(lastGood.kept.kind).toBe('none');
  await loader.sync();
  expect(loader.status).toMatchObject({ revision: 1, origin: 'database' });
});

test('a request that began before a swap keeps its snapshot, which is freed after it', async () => {
  const { holder, documents, loader } = await loaded();
  const mine = holder.acquire();
  documents.commit({ policies: [policy('p', ['words-b'])].map(() => storedPolicy('p-1', 'stored', [])) });
  await loader.sync();
  expect(mine?.revision).toBe(1);
  expect(mine?.policy.production.has('stored')).toBe(false);
  if (mine !== null) holder.release(mine);
  expect(holder.current()?.revision).toBe(2);
});

test('work is done once at a time, and every caller gets a run that began after the call', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const work = oneAtATime(async () => {
    runs += 1;
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  });
  const first = work();
  await Promise.resolve();
  const calls = Array.from({ length: 10 }, () => work());
  await Promise.all([first, ...calls]);
  expect([runs, most]).toEqual([2, 1]);
});
