import { expect, test } from 'vitest';
import { describeWith } from '../../../../../e2e/support/needs.ts';
import { openDatabase } from '../../../src/storage/database.ts';
import { Cable } from '../../storage/cable.ts';
import { realClock, recorder, temporaryDatabase } from '../../storage/kit.ts';
import { openPolicyPlane, type PolicyPlane } from './plane.ts';

/** How many promotions race; the whole run is for a machine that has nothing else to do. */
const ROUNDS = process.env['PORTCULLIS_TEST_FULL'] === '1' ? 10_000 : 40;

const open = (url: string) => openDatabase({ dataDir: '/nowhere', url, clock: realClock, ...recorder() });

const setStatus = (plane: PolicyPlane, policy_id: string, version_status: string) =>
  plane.call('PUT /policies/:policy_id/status', { params: { policy_id }, body: { version_status } });

async function published(plane: PolicyPlane, policy_name: string, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const params = { policy_name };
    const draft = await plane.ok('POST /policies/name/:policy_name/versions', { params, body: {} });
    await setStatus(plane, draft.policy_id, 'published');
    ids.push(draft.policy_id);
  }
  return ids;
}

describeWith('DATABASE_URL_TEST', 'replicas that change at once', (url) => {
  test(`${ROUNDS} races of two promotions never leave zero or two production versions (V2, D-18, D-20)`, {
    timeout: ROUNDS * 2_000,
  }, async () => {
    const own = await temporaryDatabase(url);
    const databases = [await open(own.url), await open(own.url), await open(own.url)] as const;
    const [one, two] = [await openPolicyPlane(databases[0]), await openPolicyPlane(databases[1])];
    const watcher = databases[2].stores.policies;
    const first = await one.ok('POST /policies', { body: { policy_name: 'raced' } });
    const ids = await published(one, 'raced', 2);
    await setStatus(one, ids[0] ?? '', 'production');
    const watch = { isOver: false };
    const seen = new Set<number>();
    // Somebody looks all the time: no moment has another number than one.
    const watching = (async () => {
      while (!watch.isOver) {
        const versions = await watcher.policies({ name: 'raced' });
        seen.add(versions.filter(({ policy }) => policy.version_status === 'production').length);
      }
    })();
    const outcomes = new Map<string, number>();
    const all = [first.policy_id, ...ids];
    for (let round = 0; round < ROUNDS; round += 1) {
      const current = (await watcher.policies({ name: 'raced', status: 'production' }))[0]?.policy.policy_id;
      const [a, b] = all.filter((id) => id !== current);
      const answers = await Promise.all([
        setStatus(one, a ?? '', 'production'),
        setStatus(two, b ?? '', 'production'),
      ]);
      const outcome = answers
        .map(({ status }) => status)
        .toSorted((x, y) => x - y)
        .join();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    watch.isOver = true;
    await watching;
    expect([...seen]).toEqual([1]);
    // Both in some order, or one of them told that another was first.
    for (const outcome of outcomes.keys()) expect(['200,200', '200,409']).toContain(outcome);
    const { revision } = await watcher.head();
    const changes = await watcher.changesSince(0, revision + 10);
    expect(changes.map((entry) => entry.revision)).toEqual(
      Array.from({ length: revision }, (_, n) => revision - n),
    );
    expect(await databases[2].stores.audit.verify()).toMatchObject({ ok: true });
    await Promise.all(databases.map((database) => database.close()));
    await own.remove();
  });

  test('an attachment and the deletion of its policy never leave one without the other (D-28)', async () => {
    const own = await temporaryDatabase(url);
    const databases = [await open(own.url), await open(own.url)] as const;
    const [one, two] = [await openPolicyPlane(databases[0]), await openPolicyPlane(databases[1])];
    for (let round = 0; round < 15; round += 1) {
      const policy_name = `p-${round}`;
      await one.ok('POST /policies', { body: { policy_name } });
      const [attached, deleted] = await Promise.all([
        one.call('POST /policies/attachments', { body: { policy_name, scope: '*' } }),
        two.call('DELETE /policies/name/:policy_name/all-versions', { params: { policy_name } }),
      ]);
      expect([
        [200, 409],
        [404, 200],
      ]).toContainEqual([attached.status, deleted.status]);
    }
    await Promise.all(databases.map((database) => database.close()));
    await own.remove();
  });

  test('with the database away an attachment is never taken for valid, and questions are still answered (D-53, D-54)', async () => {
    const own = await temporaryDatabase(url);
    const cable = new Cable(own.url);
    await cable.plug();
    const database = await open(cable.url);
    const plane = await openPolicyPlane(database);
    await plane.ok('POST /policies', { body: { policy_name: 'p', guardrails_add: ['pii'] } });
    await plane.ok('POST /policies/attachments', { body: { policy_name: 'p', scope: '*' } });
    await cable.pull();
    const body = { policy_name: 'p', teams: ['nobody'] };
    const refused = await plane.call('POST /policies/attachments', { body });
    expect([refused.status, refused.body.error.portcullis_code]).toEqual([503, 'database_unavailable']);
    expect((await plane.call('GET /policies/list')).status).toBe(503);
    const answer = await plane.call('POST /policies/resolve', { body: { team_alias: 'x', model: 'gpt-5' } });
    expect(answer.body).toMatchObject({
      effective_guardrails: ['pii'],
      hypothetical: true,
      stored_lookup: 'unavailable',
    });
    expect((await plane.call('POST /policy/validate', { body: { policies: {} } })).status).toBe(200);
    await database.close();
    await own.remove();
  });
});
