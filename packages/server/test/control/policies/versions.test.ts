import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, hashLike, newKey, newTeam } from '../../storage/kit.ts';
import {
  EMPTY_CONFIG,
  guardrail,
  openPlanes,
  type Planes,
  type PolicyPlane,
  yamlAttachments,
  yamlPolicies,
} from './plane.ts';

let planes: Planes;
let plane: PolicyPlane;
beforeAll(async () => {
  planes = await openPlanes();
});
beforeEach(async () => {
  plane = await planes.fresh();
});
afterAll(() => planes.close());

const create = (body: object) => plane.call('POST /policies', { body });
const made = (body: object) => plane.ok('POST /policies', { body });
const addVersion = (name: string, body: object = {}) =>
  plane.call('POST /policies/name/:policy_name/versions', { params: { policy_name: name }, body });
const version = async (name: string, body: object = {}) => (await addVersion(name, body)).body;
const edit = (id: string, body: object) =>
  plane.call('PUT /policies/:policy_id', { params: { policy_id: id }, body });
const setStatus = (id: string, version_status: string) =>
  plane.call('PUT /policies/:policy_id/status', { params: { policy_id: id }, body: { version_status } });
const promote = async (id: string) => {
  expect((await setStatus(id, 'published')).status).toBe(200);
  return setStatus(id, 'production');
};
const get = (id: string) => plane.call('GET /policies/:policy_id', { params: { policy_id: id } });
const list = (query: Record<string, string> = {}) => plane.call('GET /policies/list', { query });
const remove = (id: string, query: Record<string, string> = {}) =>
  plane.call('DELETE /policies/:policy_id', { params: { policy_id: id }, query });
const removeAll = (name: string, query: Record<string, string> = {}) =>
  plane.call('DELETE /policies/name/:policy_name/all-versions', { params: { policy_name: name }, query });
const versions = (name: string) =>
  plane.call('GET /policies/name/:policy_name/versions', { params: { policy_name: name } });
const rename = (name: string, new_name: string) =>
  plane.call('POST /policies/name/:policy_name/rename', {
    params: { policy_name: name },
    body: { new_name },
  });
const rollback = (name: string) =>
  plane.call('POST /policies/name/:policy_name/rollback', { params: { policy_name: name } });
const resolved = (id: string) =>
  plane.call('GET /policies/:policy_id/resolved-guardrails', { params: { policy_id: id } });
const attach = (body: object) => plane.ok('POST /policies/attachments', { body });

/** The fields at fault, as scripts of the reference find them. */
const places = (answer: { body: { detail: { loc: string[] }[] } }): string[] =>
  answer.body.detail.map(({ loc }) => loc.join('.'));
const statuses = async (name: string) =>
  (await versions(name)).body.versions.map((row: Record<string, unknown>) => [
    row['version_number'],
    row['version_status'],
  ]);
const audited = async () => (await plane.database.stores.audit.list({ limit: 100 })).toReversed();

describe('POST /policies', () => {
  test('makes version 1 in production, in the words of the reference (V3)', async () => {
    const answer = await create({
      policy_name: 'strict',
      description: 'why',
      guardrails_add: ['pii', 'toxicity'],
      guardrails_remove: null,
      condition: { model: 'gpt-.*' },
      pipeline: { mode: 'pre_call', steps: [{ guardrail: 'pii', on_pass: 'next' }] },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      policy_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      policy_name: 'strict',
      version_number: 1,
      version_status: 'production',
      parent_version_id: null,
      is_latest: true,
      published_at: null,
      production_at: '2026-01-01T00:00:00.000Z',
      inherit: null,
      description: 'why',
      guardrails_add: ['pii', 'toxicity'],
      guardrails_remove: [],
      condition: { model: 'gpt-.*' },
      created_at: '2026-01-01T00:00:00.000Z',
      created_by: 'default_user_id',
      updated_by: 'default_user_id',
      definition_location: 'db',
    });
    expect(answer.headers).toEqual({ 'x-portcullis-revision': '1' });
    expect(plane.snapshot()?.production.get('strict')?.list).toEqual(['pii', 'toxicity']);
  });

  test('makes a draft where the body or the setting says so (V3, D-24)', async () => {
    const asked = await made({ policy_name: 'one', version_status: 'draft' });
    expect(asked).toMatchObject({ version_status: 'draft', production_at: null });
    await plane.configure({ createAs: 'draft' });
    expect(await made({ policy_name: 'two' })).toMatchObject({ version_status: 'draft' });
    const production = await made({ policy_name: 'three', version_status: 'production' });
    expect(production).toMatchObject({ version_status: 'production' });
  });

  test('a taken name is 409, also when only a draft has it (D-20, V9)', async () => {
    await made({ policy_name: 'strict', version_status: 'draft' });
    const answer = await create({ policy_name: 'strict' });
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toBe("Policy with name 'strict' already exists");
    expect(answer.body.error.message).toBe(answer.body.detail);
  });

  test.each([
    [{ guardrails_add: ['pi'] }, 'body.guardrails_add.0'],
    [{ guardrails_remove: ['nobody'] }, 'body.guardrails_remove.0'],
    [{ inherit: 'nobody' }, 'body.inherit'],
    [{ inherit: 'strict' }, 'body.inherit'],
    [{ condition: { model: { regex: '(' } } }, 'body.condition.model.regex'],
    [{ pipeline: { steps: [] } }, 'body.pipeline.steps'],
    [{ pipeline: { steps: [{ guardrail: 'pii' }] } }, 'body.pipeline.steps.0.guardrail'],
    [{ gaurdrails_add: ['pii'] }, 'body.gaurdrails_add'],
    [{ version_status: 'published' }, 'body.version_status'],
    [{ guardrails_add: Array.from({ length: 201 }, () => 'pii') }, 'body.guardrails_add'],
    [{ description: 'x'.repeat(10_001) }, 'body.description'],
  ])('%j is 422 with the field, and nothing is made (I4, D-10, D-15, D-23, D-24)', async (fields, place) => {
    const answer = await create({ policy_name: 'strict', ...fields });
    expect(answer.status).toBe(422);
    expect(places(answer)).toContain(place);
    expect((await list()).body.total_count).toBe(0);
    expect((await plane.database.stores.policies.head()).revision).toBe(0);
  });

  test.each(['', 'a/b', 'x\ny', 'policy_abc', 'x'.repeat(257)])(
    'the name %j is 422 (D-33, D-93)',
    async (name) => {
      const answer = await create({ policy_name: name });
      expect(answer.status).toBe(422);
      expect(places(answer)).toEqual(['body.policy_name']);
    },
  );

  test('text in a name never chooses a status (D-21)', async () => {
    await made({ policy_name: 'unique constraint not found' });
    expect((await create({ policy_name: 'unique constraint not found' })).status).toBe(409);
    expect((await create({ policy_name: 'only draft not found', inherit: 'x' })).status).toBe(422);
  });

  test('a number of a deleted version is not given again (D-20, D-79)', async () => {
    await made({ policy_name: 'strict' });
    await version('strict');
    expect((await removeAll('strict')).body.deleted_versions).toBe(2);
    expect(await made({ policy_name: 'strict' })).toMatchObject({ version_number: 3, is_latest: true });
  });
});

describe('POST /policies/name/{policy_name}/versions', () => {
  test('copies the production version into a draft with the next number (D-19)', async () => {
    const first = await made({ policy_name: 'strict', guardrails_add: ['pii'], description: 'd' });
    const draft = await version('strict', { note: 'try' });
    expect(draft).toMatchObject({
      version_number: 2,
      version_status: 'draft',
      parent_version_id: first.policy_id,
      guardrails_add: ['pii'],
      description: 'd',
      note: 'try',
      is_latest: true,
    });
    // "Latest" is asked, not stored: the older row follows at once.
    expect((await get(first.policy_id)).body.is_latest).toBe(false);
  });

  test('copies the version that is named', async () => {
    await made({ policy_name: 'strict', guardrails_add: ['pii'] });
    const draft = await version('strict');
    await edit(draft.policy_id, { guardrails_add: ['secrets'] });
    const copy = await version('strict', { source_policy_id: draft.policy_id });
    expect(copy).toMatchObject({ guardrails_add: ['secrets'], parent_version_id: draft.policy_id });
  });

  test('drafts made at once get different numbers (D-19)', async () => {
    await made({ policy_name: 'strict' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => addVersion('strict')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    const numbers = answers.map(({ body }) => Number(body.version_number)).sort((a, b) => a - b);
    expect(numbers).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test.each([
    ['strict', { source_policy_id: 'nobody' }, 404, 'Source policy nobody not found'],
    ['nobody', {}, 404, "No production version found for policy 'nobody'"],
    ['draft-only', {}, 404, "No production version found for policy 'draft-only'"],
  ])('%s with %j is %i (D-21)', async (name, body, status, text) => {
    await made({ policy_name: 'strict' });
    await made({ policy_name: 'draft-only', version_status: 'draft' });
    const answer = await addVersion(name, body);
    expect([answer.status, answer.body.detail]).toEqual([status, text]);
  });

  test('a source of another policy is 400, not 500 (D-21)', async () => {
    await made({ policy_name: 'strict' });
    const other = await made({ policy_name: 'other' });
    const answer = await addVersion('strict', { source_policy_id: other.policy_id });
    expect([answer.status, answer.body.detail]).toEqual([
      400,
      "Source policy name 'other' does not match 'strict'",
    ]);
  });
});

describe('PUT /policies/{policy_id}', () => {
  test('changes given fields alone, and null clears (V4, D-25)', async () => {
    await made({ policy_name: 'base', guardrails_add: ['secrets'] });
    await made({
      policy_name: 'strict',
      inherit: 'base',
      description: 'd',
      guardrails_add: ['pii'],
      condition: { model: 'gpt-5' },
      pipeline: { steps: [{ guardrail: 'pii' }] },
    });
    const draft = await version('strict');
    const first = await edit(draft.policy_id, { description: 'new', guardrails_remove: null });
    expect(first.body).toMatchObject({ description: 'new', inherit: 'base', guardrails_add: ['pii'] });
    const cleared = await edit(draft.policy_id, {
      inherit: null,
      description: null,
      condition: null,
      pipeline: null,
    });
    expect(cleared.body).toMatchObject({
      inherit: null,
      description: null,
      condition: null,
      pipeline: null,
      guardrails_add: ['pii'],
      updated_at: expect.not.stringMatching(draft.updated_at),
    });
    expect((await edit(draft.policy_id, { guardrails_add: [] })).body.guardrails_add).toEqual([]);
  });

  test('a version that is not a draft is 400 in the words of the reference (V4, D-95)', async () => {
    const policy = await made({ policy_name: 'strict' });
    const answer = await edit(policy.policy_id, { description: 'x' });
    expect([answer.status, answer.body.detail]).toEqual([
      400,
      'Only draft versions can be updated. Publish or create a new version to change published/production.',
    ]);
  });

  test('a draft cannot be given the name of another policy (V5, D-26)', async () => {
    await made({ policy_name: 'strict' });
    await made({ policy_name: 'other' });
    const draft = await version('strict');
    const answer = await edit(draft.policy_id, { policy_name: 'other' });
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual(['body.policy_name']);
    expect((await edit(draft.policy_id, { policy_name: 'strict', description: 'x' })).status).toBe(200);
  });

  test('an edit that cannot be compiled is 422 with the cycle spelt out (I4, D-15)', async () => {
    await made({ policy_name: 'p' });
    await made({ policy_name: 'q', inherit: 'p' });
    const draft = await version('p');
    const answer = await edit(draft.policy_id, { inherit: 'q' });
    expect(answer.status).toBe(422);
    expect(answer.body.error.message).toContain('p -> q -> p');
    expect((await get(draft.policy_id)).body.inherit).toBeNull();
  });

  test('an unknown id is 404', async () => {
    const answer = await edit('nobody', { description: 'x' });
    expect([answer.status, answer.body.detail]).toEqual([404, 'Policy with ID nobody not found']);
  });
});

describe('PUT /policies/{policy_id}/status', () => {
  test('publishes, promotes and demotes by one table; the version before leaves production (V1, D-17, D-18)', async () => {
    const first = await made({ policy_name: 'strict', guardrails_add: ['pii'] });
    const draft = await version('strict');
    await edit(draft.policy_id, { guardrails_add: ['secrets'] });
    const published = (await setStatus(draft.policy_id, 'published')).body;
    expect(published).toMatchObject({ version_status: 'published', published_at: expect.any(String) });
    const production = (await setStatus(draft.policy_id, 'production')).body;
    expect(production).toMatchObject({
      version_status: 'production',
      published_at: published.published_at,
      production_at: expect.any(String),
    });
    expect(await statuses('strict')).toEqual([
      [2, 'production'],
      [1, 'published'],
    ]);
    expect((await get(first.policy_id)).body.production_at).toBe(first.production_at);
    expect(plane.snapshot()?.production.get('strict')?.list).toEqual(['secrets']);
    expect((await setStatus(draft.policy_id, 'published')).body.version_status).toBe('published');
    expect(plane.snapshot()?.production.has('strict')).toBe(false);
  });

  test('promotions that are asked for at once follow each other (V2, D-18)', async () => {
    await made({ policy_name: 'raced' });
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { policy_id } = await version('raced');
      await setStatus(policy_id, 'published');
      ids.push(policy_id);
    }
    const answers = await Promise.all(ids.map((id) => setStatus(id, 'production')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const production = (await list({ version_status: 'production' })).body.policies;
    expect(production).toHaveLength(1);
  });

  test.each([
    ['draft', 'production', 'Cannot promote draft directly to production. Publish the version first.'],
    ['draft', 'draft', "Invalid status 'draft'. Use 'published' or 'production'."],
    ['draft', 'archived', "Invalid status 'archived'. Use 'published' or 'production'."],
    ['published', 'published', "Only draft versions can be published. Current status: 'published'."],
    ['published', 'draft', "Invalid status 'draft'. Use 'published' or 'production'."],
    [
      'production',
      'production',
      "Only draft or published versions can be promoted to production. Current: 'production'.",
    ],
  ])('from %s to %s is 400 with the text of the reference (V1)', async (from, to, text) => {
    const policy = await made({
      policy_name: 'strict',
      version_status: from === 'production' ? 'production' : 'draft',
    });
    if (from === 'published') await setStatus(policy.policy_id, 'published');
    const answer = await setStatus(policy.policy_id, to);
    expect([answer.status, answer.body.detail]).toEqual([400, `Error updating version status: ${text}`]);
    expect((await get(policy.policy_id)).body.version_status).toBe(from);
  });

  test('an unknown id is 404, a missing status 422', async () => {
    const answer = await setStatus('nobody', 'published');
    expect([answer.status, answer.body.detail]).toEqual([
      404,
      'Error updating version status: Policy with ID nobody not found',
    ]);
    const empty = await plane.call('PUT /policies/:policy_id/status', { params: { policy_id: 'x' } });
    expect(empty.status).toBe(422);
  });

  test('promoting what would break a child is 422 and changes nothing (I4, I5, D-15)', async () => {
    await made({ policy_name: 'base', guardrails_add: ['pii'] });
    await made({ policy_name: 'child', inherit: 'base', guardrails_remove: ['pii'] });
    const draft = await version('base');
    await edit(draft.policy_id, { guardrails_lock: ['pii'] });
    await setStatus(draft.policy_id, 'published');
    const answer = await setStatus(draft.policy_id, 'production');
    expect(answer.status).toBe(422);
    expect(places(answer)).toEqual(['policies.child.guardrails_remove.0']);
    expect(await statuses('base')).toEqual([
      [2, 'published'],
      [1, 'production'],
    ]);
  });

  test.each([
    ['a production child', { version_status: 'production' }],
    ['a draft of a child', { version_status: 'draft' }],
  ])('demoting what %s inherits is 409 with the list (V6, D-15, D-27)', async (_, over) => {
    const base = await made({ policy_name: 'base' });
    const child = await made({ policy_name: 'child', inherit: 'base', ...over });
    const answer = await setStatus(base.policy_id, 'published');
    expect(answer.status).toBe(409);
    expect(answer.body.error.dependents.policies).toMatchObject([{ policy_id: child.policy_id }]);
    expect((await get(base.policy_id)).body.version_status).toBe('production');
  });

  test('demoting what a key or a team names is 409 (V6)', async () => {
    const policy = await made({ policy_name: 'strict' });
    await named('strict');
    const answer = await setStatus(policy.policy_id, 'published');
    expect(answer.status).toBe(409);
    expect(answer.body.error.dependents).toMatchObject({
      keys: [{ token: hashLike('k'), key_alias: 'k' }],
      teams: [{ team_id: 't', team_alias: 'alias of t' }],
    });
  });

  test('demoting what is only attached is allowed, and says what is left without effect (V6, D-27)', async () => {
    const policy = await made({ policy_name: 'strict' });
    const attachment = await attach({ policy_name: 'strict', scope: '*' });
    const answer = await setStatus(policy.policy_id, 'published');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      version_status: 'published',
      warning: expect.stringContaining('1 attachment is without effect'),
      attachments_without_effect: [attachment.attachment_id],
    });
  });
});

/** A key and a team on which a policy is named, as an administrator does it. */
async function named(name: string): Promise<void> {
  const protection = { policies: { value: [name, 'other'], setBy: ADMIN } };
  await plane.database.transaction(async ({ keys, teams }) => {
    await teams.insert(newTeam('t', { protection }));
    await keys.insert(newKey('k', { protection }));
    await keys.insert(newKey('free'));
  });
}

describe('POST /policies/name/{policy_name}/rollback', () => {
  test('promotes the version that was in production before, and says which (D-102)', async () => {
    const first = await made({ policy_name: 'strict', guardrails_add: ['pii'] });
    const second = await version('strict');
    await promote(second.policy_id);
    const third = await version('strict');
    await setStatus(third.policy_id, 'published');
    const answer = await rollback('strict');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      policy_id: first.policy_id,
      version_status: 'production',
      rolled_back_from: { policy_id: second.policy_id, version_number: 2 },
      rolled_back_to: { policy_id: first.policy_id, version_number: 1 },
    });
    expect(await statuses('strict')).toEqual([
      [3, 'published'],
      [2, 'published'],
      [1, 'production'],
    ]);
  });

  test('without an earlier one it is 409, for an unknown name 404', async () => {
    await made({ policy_name: 'strict' });
    expect((await rollback('strict')).status).toBe(409);
    expect((await rollback('nobody')).status).toBe(404);
  });
});

describe('DELETE /policies/{policy_id}', () => {
  test('removes one version, warns when it was in production, and numbers go on (D-79)', async () => {
    const first = await made({ policy_name: 'strict' });
    const draft = await version('strict');
    const quiet = await remove(draft.policy_id);
    expect(quiet.body).toEqual({ message: `Policy ${draft.policy_id} deleted successfully` });
    expect((await get(first.policy_id)).body.is_latest).toBe(true);
    expect(await version('strict')).toMatchObject({ version_number: 3 });
    const loud = await remove(first.policy_id);
    expect(loud.body.warning).toBe(
      'Production version was deleted. No other version was promoted. Promote another version to production if this policy should remain active.',
    );
    expect(plane.snapshot()?.versions.has(first.policy_id)).toBe(false);
  });

  test('an unknown id is 404', async () => {
    expect((await remove('nobody')).body.detail).toBe('Policy with ID nobody not found');
  });

  test('the production version of what is attached, inherited or named is 409 with the list (V6, D-15, D-27)', async () => {
    const policy = await made({ policy_name: 'strict' });
    const child = await made({ policy_name: 'child', inherit: 'strict' });
    const attachment = await attach({ policy_name: 'strict', scope: '*' });
    await named('strict');
    const answer = await remove(policy.policy_id);
    expect(answer.status).toBe(409);
    expect(answer.body.error.dependents).toMatchObject({
      attachments: [{ attachment_id: attachment.attachment_id }],
      policies: [{ policy_id: child.policy_id, policy_name: 'child' }],
      keys: [{ key_alias: 'k' }],
      teams: [{ team_id: 't' }],
    });
    expect((await get(policy.policy_id)).status).toBe(200);
  });

  test('?force=true removes the dependents in the same revision and says what it removed (V6)', async () => {
    const policy = await made({ policy_name: 'strict' });
    const child = await made({ policy_name: 'child', inherit: 'strict' });
    const grandchild = await made({ policy_name: 'grandchild', inherit: 'child' });
    const own = await attach({ policy_name: 'strict', scope: '*' });
    const childs = await attach({ policy_name: 'child', tags: ['x'] });
    await named('strict');
    const { revision } = await plane.database.stores.policies.head();
    const answer = await remove(policy.policy_id, { force: 'true' });
    expect(answer.status).toBe(200);
    const ids = answer.body.removed.policies.map((row: { policy_id: string }) => row.policy_id);
    expect(ids).toEqual([policy.policy_id, child.policy_id, grandchild.policy_id]);
    expect(answer.body.removed).toMatchObject({
      attachments: [own.attachment_id, childs.attachment_id],
      keys: [hashLike('k')],
      teams: ['t'],
    });
    expect((await list()).body.total_count).toBe(0);
    expect((await plane.database.stores.policies.head()).revision).toBe(revision + 1);
    const key = await plane.database.stores.keys.find(hashLike('k'));
    // What was trusted stays trusted, and what was named beside it stays.
    expect(key?.protection.policies).toEqual({ value: ['other'], setBy: ADMIN });
    expect((await plane.database.stores.teams.find('t'))?.protection.policies?.value).toEqual(['other']);
  });

  test('?dry_run=true says what would be removed and changes nothing (D-72)', async () => {
    const policy = await made({ policy_name: 'strict' });
    await attach({ policy_name: 'strict', scope: '*' });
    const answer = await removeAll('strict', { force: 'true', dry_run: 'true' });
    expect(answer.body).toMatchObject({
      dry_run: true,
      would_remove: { policies: [{ policy_id: policy.policy_id }], attachments: [expect.any(String)] },
    });
    expect((await get(policy.policy_id)).status).toBe(200);
    expect((await plane.database.stores.policies.head()).revision).toBe(2);
  });
});

describe('DELETE /policies/name/{policy_name}/all-versions', () => {
  test('removes all of them and counts them; an unknown name is 404 (D-72)', async () => {
    await made({ policy_name: 'strict' });
    await version('strict');
    const answer = await removeAll('strict');
    expect(answer.body).toEqual({
      message: "All versions of policy 'strict' deleted successfully",
      deleted_versions: 2,
    });
    expect((await removeAll('strict')).status).toBe(404);
    expect((await versions('strict')).status).toBe(404);
  });

  test('drafts that are attached are dependents too: no attachment is left behind (V6, D-27, D-72)', async () => {
    const policy = await made({ policy_name: 'strict' });
    await attach({ policy_name: 'strict', scope: '*' });
    await setStatus(policy.policy_id, 'published');
    expect((await removeAll('strict')).status).toBe(409);
    expect((await removeAll('strict', { force: 'true' })).status).toBe(200);
    expect((await plane.ok('GET /policies/attachments/list')).total_count).toBe(0);
  });
});

describe('POST /policies/name/{policy_name}/rename', () => {
  test('takes versions, children, attachments, keys and teams along, in one revision (V5, D-26, D-27)', async () => {
    const policy = await made({ policy_name: 'old', guardrails_add: ['pii'] });
    const draft = await version('old');
    const child = await made({ policy_name: 'child', inherit: 'old' });
    const attachment = await attach({ policy_name: 'old', scope: '*' });
    await named('old');
    const { revision } = await plane.database.stores.policies.head();
    const answer = await rename('old', 'new');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      policy_name: 'new',
      former_name: 'old',
      renamed: {
        versions: 2,
        children: [child.policy_id],
        attachments: [attachment.attachment_id],
        keys: [hashLike('k')],
        teams: ['t'],
      },
    });
    expect((await plane.database.stores.policies.head()).revision).toBe(revision + 1);
    for (const id of [policy.policy_id, draft.policy_id]) {
      expect((await get(id)).body.policy_name).toBe('new');
    }
    expect((await get(child.policy_id)).body.inherit).toBe('new');
    const params = { attachment_id: attachment.attachment_id };
    const moved = await plane.ok('GET /policies/attachments/:attachment_id', { params });
    expect(moved.policy_name).toBe('new');
    const key = await plane.database.stores.keys.find(hashLike('k'));
    expect(key?.protection.policies).toEqual({ value: ['new', 'other'], setBy: ADMIN });
    expect((await versions('old')).status).toBe(404);
  });

  test('numbers go along with the name (D-79)', async () => {
    await made({ policy_name: 'old' });
    const draft = await version('old');
    await remove(draft.policy_id);
    await rename('old', 'new');
    expect(await version('new')).toMatchObject({ version_number: 3 });
  });

  test.each([
    ['taken', 409],
    ['old', 409],
    ['from-yaml', 409],
    ['a/b', 422],
  ])('to %s is %i', async (name, status) => {
    await plane.configure({ policies: yamlPolicies({ 'from-yaml': {} }) });
    await made({ policy_name: 'old' });
    await made({ policy_name: 'taken', version_status: 'draft' });
    expect((await rename('old', name)).status).toBe(status);
    expect((await rename('nobody', 'x')).status).toBe(404);
  });

  test('what the configuration file goes by is not renamed away from it (S7)', async () => {
    await made({ policy_name: 'base' });
    await plane.configure({ policies: yamlPolicies({ child: { inherit: 'base' } }) });
    const answer = await rename('base', 'new');
    expect(answer.status).toBe(409);
    expect(answer.body.error.dependents.policies).toMatchObject([{ policy_id: 'child' }]);
    expect((await removeAll('base', { force: 'true' })).status).toBe(409);
  });
});

describe('GET /policies/list', () => {
  test('shows every version, newest first, and filters by a status that exists (D-58)', async () => {
    await made({ policy_name: 'a' });
    await version('a');
    await made({ policy_name: 'b' });
    const names = ({ body }: { body: { policies: { policy_name: string; version_number: number }[] } }) =>
      body.policies.map((row) => `${row.policy_name}${row.version_number}`);
    expect(names(await list())).toEqual(['b1', 'a2', 'a1']);
    expect(names(await list({ version_status: 'production' }))).toEqual(['b1', 'a1']);
    expect(names(await list({ version_status: 'draft' }))).toEqual(['a2']);
    const typo = await list({ version_status: 'prodution' });
    expect(typo.status).toBe(422);
    expect(places(typo)).toEqual(['query.version_status']);
  });

  test('pages through both places without leaving out or repeating any (D-59)', async () => {
    await plane.configure({ policies: yamlPolicies({ y1: {}, y2: {}, y3: {} }) });
    for (const name of ['a', 'b', 'c', 'd']) await made({ policy_name: name });
    for (const limit of ['1', '2', '3', '4', '5', '7', '8']) {
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page: {
          body: { policies: { policy_name: string }[]; total_count: number; next: string | null };
        } = await list({ limit, ...(after === null ? {} : { after }) });
        expect(page.body.policies.length).toBeLessThanOrEqual(Number(limit));
        expect(page.body.total_count).toBe(7);
        seen.push(...page.body.policies.map(({ policy_name }) => policy_name));
        after = page.body.next;
      } while (after !== null);
      expect(seen).toEqual(['d', 'c', 'b', 'a', 'y1', 'y2', 'y3']);
    }
    expect((await list({ after: 'rubbish' })).status).toBe(422);
    expect((await list({ limit: '0' })).status).toBe(422);
  });

  test('YAML policies are listed until a production version stands before them (S7, D-78)', async () => {
    await plane.configure({ policies: yamlPolicies({ base: { guardrails: ['pii'] } }) });
    expect((await list()).body.policies).toMatchObject([
      { policy_id: 'base', definition_location: 'config', version_status: 'production', is_latest: true },
    ]);
    expect((await list({ version_status: 'draft' })).body.policies).toEqual([]);
    const draft = await version('base');
    expect(draft).toMatchObject({ parent_version_id: 'base', guardrails_add: ['pii'] });
    expect((await list()).body.total_count).toBe(2);
    const answer = await promote(draft.policy_id);
    expect(answer.body).toMatchObject({ shadows_config: true });
    expect((await list()).body.policies).toMatchObject([
      { policy_id: draft.policy_id, shadows_config: true },
    ]);
    expect((await get('base')).body).toMatchObject({ shadowed_by: draft.policy_id });
    expect(plane.snapshot()?.production.get('base')?.policy.policy_id).toBe(draft.policy_id);
    const gone = await removeAll('base');
    expect(gone.body.warning).toBe(
      'All DB versions were deleted. The config-defined policy with the same name is active again.',
    );
    expect(plane.snapshot()?.production.get('base')?.policy.policy_id).toBe('base');
  });
});

describe('objects of the configuration file', () => {
  test.each([
    ['PUT /policies/:policy_id', { policy_id: 'base' }, { description: 'x' }],
    ['PUT /policies/:policy_id/status', { policy_id: 'base' }, { version_status: 'published' }],
    ['DELETE /policies/:policy_id', { policy_id: 'base' }, undefined],
    ['DELETE /policies/name/:policy_name/all-versions', { policy_name: 'base' }, undefined],
    ['POST /policies/name/:policy_name/rename', { policy_name: 'base' }, { new_name: 'x' }],
    ['POST /policies/name/:policy_name/rollback', { policy_name: 'base' }, {}],
  ])('%s is 400 in the words of the reference (S7)', async (route, params, body) => {
    await plane.configure({ policies: yamlPolicies({ base: {} }) });
    const answer = await plane.call(route, { params, body });
    expect([answer.status, answer.body.detail]).toEqual([
      400,
      "Policy 'base' is defined in config.yaml and can only be changed there",
    ]);
  });

  test('attachments are 400 too (S7)', async () => {
    await plane.configure({
      policies: yamlPolicies({ base: {} }),
      attachments: yamlAttachments([{ policy: 'base', scope: '*' }]),
    });
    const params = { attachment_id: 'config-0' };
    const gone = await plane.call('DELETE /policies/attachments/:attachment_id', { params });
    expect([gone.status, gone.body.detail]).toEqual([
      400,
      "Attachment 'config-0' is defined in config.yaml and can only be removed there",
    ]);
    const changed = await plane.call('PUT /policies/attachments/:attachment_id', { params, body: {} });
    expect(changed.status).toBe(400);
    const shown = await plane.ok('GET /policies/attachments/:attachment_id', { params });
    expect(shown).toMatchObject({ definition_location: 'config', policy_name: 'base', scope: '*' });
  });
});

describe('a review of versions', () => {
  test('resolves exactly the version that is asked for (V8, D-55)', async () => {
    await made({ policy_name: 'base', guardrails_add: ['pii'] });
    const first = await made({ policy_name: 'strict', inherit: 'base', guardrails_add: ['toxicity'] });
    const draft = await version('strict');
    await edit(draft.policy_id, { guardrails_add: ['secrets'], guardrails_remove: ['pii'] });
    expect((await resolved(first.policy_id)).body).toMatchObject({
      policy_id: first.policy_id,
      policy_name: 'strict',
      resolved_guardrails: ['pii', 'toxicity'],
    });
    expect((await resolved(draft.policy_id)).body.resolved_guardrails).toEqual(['secrets']);
    expect((await resolved('nobody')).status).toBe(404);
    await plane.configure({ policies: yamlPolicies({ yaml: { guardrails: ['injection'] } }) });
    expect((await resolved('yaml')).body.resolved_guardrails).toEqual(['injection']);
  });

  test('compares fields and resolved guardrails (Q3, D-90)', async () => {
    const first = await made({ policy_name: 'strict', guardrails_add: ['pii'], description: 'a' });
    const draft = await version('strict');
    await edit(draft.policy_id, { guardrails_add: ['secrets'] });
    const query = { version_a: first.policy_id, version_b: draft.policy_id };
    expect(await plane.ok('GET /policies/compare', { query })).toMatchObject({
      version_a: { policy_id: first.policy_id, version_status: 'production' },
      version_b: { policy_id: draft.policy_id, version_status: 'draft' },
      field_diffs: { guardrails_add: { version_a: ['pii'], version_b: ['secrets'] } },
      resolved_guardrails: {
        version_a: ['pii'],
        version_b: ['secrets'],
        only_a: ['pii'],
        only_b: ['secrets'],
      },
    });
    const unknown = await plane.call('GET /policies/compare', { query: { ...query, version_b: 'x' } });
    expect([unknown.status, unknown.body.detail]).toEqual([404, 'Policy x not found']);
    const missing = await plane.call('GET /policies/compare', { query: { version_a: 'x' } });
    expect(places(missing)).toEqual(['query.version_b']);
  });
});

describe('If-Match and Idempotency-Key', () => {
  test('a stale revision is 412 with what changed since; a fresh one is taken (V7, D-85)', async () => {
    await made({ policy_name: 'a' });
    const b = await made({ policy_name: 'b' });
    const stale = await plane.call('POST /policies', {
      body: { policy_name: 'c' },
      headers: { 'if-match': '"1"' },
    });
    expect(stale.status).toBe(412);
    expect(stale.body.error).toMatchObject({
      revision: 2,
      changes: [
        {
          revision: 2,
          by: 'default_user_id',
          objects: [{ object: 'policy', id: b.policy_id, name: 'b', change: 'created' }],
        },
      ],
    });
    const fresh = { body: { policy_name: 'c' }, headers: { 'if-match': '2' } };
    expect((await plane.call('POST /policies', fresh)).headers).toEqual({ 'x-portcullis-revision': '3' });
    const malformed = { body: { policy_name: 'd' }, headers: { 'if-match': 'yesterday' } };
    expect((await plane.call('POST /policies', malformed)).status).toBe(422);
  });

  test('a retry with the same key gets the same answer and changes nothing; another request is 422 (V7)', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const first = await plane.call('POST /policies', { body: { policy_name: 'a' }, headers });
    const retry = await plane.call('POST /policies', { body: { policy_name: 'a' }, headers });
    expect(retry.body).toEqual(first.body);
    expect(retry.headers).toEqual({ 'x-portcullis-revision': '1', 'idempotent-replayed': 'true' });
    expect((await list()).body.total_count).toBe(1);
    const other = await plane.call('POST /policies', { body: { policy_name: 'b' }, headers });
    expect(other.status).toBe(422);
    expect(other.body.error.portcullis_code).toBe('idempotency_key_reused');
    expect((await plane.database.stores.policies.head()).revision).toBe(1);
  });

  test('a refused attempt leaves its key free', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const refused = await plane.call('POST /policies', { body: { policy_name: 'a', inherit: 'x' }, headers });
    expect(refused.status).toBe(422);
    expect((await plane.call('POST /policies', { body: { policy_name: 'a' }, headers })).status).toBe(200);
  });
});

describe('GET /policies/revision', () => {
  test('tells the newest revision and what was changed since another', async () => {
    await made({ policy_name: 'a' });
    await made({ policy_name: 'b' });
    expect(await plane.ok('GET /policies/revision')).toEqual({
      revision: 2,
      config_digest: null,
      in_force: 2,
    });
    const { changes } = await plane.ok('GET /policies/revision', { query: { since: '1' } });
    expect(changes).toMatchObject([{ revision: 2, objects: [{ name: 'b' }] }]);
  });
});

describe('the audit log', () => {
  test('has a row for every changed object, with before, after and revision (V10, D-71)', async () => {
    const first = await made({ policy_name: 'strict' });
    const draft = await version('strict');
    await promote(draft.policy_id);
    const rows = (await audited()).slice(-2);
    expect(rows).toMatchObject([
      {
        action: 'policy.status',
        actor: { by: 'default_user_id', role: 'proxy_admin' },
        object: { type: 'policy', id: first.policy_id },
        before: { version_status: 'production' },
        after: { version_status: 'published' },
        revision: 4,
        refused: null,
      },
      {
        object: { type: 'policy', id: draft.policy_id },
        before: { version_status: 'published' },
        after: { version_status: 'production' },
        revision: 4,
      },
    ]);
    expect(await plane.database.stores.audit.verify()).toMatchObject({ ok: true });
  });

  test.each([
    ['POST /policies', {}, { policy_name: 'x', inherit: 'y' }, 'POST /policies'],
    ['DELETE /policies/:policy_id', { policy_id: 'gone' }, undefined, 'DELETE /policies/gone'],
    [
      'PUT /policies/:policy_id/status',
      { policy_id: 'gone' },
      { version_status: 'published' },
      'PUT /policies/gone/status',
    ],
  ])('has a row for a refused %s (V10)', async (route, params, body, id) => {
    await plane.call(route, { params, body });
    expect(await audited()).toMatchObject([
      {
        action: 'refused',
        object: { type: 'route', id },
        refused: expect.any(String),
        actor: { by: 'default_user_id' },
      },
    ]);
  });

  test('a change that fails after the audit row leaves neither (V2, V10)', async () => {
    await made({ policy_name: 'a' });
    await planes.sql`alter table portcullis.idempotency_keys add constraint broken check (false) not valid`;
    const headers = { 'idempotency-key': 'k' };
    const failing = plane.call('POST /policies', { body: { policy_name: 'b' }, headers });
    await expect(failing).rejects.toThrow('refused a statement');
    await planes.sql`alter table portcullis.idempotency_keys drop constraint broken`;
    expect(await audited()).toHaveLength(1);
    expect((await list()).body.total_count).toBe(1);
    // The head is free again, and the next change takes the revision that the failed one did not.
    expect((await create({ policy_name: 'b' })).headers).toEqual({ 'x-portcullis-revision': '2' });
  });
});

describe('stored rows that cannot be read', () => {
  test('are named by id, and no list is shown without them (S2, D-74, D-22)', async () => {
    const policy = await made({ policy_name: 'strict', description: 'secret' });
    await planes.sql`update portcullis.policies set content = content || '{"x": "secret"}'`;
    const answer = await list();
    expect(answer.status).toBe(500);
    expect(answer.body.error).toMatchObject({
      portcullis_code: 'stored_rows_unreadable',
      rows: [{ object: 'policy', id: policy.policy_id, fields: ['x'] }],
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(plane.snapshot()?.production.has('strict')).toBe(true);
  });
});

describe('a configuration that does not fit the stored objects', () => {
  test('a change that repairs is taken, one that repairs nothing is not (I4)', async () => {
    const policy = await made({ policy_name: 'strict', guardrails_add: ['pii'] });
    await plane.configure({ guardrails: [guardrail('secrets')] });
    const useless = await create({ policy_name: 'other' });
    expect(useless.status).toBe(422);
    expect(places(useless)).toEqual(['policies.strict.guardrails_add.0']);
    expect((await remove(policy.policy_id)).status).toBe(200);
    expect((await create({ policy_name: 'other' })).status).toBe(200);
  });

  test('a replica with another configuration than the newest revision changes nothing (S9)', async () => {
    await plane.database.transaction(async ({ policies }) => {
      await policies.advance({ by: 'x', callId: 'x', atMs: 0 });
      await policies.setConfigDigest('another');
    });
    const answer = await create({ policy_name: 'a' });
    expect([answer.status, answer.body.error.portcullis_code]).toEqual([503, 'config_mismatch']);
    await plane.configure({ ...EMPTY_CONFIG, digest: 'another' });
    expect((await create({ policy_name: 'a' })).status).toBe(200);
  });
});
