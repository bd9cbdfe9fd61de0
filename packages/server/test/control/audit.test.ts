import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPlane, type Plane } from './kit.ts';

let plane: Plane;
beforeAll(async () => {
  plane = await openPlane();
  for (const alias of ['one', 'two', 'three']) await plane.call('POST /key/generate', { key_alias: alias });
});
afterAll(() => plane.close());

test('the log is read in pages, newest first, that later changes do not move', async () => {
  const first = await plane.call('GET /audit/log', { limit: '2' });
  expect(first.status).toBe(200);
  expect(first.body['entries'].map((entry: { number: number }) => entry.number)).toEqual([3, 2]);
  expect(first.body['entries'][0]).toMatchObject({
    action: 'key.generate',
    object_type: 'key',
    actor: 'default_user_id',
    refused: null,
    after: { key_alias: 'three' },
  });
  await plane.call('POST /key/generate', { key_alias: 'four' });
  const second = await plane.call('GET /audit/log', { limit: '2', before: String(first.body['next']) });
  expect(second.body).toMatchObject({ entries: [{ number: 1 }], next: null });
});

test('no entry shows a key', async () => {
  const made = await plane.call('POST /key/generate', { key_alias: 'five' });
  const { body } = await plane.call('GET /audit/log');
  expect(JSON.stringify(body)).not.toContain(made.body['key']);
});

test('a whole log is told with its length and the hash of its end', async () => {
  const { body: log } = await plane.call('GET /audit/log', { limit: '1' });
  const [newest] = log['entries'];
  const { status, body } = await plane.call('GET /audit/verify');
  expect(status).toBe(200);
  expect(body).toEqual({ ok: true, count: newest.number, head: newest.hash });
});

test('only administrators and their viewers may read it', async () => {
  const user = await plane.call('POST /user/new', { user_role: 'internal_user' });
  const viewer = await plane.call('POST /user/new', { user_role: 'proxy_admin_viewer' });
  expect((await plane.call('GET /audit/log', {}, user.body['key'])).status).toBe(403);
  expect((await plane.call('GET /audit/verify', {}, user.body['key'])).status).toBe(403);
  expect((await plane.call('GET /audit/verify', {}, viewer.body['key'])).status).toBe(200);
  expect((await plane.call('GET /audit/log', {}, null)).status).toBe(401);
});

test('what means no page is refused', async () => {
  expect((await plane.call('GET /audit/log', { before: '0' })).status).toBe(422);
  expect((await plane.call('GET /audit/log', { limit: '5000' })).status).toBe(422);
  expect((await plane.call('GET /audit/log', { page: '2' })).status).toBe(422);
});
