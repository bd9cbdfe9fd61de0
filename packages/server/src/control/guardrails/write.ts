import { randomUUID } from 'node:crypto';
import {
  type DeleteGuardrailQuery,
  deleteGuardrailQuerySchema,
  FieldsError,
  type PatchGuardrail,
  patchGuardrailSchema,
  PortcullisError,
  type WriteGuardrail,
  writeGuardrailSchema,
} from '@portcullis/contract';
import type { Guardrail } from '@portcullis/policy';
import { SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { StoredGuardrail } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { guardrailNotFound } from './access.ts';
import { readCandidate, type WrittenGuardrail } from './candidate.ts';
import { dependentsOf, refuseDependents, removeName } from './dependents.ts';
import { guardrailRow } from './shape.ts';

/** `POST /guardrails`. */
export function createGuardrailRoute(context: ControlContext, changes: ChangeMaker): Route<WriteGuardrail> {
  const { secrets } = context.guardrails;
  return {
    method: 'POST',
    path: '/guardrails',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: writeGuardrailSchema,
    handler(input) {
      const { guardrail: written } = input.body;
      return changes.change(input, 'guardrail.create', async (change) => {
        if (typeof written.guardrail_id === 'string') {
          throw new FieldsError([
            {
              loc: ['body', 'guardrail', 'guardrail_id'],
              msg: 'is given by the server; leave it out, or change the guardrail with PUT /guardrails/{id}',
              type: 'read_only',
            },
          ]);
        }
        const candidate = readCandidate(wholeOf(randomUUID(), written), {
          ...context.guardrails,
          root: ['guardrail'],
          current: null,
        });
        const stored = putNew(context, change, candidate, {
          createdBy: change.actor.by,
          root: ['guardrail'],
        });
        return guardrailRow(stored, secrets);
      });
    },
  };
}

/** `PUT /guardrails/{id}`: replaces the whole guardrail, except for secrets that come back masked. */
export function replaceGuardrailRoute(context: ControlContext, changes: ChangeMaker): Route<WriteGuardrail> {
  return {
    method: 'PUT',
    path: '/guardrails/:guardrail_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: writeGuardrailSchema,
    handler(input) {
      const id = input.params['guardrail_id'] ?? '';
      const { guardrail: written } = input.body;
      return changes.change(input, 'guardrail.replace', async (change) => {
        const stored = storedOf(change, id);
        if (typeof written.guardrail_id === 'string' && written.guardrail_id !== id) {
          throw new FieldsError([
            {
              loc: ['body', 'guardrail', 'guardrail_id'],
              msg: 'differs from the id in the path',
              type: 'value',
            },
          ]);
        }
        const candidate = readCandidate(wholeOf(id, written), {
          ...context.guardrails,
          root: ['guardrail'],
          // Secrets that cannot be opened any more are entered again: nothing masked can stand for them.
          current: opened(context, stored)?.litellm_params ?? null,
        });
        return replace(context, change, { before: stored, candidate, root: ['guardrail'] });
      });
    },
  };
}

/** `PATCH /guardrails/{id}`: only given fields change; of `litellm_params` only given settings, and `null` takes one away. */
export function patchGuardrailRoute(context: ControlContext, changes: ChangeMaker): Route<PatchGuardrail> {
  return {
    method: 'PATCH',
    path: '/guardrails/:guardrail_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: patchGuardrailSchema,
    handler(input) {
      const { body, params } = input;
      return changes.change(input, 'guardrail.update', async (change) => {
        const stored = storedOf(change, params['guardrail_id'] ?? '');
        const current = opened(context, stored);
        if (current === null) {
          throw new FieldsError([
            {
              loc: ['body', 'litellm_params'],
              msg: 'a stored secret cannot be opened; send the whole guardrail with PUT, its secrets included',
              type: 'secret_unreadable',
            },
          ]);
        }
        const written: WrittenGuardrail = {
          guardrail_id: current.guardrail_id,
          guardrail_name: body.guardrail_name ?? current.guardrail_name,
          litellm_params: withoutNulls({ ...current.litellm_params, ...body.litellm_params }),
          guardrail_info:
            body.guardrail_info === undefined ? current.guardrail_info : (body.guardrail_info ?? {}),
          policy_template:
            body.policy_template === undefined ? current.policy_template : body.policy_template,
        };
        const candidate = readCandidate(written, {
          ...context.guardrails,
          root: [],
          current: current.litellm_params,
        });
        return replace(context, change, { before: stored, candidate, root: [] });
      });
    },
  };
}

/** `DELETE /guardrails/{id}`: not while something names it, unless `force=true` takes the name out there too (V6). */
export function deleteGuardrailRoute(
  _context: ControlContext,
  changes: ChangeMaker,
): Route<unknown, DeleteGuardrailQuery> {
  return {
    method: 'DELETE',
    path: '/guardrails/:guardrail_id',
    permission: 'admin',
    recordsEveryRefusal: true,
    query: deleteGuardrailQuerySchema,
    handler(input) {
      const { params, query, callId } = input;
      return changes.change(input, 'guardrail.delete', async (change) => {
        const { guardrail_id: id, guardrail_name: name } = storedOf(
          change,
          params['guardrail_id'] ?? '',
        ).guardrail;
        const found = await dependentsOf(change, id, name);
        const fixed = found.told.filter((dependent) => dependent.definition_location === 'config');
        // Not even force reaches into the configuration file.
        refuseDependents('deleted', name, query.force ? fixed : found.told);
        if (query.force) await removeName(change, name, found, callId);
        change.deleteGuardrail(id);
        return {
          message: `Guardrail ${id} deleted successfully`,
          ...(query.force ? { removed: found.told } : {}),
        };
      });
    },
  };
}

/** Puts a guardrail that is new to the database. @throws PortcullisError `name_taken`. */
export function putNew(
  { guardrails: { secrets } }: ControlContext,
  change: PolicyChange,
  candidate: Guardrail,
  { createdBy, root }: { readonly createdBy: string; readonly root: readonly string[] },
): StoredGuardrail {
  refuseTakenName(change, candidate);
  const { nowMs: at } = change;
  const stored: StoredGuardrail = {
    guardrail: secrets.seal(candidate),
    createdAtMs: at,
    createdBy,
    updatedAtMs: at,
    updatedBy: createdBy,
  };
  change.subject = { section: 'guardrails', name: candidate.guardrail_name, root };
  change.putGuardrail(stored);
  return stored;
}

interface Replacement {
  readonly before: StoredGuardrail;
  readonly candidate: Guardrail;
  /** Where the guardrail is in the body. */
  readonly root: readonly string[];
}

async function replace(
  { guardrails: { secrets } }: ControlContext,
  change: PolicyChange,
  { before, candidate, root }: Replacement,
): Promise<Readonly<Record<string, unknown>>> {
  const { guardrail_id: id, guardrail_name: name } = before.guardrail;
  if (candidate.guardrail_name !== name) {
    refuseTakenName(change, candidate);
    refuseDependents('renamed', name, (await dependentsOf(change, id, name)).told);
  }
  const stored: StoredGuardrail = {
    ...before,
    guardrail: secrets.seal(candidate),
    updatedAtMs: change.nowMs,
    updatedBy: change.actor.by,
  };
  change.subject = { section: 'guardrails', name: candidate.guardrail_name, root };
  change.putGuardrail(stored);
  return guardrailRow(stored, secrets);
}

/** In the database a name is given once, and none that the configuration file uses: the two would take turns. */
function refuseTakenName(
  { objects, configured }: PolicyChange,
  { guardrail_id: id, guardrail_name: name }: Guardrail,
): void {
  const isConfigured = configured.guardrails.some(({ guardrail_name }) => guardrail_name === name);
  const isStored = [...objects.guardrails.values()].some(
    ({ guardrail }) => guardrail.guardrail_name === name && guardrail.guardrail_id !== id,
  );
  if (!isConfigured && !isStored) return;
  throw new PortcullisError(
    'name_taken',
    `Guardrail '${name}' already exists${isConfigured ? ' in the configuration file' : ''}.`,
    { param: 'guardrail_name' },
  );
}

/** @throws PortcullisError `defined_in_config` for one of the configuration file (S7), `not_found` for none at all. */
function storedOf({ objects, configured }: PolicyChange, id: string): StoredGuardrail {
  const stored = objects.guardrails.get(id);
  if (stored !== undefined) return stored;
  if (configured.guardrails.some(({ guardrail_id }) => guardrail_id === id)) {
    throw new PortcullisError(
      'defined_in_config',
      `Guardrail '${id}' is defined in config.yaml and can only be changed there`,
    );
  }
  throw guardrailNotFound(id);
}

function opened(
  { guardrails: { secrets } }: ControlContext,
  { guardrail }: StoredGuardrail,
): Guardrail | null {
  try {
    return secrets.open(guardrail);
  } catch (error) {
    if (error instanceof SecretProblem) return null;
    throw error;
  }
}

function wholeOf(id: string, written: WriteGuardrail['guardrail']): WrittenGuardrail {
  return {
    guardrail_id: id,
    guardrail_name: written.guardrail_name,
    litellm_params: written.litellm_params,
    guardrail_info: written.guardrail_info ?? {},
    policy_template: written.policy_template ?? null,
  };
}

export function withoutNulls(params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null));
}
