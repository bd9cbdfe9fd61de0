import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../src/control/route.ts';
import { MASTER, openPlane, type Plane } from './kit.ts';

/**
 * Every management route with every role (D-70). A route that is in no list fails, so that none is ever added without
 * somebody saying who may call it. What a caller may do with which object is tested beside the routes.
 */

const ROLES = [
  'nobody',
  'internal_user_viewer',
  'internal_user',
  'proxy_admin_viewer',
  'proxy_admin',
] as const;
type Role = (typeof ROLES)[number];

interface Group {
  /** Who gets past the door; all others are refused. */
  readonly admits: readonly Role[];
  readonly routes: readonly string[];
}

const GROUPS: Readonly<Record<string, Group>> = {
  'changed by administrators': {
    admits: ['proxy_admin'],
    routes: [
      'POST /key/block',
      'POST /key/unblock',
      'POST /team/new',
      'POST /team/update',
      'PATCH /team/:team_id',
      'POST /team/delete',
      'POST /team/block',
      'POST /team/unblock',
      'POST /team/model/add',
      'POST /team/model/delete',
      'POST /user/new',
      'POST /user/update',
      'POST /user/delete',
      'POST /tag/new',
      'POST /tag/update',
      'POST /tag/delete',
      'POST /policies',
      'PUT /policies/:policy_id',
      'PUT /policies/:policy_id/status',
      'DELETE /policies/:policy_id',
      'POST /policies/name/:policy_name/versions',
      'POST /policies/name/:policy_name/rename',
      'POST /policies/name/:policy_name/rollback',
      'DELETE /policies/name/:policy_name/all-versions',
      'POST /policies/attachments',
      'PUT /policies/attachments/:attachment_id',
      'DELETE /policies/attachments/:attachment_id',
      'POST /policies/test-pipeline',
      'POST /utils/test_policies_and_guardrails',
      'POST /guardrails',
      'POST /guardrails/test_custom_code',
      'PUT /guardrails/:guardrail_id',
      'PATCH /guardrails/:guardrail_id',
      'DELETE /guardrails/:guardrail_id',
      'POST /guardrails/submissions/:guardrail_id/approve',
      'POST /guardrails/submissions/:guardrail_id/reject',
      'POST /invitation/new',
      'POST /policy/templates/apply',
      'POST /policy/templates/enrich',
      'POST /policy/templates/enrich/stream',
      'POST /policy/templates/suggest',
      'POST /policy/templates/test',
      'POST /model/new',
      'POST /model/update',
      'POST /model/delete',
      'POST /invitation/delete',
    ],
  },
  'read by administrators': {
    admits: ['proxy_admin', 'proxy_admin_viewer'],
    routes: [
      'GET /audit/log',
      'GET /audit/verify',
      'GET /user/list',
      'GET /invitation/info',
      'GET /policy/templates',
      'GET /tag/list',
      'POST /tag/info',
      'GET /policies/list',
      'GET /policies/compare',
      'GET /policies/revision',
      'GET /policies/fleet',
      'GET /policies/documents',
      'POST /policies/resolve',
      'POST /policies/attachments/estimate-impact',
      'GET /policies/:policy_id',
      'GET /policies/:policy_id/resolved-guardrails',
      'GET /policies/name/:policy_name/versions',
      'GET /policies/attachments/list',
      'GET /policies/attachments/:attachment_id',
      'POST /policy/test',
      'POST /policy/validate',
      'GET /policy/list',
      'GET /policy/info/:policy_name',
      'GET /guardrails/:guardrail_id',
      'GET /guardrails/:guardrail_id/info',
      // Users have to ask for their own teams by name.
      'GET /team/list',
    ],
  },
  'changed by users, within what is theirs': {
    admits: ['proxy_admin', 'internal_user'],
    routes: [
      'POST /key/generate',
      'POST /key/update',
      'POST /key/delete',
      'POST /key/health',
      'POST /key/regenerate',
      'POST /key/:key/regenerate',
      'POST /key/service-account/generate',
      'POST /team/member_add',
      'POST /team/member_update',
      'POST /team/member_delete',
      'POST /apply_guardrail',
      'POST /guardrails/apply_guardrail',
      'POST /guardrails/register',
      'POST /guardrails/validate_blocked_words_file',
    ],
  },
  'read by everybody with a key, within what is theirs': {
    admits: ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'],
    routes: [
      'GET /key/info',
      'GET /key/list',
      'GET /team/info',
      'GET /team/policies',
      'GET /v2/team/list',
      'GET /user/info',
      'GET /model/info',
      'GET /v1/model/info',
      'GET /user/available_roles',
      'GET /guardrails/list',
      'GET /v2/guardrails/list',
      'GET /guardrails/submissions',
      'GET /guardrails/submissions/:guardrail_id',
      'GET /guardrails/ui/add_guardrail_settings',
      'GET /guardrails/ui/category_yaml/:category_name',
      'GET /guardrails/ui/provider_specific_params',
      'GET /guardrails/usage/overview',
      'GET /guardrails/usage/detail/:id',
      'GET /guardrails/usage/logs',
      'GET /policies/usage/overview',
      'GET /spend/logs',
      'GET /spend/logs/ui',
      'GET /spend/logs/v2',
      'GET /spend/logs/ui/:request_id',
    ],
  },
  'of everybody known, viewers included': {
    admits: ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'],
    routes: ['GET /session', 'POST /logout', 'POST /user/password'],
  },
  'open to everybody, because they are how one becomes known': {
    admits: ROLES,
    routes: [
      'POST /login',
      'POST /v2/login',
      'GET /login/options',
      'GET /sso/key/generate',
      'GET /sso/callback',
      'GET /onboarding/get_token',
      'POST /onboarding/claim_token',
    ],
  },
};

const LISTED = Object.values(GROUPS).flatMap(({ routes }) => routes);

let plane: Plane;
beforeAll(async () => {
  plane = await openPlane();
  for (const role of ROLES) {
    if (role === 'nobody') continue;
    const user = { user_id: `a-${role}`, user_role: role, auto_create_key: false };
    const { status } = await plane.call('POST /user/new', user);
    if (status !== 200) throw new Error(`${role} was not made: ${status}`);
  }
});
afterAll(() => plane.close());

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

/** A key of its own for each question: some routes replace or delete the key that asks. */
async function keyOf(role: Role): Promise<string | null> {
  if (role === 'nobody') return null;
  const { body } = await plane.call('POST /key/generate', { user_id: `a-${role}` }, MASTER);
  await plane.identity(body['key']);
  return body['key'];
}

/** Whether the role gets past the door. Nothing is given, so what follows is a refusal of another kind, or harmless. */
async function isAdmitted(route: string, role: Role): Promise<boolean> {
  const secret = await keyOf(role);
  const params = Object.fromEntries([...route.matchAll(/:(\w+)/gu)].map(([, name]) => [name, 'x']));
  try {
    const { status } = await plane.call(route, {}, secret, { params });
    return status !== 401 && status !== 403;
  } catch {
    // A part that is not there in this plane: the door was open.
    return true;
  }
}

test('every route is in exactly one list', () => {
  expect(plane.routes.map(nameOf).sort()).toEqual([...LISTED].sort());
});

describe.each(Object.entries(GROUPS))('%s', (_title, { admits, routes }) => {
  test.each(routes)('%s', async (route) => {
    for (const role of ROLES) {
      expect([role, await isAdmitted(route, role)]).toEqual([role, admits.includes(role)]);
    }
  });
});
