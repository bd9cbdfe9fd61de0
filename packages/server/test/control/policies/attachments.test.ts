import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, hashLike, newKey, newTeam, USER } from '../../storage/kit.ts';
import { openPlanes, type Planes, type PolicyPlane, yamlAttachments, yamlPolicies } from './plane.ts';

let planes: Planes;
let plane: PolicyPlane;
beforeAll(async () => {
  planes = await openPlanes();
});
beforeEach(async () => {
  plane = await planes.fresh();
  await plane.ok('POST /policies', { body: { policy_name: 'p', guardrails_add: ['pii'] } });
});
afterAll(() => planes.close());

const create = (body: object) => plane.call('POST /policies/attachments', { body });
const made = (body: object) => plane.ok('POST /policies/attachments', { body });
const update = (attachment_id: string, body: object) =>
  plane.call('PUT /policies/attachments/:attachment_id', { params: { attachment_id }, body });
const get = (attachment_id: string) =>
  plane.call('GET /policies/attachments/:attachment_id', { params: { attachment_id } });
const remove = (attachment_id: string) =>
  plane.call('DELETE /policies/attachments/:attachment_id', { params: { attachment_id } });
const list = (query: Record<string, string> = {}) => plane.ok('GET /policies/attachments/list', { query });

async function principals(): Promise<void> {
  await plane.database.transaction(async ({ keys, teams }) => {
    await teams.insert(newTeam('t-1', { alias: { value: 'health', setBy: ADMIN } }));
    await keys.insert(newKey('admins', { alias: { value: 'admins', setBy: ADMIN } }));
    await keys.insert(newKey('users', { alias: { value: 'users', setBy: USER } }));
  });
}

describe('POST /policies/attachments', () => {
  test('answers with the row of the reference, tags in the form in which they were written (M5)', async () => {
    await principals();
    const body = { policy_name: 'p', teams: ['health'], tags: { any: ['a'], none: ['b*'] }, priority: -3 };
    const answer = await create(body);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      attachment_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      policy_name: 'p',
      scope: null,
      teams: ['health'],
      keys: [],
      models: [],
      tags: { any: ['a'], none: ['b*'] },
      priority: -3,
      default: false,
      enforcement: 'enforce',
      definition_location: 'db',
      created_at: expect.any(String),
      created_by: 'default_user_id',
      updated_at: expect.any(String),
      updated_by: 'default_user_id',
    });
    expect(answer.headers).toEqual({ 'x-portcullis-revision': '2' });
    expect((await get(answer.body.attachment_id)).body).toEqual(answer.body);
  });

  test.each([
    [{}],
    [{ teams: [] }],
    [{ scope: null, teams: null, tags: [] }],
    [{ tags: { none: ['x'] } }],
    [{ scope: '*', teams: ['*'] }],
    [{ scope: 'everything' }],
    [{ team: ['health'] }],
    [{ teams: [''] }],
    [{ tags: ['x'], priority: 3e9 }],
    [{ teams: Array.from({ length: 1_001 }, (_, n) => `t${n}*`) }],
  ])('%j is refused, never read as "everything" (M6, D-10, D-11)', async (fields) => {
    expect((await create({ policy_name: 'p', ...fields })).status).toBe(422);
    expect((await list()).total_count).toBe(0);
  });

  test('names the real cause when the policy cannot be attached (D-80)', async () => {
    const unknown = await create({ policy_name: 'nobody', scope: '*' });
    expect([unknown.status, unknown.body.detail]).toEqual([
      404,
      "Policy 'nobody' not found. Create the policy first.",
    ]);
    await plane.ok('POST /policies', { body: { policy_name: 'd', version_status: 'draft' } });
    const draft = await create({ policy_name: 'd', scope: '*' });
    expect([draft.status, draft.body.detail]).toEqual([
      404,
      "Policy 'd' has no production version. Promote a version first.",
    ]);
    await plane.configure({ policies: yamlPolicies({ yaml: {} }) });
    expect((await create({ policy_name: 'yaml', scope: '*' })).status).toBe(200);
  });

  test('every concrete team, key and model must exist; patterns and tags need not (D-53)', async () => {
    await principals();
    const answer = await create({
      policy_name: 'p',
      teams: ['health', 'heatlh', 'any*'],
      keys: ['admins', 'nobody', hashLike('admins'), hashLike('x')],
      models: ['gpt-5', 'fast', 'openai/gpt-5', 'claude/opus', 'anthropic/x', 'gpt-6', 'gpt-*'],
      tags: ['whatever'],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.detail.split(' | ')).toEqual([
      "Team 'heatlh' does not exist. Reference an existing team or use a wildcard pattern (e.g. 'heatlh*') to match by prefix.",
      "Key 'nobody' does not exist. Reference an existing key or use a wildcard pattern (e.g. 'nobody*') to match by prefix.",
      `Key '${hashLike('x')}' does not exist. Reference an existing key or use a wildcard pattern (e.g. '${hashLike('x')}*') to match by prefix.`,
      "Model 'gpt-6' does not exist. Reference an existing model or use a wildcard pattern (e.g. 'gpt-6*') to match by prefix.",
    ]);
  });

  test('a team id without the form of an id selects nobody, so it does not exist (M9)', async () => {
    await principals();
    expect((await create({ policy_name: 'p', teams: ['t-1'] })).status).toBe(400);
  });

  test('the same attachment is made once (D-29)', async () => {
    const first = await made({ policy_name: 'p', tags: ['a', 'b'] });
    const twin = await create({ policy_name: 'p', tags: { any: ['b', 'a'] }, priority: 1 });
    expect(twin.status).toBe(409);
    expect(twin.body.error.attachment_id).toBe(first.attachment_id);
    expect((await create({ policy_name: 'p', tags: ['a'] })).status).toBe(200);
  });

  test('two made at once of the same are one (D-28, D-29)', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => create({ policy_name: 'p', scope: '*' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
  });

  test('tells of aliases that users have chosen (M9, D-48)', async () => {
    await principals();
    expect(await made({ policy_name: 'p', keys: ['admins'] })).not.toHaveProperty('doubts');
    const prefix = await made({ policy_name: 'p', keys: ['us*'] });
    expect(prefix.doubts).toMatchObject([
      { code: 'alias_chosen_by_user', message: expect.stringContaining('"users"') },
    ]);
    expect(await made({ policy_name: 'p', keys: ['users'] })).toHaveProperty('doubts');
  });
});

describe('PUT /policies/attachments/{attachment_id}', () => {
  test('changes given fields in place; null clears (D-29)', async () => {
    const first = await made({
      policy_name: 'p',
      tags: ['a'],
      models: ['gpt-5'],
      priority: 2,
      default: true,
    });
    const { body } = await update(first.attachment_id, {
      tags: null,
      priority: null,
      enforcement: 'monitor',
    });
    expect(body).toMatchObject({
      attachment_id: first.attachment_id,
      created_at: first.created_at,
      updated_at: expect.not.stringMatching(first.updated_at),
      tags: [],
      models: ['gpt-5'],
      priority: null,
      default: true,
      enforcement: 'monitor',
    });
    const { revision } = await plane.database.stores.policies.head();
    const before = await plane.database.documents.read(revision - 1);
    expect(before.attachments.map(({ attachment }) => attachment.tags)).toEqual([['a']]);
  });

  test('is refused where creating would be (D-11, D-53, D-80)', async () => {
    const first = await made({ policy_name: 'p', tags: ['a'] });
    await made({ policy_name: 'p', tags: ['b'] });
    expect((await update(first.attachment_id, { tags: null })).status).toBe(422);
    expect((await update(first.attachment_id, { teams: ['nobody'] })).status).toBe(400);
    expect((await update(first.attachment_id, { policy_name: 'nobody' })).status).toBe(404);
    expect((await update(first.attachment_id, { tags: ['b'] })).status).toBe(409);
    expect((await update(first.attachment_id, { tag: ['b'] })).status).toBe(422);
    expect((await get(first.attachment_id)).body.tags).toEqual(['a']);
  });
});

describe('attachments', () => {
  test('are listed newest first, those of the file last, and by policy', async () => {
    await plane.configure({
      policies: yamlPolicies({ yaml: {} }),
      attachments: yamlAttachments([{ policy: 'yaml', scope: '*' }]),
    });
    const one = await made({ policy_name: 'p', tags: ['1'] });
    const two = await made({ policy_name: 'yaml', tags: ['2'] });
    const ids = ({ attachments }: { attachments: { attachment_id: string }[] }) =>
      attachments.map(({ attachment_id }) => attachment_id);
    const whole = await list();
    expect(ids(whole)).toEqual([two.attachment_id, one.attachment_id, 'config-0']);
    expect(whole.total_count).toBe(3);
    expect(ids(await list({ policy_name: 'yaml' }))).toEqual([two.attachment_id, 'config-0']);
    const first = await list({ limit: '2' });
    expect(ids(first)).toEqual([two.attachment_id, one.attachment_id]);
    expect(ids(await list({ limit: '2', after: first.next }))).toEqual(['config-0']);
  });

  test('are deleted once; an unknown id is 404', async () => {
    const { attachment_id } = await made({ policy_name: 'p', scope: '*' });
    expect((await remove(attachment_id)).body).toEqual({
      message: `Attachment ${attachment_id} deleted successfully`,
    });
    for (const answer of [await remove(attachment_id), await get(attachment_id), await update('x', {})]) {
      expect(answer.status).toBe(404);
    }
    expect((await remove('nobody')).body.detail).toBe('Attachment with ID nobody not found');
  });

  test('are in the audit log with what they were (V10)', async () => {
    const { attachment_id } = await made({ policy_name: 'p', scope: '*' });
    await update(attachment_id, { priority: 5 });
    await remove(attachment_id);
    const rows = (await plane.database.stores.audit.list({ limit: 3 })).toReversed();
    expect(rows).toMatchObject([
      { action: 'attachment.create', before: null, after: { priority: null }, revision: 2 },
      { action: 'attachment.update', before: { priority: null }, after: { priority: 5 }, revision: 3 },
      { action: 'attachment.delete', before: { priority: 5 }, after: null, revision: 4 },
    ]);
  });
});
