import { compile, type Context, type Documents, explain, type Hook } from '@portcullis/policy';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN, hashLike, newKey, newTeam, USER } from '../../storage/kit.ts';
import { EMPTY_CONFIG, guardrail, openPlanes, type Planes, type PolicyPlane, yamlPolicies } from './plane.ts';

let planes: Planes;
let plane: PolicyPlane;
beforeAll(async () => {
  planes = await openPlanes();
});
beforeEach(async () => {
  plane = await planes.fresh();
});
afterAll(() => planes.close());

const policy = (body: object) => plane.ok('POST /policies', { body });
const attach = (body: object) => plane.ok('POST /policies/attachments', { body });
const resolve = (body: object, query: Record<string, string> = {}) =>
  plane.call('POST /policies/resolve', { body, query });

const HEALTH = hashLike('health');

/** A policy for a team, one for a tag of a key, and a global guardrail. */
async function scene(): Promise<void> {
  await plane.configure({
    guardrails: [...EMPTY_CONFIG.guardrails.slice(0, 3), guardrail('secrets', { default_on: true })],
  });
  await plane.database.transaction(async ({ keys, teams }) => {
    await teams.insert(newTeam(HEALTH, { alias: { value: 'health', setBy: ADMIN } }));
    await teams.insert(newTeam('twin-1', { alias: { value: 'twin', setBy: ADMIN } }));
    await teams.insert(newTeam('twin-2', { alias: { value: 'twin', setBy: ADMIN } }));
    await keys.insert(
      newKey('k', {
        teamId: HEALTH,
        protection: {
          tags: { value: ['hipaa'], setBy: ADMIN },
          guardrails: { value: ['injection'], setBy: ADMIN },
          opted_out_global_guardrails: { value: ['secrets'], setBy: ADMIN },
        },
      }),
    );
    await keys.insert(newKey('u', { alias: { value: 'u', setBy: USER } }));
  });
  await policy({ policy_name: 'team-policy', guardrails_add: ['pii'] });
  await policy({ policy_name: 'tag-policy', guardrails_add: ['toxicity'] });
  await attach({ policy_name: 'team-policy', teams: ['health'] });
  await attach({ policy_name: 'tag-policy', tags: ['hip*'] });
}

describe('POST /policies/resolve', () => {
  test('answers in the shape of the reference, globals included (Q1, D-54)', async () => {
    await scene();
    expect((await resolve({ team_alias: 'health', tags: ['hipaa'] })).body).toEqual({
      effective_guardrails: ['pii', 'secrets', 'toxicity'],
      matched_policies: [
        { policy_name: 'tag-policy', matched_via: 'tag:hipaa', guardrails_added: ['toxicity'] },
        { policy_name: 'team-policy', matched_via: 'team:health', guardrails_added: ['pii'] },
      ],
    });
    const nothing = await resolve({ model: 'gpt-5' });
    expect(nothing.body).toEqual({ effective_guardrails: ['secrets'], matched_policies: [] });
  });

  test('a stored key brings its team, tags, guardrails and opt-outs (Q1, D-54)', async () => {
    await scene();
    for (const question of [{ key_alias: 'k' }, { key_hash: hashLike('k') }]) {
      const answer = await resolve({ ...question, explain: true });
      expect(answer.body).toMatchObject({
        effective_guardrails: ['injection', 'pii', 'toxicity'],
        key: 'stored',
        opt_outs: [{ guardrail: 'secrets', source: 'key', effective: true }],
        revision: 4,
      });
      expect(answer.body).not.toHaveProperty('hypothetical');
    }
  });

  test('a name that nobody has is taken as it is, and marked (Q1)', async () => {
    await scene();
    const answer = await resolve({ team_alias: 'helath', key_alias: 'x' });
    expect(answer.body).toMatchObject({ hypothetical: true, matched_policies: [] });
  });

  test('an alias of several teams is 409 asking for the id (Q1, D-48)', async () => {
    await scene();
    const answer = await resolve({ team_alias: 'twin' });
    expect(answer.status).toBe(409);
    expect(answer.body.error.team_ids).toEqual(['twin-1', 'twin-2']);
    expect((await resolve({ team_id: 'twin-1' })).status).toBe(200);
    expect((await resolve({ team_id: 'twin-1', team_alias: 'health' })).status).toBe(422);
  });

  test('explains every attachment with all its dimensions, and near misses (Q1)', async () => {
    await scene();
    const { body } = await resolve({ team_alias: 'health', caller_tags: ['x'], explain: true });
    expect(body.attachments).toHaveLength(2);
    expect(body.near_misses).toMatchObject([
      { policy_name: 'tag-policy', failed: { dimension: 'tags.any', constraint: ['hip*'], passes: false } },
    ]);
    expect(body.plan_hash).toMatch(/^[0-9a-f]{64}$/u);
    expect(body.hooks.pre_call.map(({ name }: { name: string }) => name)).toEqual(['pii', 'secrets']);
  });

  test('an alias that a user chose is no trusted fact, as at run time (M7, D-48)', async () => {
    await scene();
    await attach({ policy_name: 'team-policy', keys: ['u'] });
    const { body } = await resolve({ key_alias: 'u', explain: true });
    const report = body.attachments.find((one: { dimensions: { dimension: string }[] }) =>
      one.dimensions.some(({ dimension }) => dimension === 'keys'),
    );
    expect(report).toMatchObject({ effect: 'applies', trusted: false });
  });

  test('a draft can be tried by its version id, an unknown policy is refused as the gateway does (A4, A5, D-31)', async () => {
    await scene();
    const draft = await plane.ok('POST /policies/name/:policy_name/versions', {
      params: { policy_name: 'team-policy' },
      body: {},
    });
    await plane.ok('PUT /policies/:policy_id', {
      params: { policy_id: draft.policy_id },
      body: { guardrails_add: ['injection'] },
    });
    const tried = await resolve({ policies: [`policy_${draft.policy_id}`] });
    expect(tried.body.effective_guardrails).toEqual(['injection', 'secrets']);
    const unknown = await resolve({ policies: ['nobody'] });
    expect([unknown.status, unknown.body.error.portcullis_code]).toEqual([400, 'unknown_policy']);
    const explained = await resolve({ policies: ['nobody'], explain: true });
    expect(explained.body.refusals).toMatchObject([{ code: 'unknown_policy', names: ['nobody'] }]);
  });

  test('unknown fields are 422, an empty question is allowed (D-10)', async () => {
    expect((await resolve({ team: 'x' })).status).toBe(422);
    expect((await resolve({})).status).toBe(200);
    expect((await resolve({}, { force_sync: 'true' })).status).toBe(200);
  });
});

describe('POST /policy/test', () => {
  test('honours conditions in both lists (D-54)', async () => {
    await policy({ policy_name: 'p', guardrails_add: ['pii'], condition: { model: 'gpt-5' } });
    await attach({ policy_name: 'p', scope: '*' });
    const ask = (body: object) => plane.call('POST /policy/test', { body });
    expect((await ask({ model: 'gpt-5' })).body).toEqual({
      context: { team_alias: null, key_alias: null, model: 'gpt-5', tags: null },
      matching_policies: ['p'],
      resolved_guardrails: ['pii'],
    });
    expect((await ask({ model: 'other' })).body).toMatchObject({
      matching_policies: [],
      resolved_guardrails: [],
      message: expect.any(String),
    });
    expect((await ask({ explain: true })).status).toBe(422);
  });
});

describe('POST /policy/validate', () => {
  const validate = (policies: object) => plane.call('POST /policy/validate', { body: { policies } });

  test('finds what the compiler of the gateway finds, also without any guardrail (D-53)', async () => {
    expect((await validate({ good: { guardrails: ['pii'] } })).body).toEqual({
      valid: true,
      errors: [],
      warnings: [],
    });
    const { body } = await validate({
      a: { inherit: 'b', guardrails: ['pii'] },
      b: { inherit: 'a', guardrails: ['pii'] },
      c: { inherit: 'nobody', guardrails: { add: ['pi'] } },
    });
    expect(body.valid).toBe(false);
    expect(body.errors).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ policy_name: 'a', error_type: 'circular_inheritance' }),
        expect.objectContaining({ policy_name: 'b', error_type: 'circular_inheritance' }),
        expect.objectContaining({ policy_name: 'c', error_type: 'invalid_inheritance', field: 'inherit' }),
        expect.objectContaining({ policy_name: 'c', error_type: 'invalid_guardrail' }),
      ]),
    );
    await plane.configure({ guardrails: [] });
    expect((await validate({ good: { guardrails: ['pii'] } })).body.valid).toBe(false);
  });

  test('names the field of what cannot be read at all (D-10)', async () => {
    const { body } = await validate({ a: { gaurdrails: ['pii'] }, 'b/c': {} });
    expect(body.errors).toMatchObject([
      { policy_name: 'a', error_type: 'invalid_syntax' },
      { policy_name: 'b/c', error_type: 'invalid_syntax' },
    ]);
    const extra = await plane.call('POST /policy/validate', { body: { policies: {}, x: 1 } });
    expect(extra.status).toBe(422);
  });

  test('sees what a definition would break in others', async () => {
    await policy({ policy_name: 'base', guardrails_add: ['pii'] });
    await policy({ policy_name: 'child', inherit: 'base', guardrails_remove: ['pii'] });
    const { body } = await validate({ base: { guardrails: { add: ['pii'], lock: ['pii'] } } });
    expect(body.errors).toMatchObject([{ policy_name: 'child', error_type: 'invalid_guardrail' }]);
  });
});

describe('GET /policy/list and /policy/info', () => {
  test('hold scope, guardrails and the total (D-63)', async () => {
    await plane.configure({ policies: yamlPolicies({ base: { guardrails: ['pii'] } }) });
    await policy({ policy_name: 'p', inherit: 'base', guardrails_add: ['toxicity'] });
    await attach({ policy_name: 'p', scope: '*', tags: { none: ['x'] } });
    await attach({ policy_name: 'p', tags: ['t'], models: ['gpt-5'] });
    const item = {
      inherit: 'base',
      scope: { teams: ['*'], keys: ['*'], models: ['*', 'gpt-5'], tags: ['t'] },
      guardrails: { add: ['toxicity'], remove: [] },
      resolved_guardrails: ['pii', 'toxicity'],
      inheritance_chain: ['base', 'p'],
    };
    const list = await plane.ok('GET /policy/list');
    expect(list).toMatchObject({ policies: { p: item, base: { inherit: null } }, total_count: 2 });
    const params = { policy_name: 'p' };
    expect(await plane.ok('GET /policy/info/:policy_name', { params })).toMatchObject({
      policy_name: 'p',
      ...item,
    });
    const unknown = await plane.call('GET /policy/info/:policy_name', { params: { policy_name: 'x' } });
    expect([unknown.status, unknown.body.detail]).toEqual([404, "Policy 'x' not found"]);
  });
});

describe('GET /policies/documents', () => {
  test('with the context of an answer, the engine elsewhere makes the same plan (A6, Q1)', async () => {
    await scene();
    const answer = (await resolve({ key_alias: 'u', team_alias: 'health', tags: ['hipaa'], explain: true }))
      .body;
    const told = (await plane.ok('GET /policies/documents')) as {
      revision: number;
      documents: Documents;
      served_hooks: Record<string, Hook[]>;
    };
    expect(told.revision).toBe(answer['revision']);
    // As over the wire: nothing but JSON.
    const { documents, served_hooks: hooks } = JSON.parse(JSON.stringify(told)) as typeof told;
    const compiled = compile(documents, ({ guardrail_name }) => ({
      hooks: hooks[guardrail_name] ?? [],
      masks: false,
    }));
    if (!compiled.ok) throw new Error(compiled.findings.map(({ message }) => message).join());
    const here = explain(compiled.snapshot, answer['context'] as Context);
    expect(here.plan?.hash).toBe(answer['plan_hash']);
    expect(here.attachments).toEqual(answer['attachments']);
  });

  test('tells of a guardrail only what the engine reads: no secret and no pattern', async () => {
    await plane.configure({
      guardrails: [
        ...EMPTY_CONFIG.guardrails,
        guardrail('remote', { default_on: true, api_key: 'sk-secret', patterns: ['hidden'] }),
      ],
    });
    const told = JSON.stringify(await plane.ok('GET /policies/documents'));
    expect(told).toContain('"guardrail_name":"remote"');
    expect(told).not.toMatch(/sk-secret|hidden|patterns|api_key/u);
  });
});
