import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../../src/ports/identity.ts';
import { openPlanes, type Planes, type PolicyPlane } from './plane.ts';

let planes: Planes;
let plane: PolicyPlane;
beforeAll(async () => {
  planes = await openPlanes();
  plane = await planes.fresh();
});
afterAll(() => planes.close());

const READS = [
  'GET /policies/list',
  'GET /policies/compare',
  'GET /policies/revision',
  'GET /policies/fleet',
  'GET /policies/documents',
  'GET /policies/name/:policy_name/versions',
  'GET /policies/:policy_id',
  'GET /policies/:policy_id/resolved-guardrails',
  'GET /policies/attachments/list',
  'GET /policies/attachments/:attachment_id',
  'POST /policies/resolve',
  'POST /policy/validate',
  'POST /policy/test',
  'GET /policy/list',
  'GET /policy/info/:policy_name',
];

const WRITES = [
  'POST /policies',
  'PUT /policies/:policy_id',
  'DELETE /policies/:policy_id',
  'PUT /policies/:policy_id/status',
  'POST /policies/name/:policy_name/versions',
  'POST /policies/name/:policy_name/rename',
  'POST /policies/name/:policy_name/rollback',
  'DELETE /policies/name/:policy_name/all-versions',
  'POST /policies/attachments',
  'PUT /policies/attachments/:attachment_id',
  'DELETE /policies/attachments/:attachment_id',
];

const ROLES: readonly Role[] = ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'];

const cases = [
  ...READS.flatMap((route) =>
    ROLES.map((role) => ({ route, role, allowed: ['proxy_admin', 'proxy_admin_viewer'].includes(role) })),
  ),
  ...WRITES.flatMap((route) => ROLES.map((role) => ({ route, role, allowed: role === 'proxy_admin' }))),
];

describe('who may use the policy routes (D-70)', () => {
  test.each(cases)('$route: $role - $allowed', async ({ route, role, allowed }) => {
    const answer = await plane.call(route, { role });
    if (allowed) {
      // Let in, and then refused for what it lacks, if anything.
      expect([200, 404, 422]).toContain(answer.status);
      return;
    }
    expect(answer.status).toBe(403);
    expect(answer.body.detail).toContain(`Your role=${role}`);
    expect(answer.body.error).toMatchObject({ code: '403', type: 'auth_error' });
  });

  test('the table above holds every route of policies', () => {
    const known = [...READS, ...WRITES].toSorted();
    const mounted = plane.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => / \/(?:policies|policy)(?:\/|$)/u.test(name))
      .filter((name) => !/usage|templates|test-pipeline|estimate-impact/u.test(name));
    expect(mounted.toSorted()).toEqual(known);
  });

  test('a refused write is a row of the audit log that names the object (V10)', async () => {
    await plane.call('DELETE /policies/:policy_id', {
      role: 'internal_user',
      params: { policy_id: 'some-id' },
    });
    const [row] = await plane.database.stores.audit.list({ limit: 1 });
    expect(row).toMatchObject({
      action: 'refused',
      object: { id: 'DELETE /policies/some-id' },
      actor: { by: 'user-internal_user', role: 'internal_user' },
    });
  });
});
