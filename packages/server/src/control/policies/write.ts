import { randomUUID } from 'node:crypto';
import {
  type CreatePolicy,
  createPolicySchema,
  FieldsError,
  type NewVersion,
  newVersionSchema,
  PortcullisError,
  type UpdatePolicy,
  updatePolicySchema,
} from '@portcullis/contract';
import { editProblem, type Policy } from '@portcullis/policy';
import type { StoredPolicy } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { Route } from '../route.ts';
import { requireVersion, versionAnswer } from './access.ts';

/** `POST /policies`: the first version of a name, in production unless something says otherwise (V3, D-24). */
export function createPolicyRoute(changes: ChangeMaker): Route<CreatePolicy> {
  return {
    method: 'POST',
    path: '/policies',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: createPolicySchema,
    handler: (input) => changes.change(input, 'policy.create', (change) => createPolicy(change, input.body)),
  };
}

/** Puts the first version of a name, as one part of a change. @throws PortcullisError `name_taken`. */
export async function createPolicy(
  change: PolicyChange,
  body: CreatePolicy,
): Promise<Readonly<Record<string, unknown>>> {
  const { policy_name } = body;
  change.subject = { section: 'policies', name: policy_name };
  if (change.versions(policy_name).length > 0) {
    throw new PortcullisError('name_taken', `Policy with name '${policy_name}' already exists`, {
      param: 'policy_name',
    });
  }
  const status = body.version_status ?? change.configured.createAs;
  const stored = await newVersion(change, {
    ...EMPTY,
    ...givenContent(body),
    policy_name,
    version_status: status,
  });
  const whole: StoredPolicy = {
    ...stored,
    note: body.note ?? null,
    productionAtMs: status === 'production' ? change.nowMs : null,
  };
  change.putPolicy(whole);
  return versionAnswer(change, whole);
}

/** `PUT /policies/{policy_id}`: given fields of a draft; `null` clears (V4, D-25). */
export function updatePolicyRoute(changes: ChangeMaker): Route<UpdatePolicy> {
  return {
    method: 'PUT',
    path: '/policies/:policy_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: updatePolicySchema,
    handler: (input) =>
      changes.change(input, 'policy.update', async (change) => {
        const { body, params } = input;
        const stored = requireVersion(change, params['policy_id'] ?? '');
        const { policy } = stored;
        change.subject = { section: 'policies', name: policy.policy_name };
        const problem = editProblem(policy.version_status);
        if (problem !== null) throw new PortcullisError('not_editable', problem);
        if (typeof body.policy_name === 'string' && body.policy_name !== policy.policy_name) {
          throw new FieldsError([
            {
              loc: ['body', 'policy_name'],
              msg: `a policy is renamed with all its versions: POST /policies/name/${encodeURIComponent(policy.policy_name)}/rename`,
              type: 'rename',
            },
          ]);
        }
        const edited: StoredPolicy = {
          ...stored,
          policy: { ...policy, ...givenContent(body) },
          note: body.note === undefined ? stored.note : body.note,
          updatedAtMs: change.nowMs,
          updatedBy: change.actor.by,
        };
        change.putPolicy(edited);
        return versionAnswer(change, edited);
      }),
  };
}

/** `POST /policies/name/{policy_name}/versions`: a draft copied from a version, the production one by default. */
export function newVersionRoute(changes: ChangeMaker): Route<NewVersion> {
  return {
    method: 'POST',
    path: '/policies/name/:policy_name/versions',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: newVersionSchema,
    handler: (input) =>
      changes.change(input, 'policy.version', async (change) => {
        const name = input.params['policy_name'] ?? '';
        change.subject = { section: 'policies', name };
        const source = sourceOf(change, name, input.body.source_policy_id ?? null);
        const stored = await newVersion(change, { ...source, version_status: 'draft' });
        const whole = { ...stored, parentVersionId: source.policy_id, note: input.body.note ?? null };
        change.putPolicy(whole);
        return versionAnswer(change, whole);
      }),
  };
}

function sourceOf(change: PolicyChange, name: string, sourceId: string | null): Policy {
  const configured = (id: string) => change.configured.policies.find(({ policy_id }) => policy_id === id);
  if (sourceId === null) {
    const source = change.production(name)?.policy ?? configured(name);
    if (source !== undefined) return source;
    throw new PortcullisError('not_found', `No production version found for policy '${name}'`, {
      param: 'policy_name',
    });
  }
  const source = change.policy(sourceId)?.policy ?? configured(sourceId);
  if (source === undefined) {
    throw new PortcullisError('not_found', `Source policy ${sourceId} not found`, {
      param: 'source_policy_id',
    });
  }
  if (source.policy_name === name) return source;
  throw new PortcullisError(
    'source_mismatch',
    `Source policy name '${source.policy_name}' does not match '${name}'`,
    { param: 'source_policy_id' },
  );
}

type Content = Omit<
  Policy,
  'policy_id' | 'policy_name' | 'version_number' | 'version_status' | 'definition_location'
>;

const EMPTY: Content = {
  inherit: null,
  description: null,
  guardrails_add: [],
  guardrails_remove: [],
  guardrails_lock: [],
  condition: null,
  pipeline: null,
  unscanned: null,
};

/** The fields that a body gives. `null` for a list is "not given", as in the reference. */
function givenContent(body: UpdatePolicy): Partial<Content> {
  const { inherit, description, condition, pipeline, unscanned } = body;
  const { guardrails_add: add, guardrails_remove: remove, guardrails_lock: lock } = body;
  return {
    ...(inherit === undefined ? {} : { inherit }),
    ...(description === undefined ? {} : { description }),
    ...(condition === undefined ? {} : { condition }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(unscanned === undefined ? {} : { unscanned }),
    ...(add === undefined || add === null ? {} : { guardrails_add: add }),
    ...(remove === undefined || remove === null ? {} : { guardrails_remove: remove }),
    ...(lock === undefined || lock === null ? {} : { guardrails_lock: lock }),
  };
}

/** A new row with the next number of its name, which no deleted version had (D-19, D-79). */
async function newVersion(
  { stores, nowMs, actor }: PolicyChange,
  policy: Omit<Policy, 'policy_id' | 'version_number' | 'definition_location'>,
): Promise<StoredPolicy> {
  const number = await stores.policies.nextVersionNumber(policy.policy_name);
  return {
    policy: {
      ...policy,
      policy_id: randomUUID(),
      version_number: number,
      definition_location: 'db',
    },
    parentVersionId: null,
    note: null,
    publishedAtMs: null,
    productionAtMs: null,
    createdAtMs: nowMs,
    createdBy: actor.by,
    updatedAtMs: nowMs,
    updatedBy: actor.by,
  };
}
