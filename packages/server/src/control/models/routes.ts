import { randomUUID } from 'node:crypto';
import {
  type DeleteModel,
  deleteModelSchema,
  FieldsError,
  type ModelInfoQuery,
  modelInfoQuerySchema,
  type NewModel,
  newModelSchema,
  PortcullisError,
  type UpdateModel,
  updateModelSchema,
} from '@portcullis/contract';
import type { ModelReader, WrittenModel } from '../../ports/model-reader.ts';
import type { StoredModel } from '../../ports/policy-store.ts';
import type { PolicyChange } from '../changes/change.ts';
import type { ChangeMaker } from '../changes/transact.ts';
import { type ControlContext, seesAll } from '../context.ts';
import { unmasked } from '../guardrails/masking.ts';
import { withoutNulls } from '../guardrails/write.ts';
import type { Route } from '../route.ts';
import { modelSecretPaths, movedSecrets } from './masking.ts';
import { modelRow } from './shape.ts';

/** Models of the database. They join those of the configuration file in the next snapshot, on every replica. */
export function modelRoutes(context: ControlContext, changes: ChangeMaker): readonly Route[] {
  return [
    modelInfoRoute(context, '/model/info'),
    modelInfoRoute(context, '/v1/model/info'),
    newModelRoute(context, changes),
    updateModelRoute(context, changes),
    deleteModelRoute(context, changes),
  ];
}

/** `GET /model/info`: the deployments behind the models that the caller may call. */
function modelInfoRoute(
  { catalogue, database, modelReader }: ControlContext,
  path: '/model/info' | '/v1/model/info',
): Route<unknown, ModelInfoQuery> {
  return {
    method: 'GET',
    path,
    permission: 'any_key',
    query: modelInfoQuerySchema,
    async handler({ query, identity }) {
      const listed = catalogue.models(identity);
      if (listed === null) throw new PortcullisError('policy_not_ready', 'No policy snapshot is loaded yet.');
      const wanted = query.litellm_model_id;
      const shown = listed.filter(({ id }) => wanted === undefined || id === wanted);
      if (wanted !== undefined && shown.length === 0) throw modelNotFound(wanted);
      if (!seesAll(identity)) return { body: { data: shown.map(({ row }) => row) } };
      const stored = new Map(
        (await database.stores.policies.models()).map((one) => [one.model.model_id, one]),
      );
      const rows = shown.map(({ id, row }) => {
        const one = stored.get(id);
        return one === undefined ? row : withSettings(row, one, modelReader);
      });
      return { body: { data: rows } };
    },
  };
}

/** A row of the snapshot with the settings that it was made of. */
function withSettings(
  row: Readonly<Record<string, unknown>>,
  stored: StoredModel,
  reader: ModelReader,
): Readonly<Record<string, unknown>> {
  const { model_info: fromSnapshot, ...rest } = row;
  const { litellm_params, model_info } = modelRow(stored, reader);
  return { ...rest, litellm_params, model_info: { ...(model_info as object), ...(fromSnapshot as object) } };
}

function newModelRoute({ modelReader }: ControlContext, changes: ChangeMaker): Route<NewModel> {
  return {
    method: 'POST',
    path: '/model/new',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: newModelSchema,
    handler(input) {
      const { body } = input;
      return changes.change(input, 'model.create', async (change) => {
        const { id, ...info } = body.model_info ?? {};
        const modelId = id ?? randomUUID();
        if (change.model(modelId) !== null) {
          throw new PortcullisError('name_taken', `A model with id ${modelId} already exists.`, {
            param: 'model_info.id',
          });
        }
        refuseConfigured(change, modelId);
        const params = meant(body.litellm_params, null);
        const { by } = change.actor;
        const written = { modelId, modelName: body.model_name, params, info };
        return put(change, modelReader, written, { createdAtMs: change.nowMs, createdBy: by });
      });
    },
  };
}

function updateModelRoute({ modelReader }: ControlContext, changes: ChangeMaker): Route<UpdateModel> {
  return {
    method: 'POST',
    path: '/model/update',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: updateModelSchema,
    handler(input) {
      const { body } = input;
      return changes.change(input, 'model.update', async (change) => {
        const modelId = body.model_id ?? body.model_info?.id ?? '';
        const stored = requireModel(change, modelId);
        const current = modelReader.open(stored.model);
        const { id: _id, db_model: _origin, ...info } = body.model_info ?? {};
        const params = meant({ ...current.params, ...body.litellm_params }, current.params);
        const moved = movedSecrets(current.params, params);
        if (moved.length > 0) throw new FieldsError(moved);
        const written = {
          modelId,
          modelName: body.model_name ?? current.modelName,
          params,
          info: withoutNulls({ ...current.info, ...info }),
        };
        return put(change, modelReader, written, stored);
      });
    },
  };
}

function deleteModelRoute(_context: ControlContext, changes: ChangeMaker): Route<DeleteModel> {
  return {
    method: 'POST',
    path: '/model/delete',
    permission: 'admin',
    recordsEveryRefusal: true,
    body: deleteModelSchema,
    handler(input) {
      const { id } = input.body;
      return changes.change(input, 'model.delete', async (change) => {
        requireModel(change, id);
        change.deleteModel(id);
        return { message: `Model: ${id} deleted successfully` };
      });
    },
  };
}

/** The settings as they are meant, without those that were taken away and with the secrets that masks stand for. */
function meant(
  written: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>> | null,
): Readonly<Record<string, unknown>> {
  const given = withoutNulls(written);
  const { params, problems } = unmasked(given, modelSecretPaths(given), current);
  if (problems.length === 0) return params;
  throw new FieldsError(
    problems.map((problem) => ({ ...problem, loc: ['body', 'litellm_params', ...problem.loc] })),
  );
}

function put(
  change: PolicyChange,
  reader: ModelReader,
  written: WrittenModel,
  made: Pick<StoredModel, 'createdAtMs' | 'createdBy'>,
): Readonly<Record<string, unknown>> {
  const read = reader.read(written);
  if (!read.ok) {
    throw new FieldsError(
      read.problems.map(({ path, message }) => ({ loc: ['body', ...path], msg: message, type: 'value' })),
    );
  }
  const { modelId, modelName, params, info } = written;
  const stored: StoredModel = {
    model: {
      model_id: modelId,
      model_name: modelName,
      provider_model: read.model.deployment.model,
      guardrails: [...read.model.guardrails],
      sealed_params: reader.seal(modelId, params),
      model_info: info,
    },
    createdAtMs: made.createdAtMs,
    createdBy: made.createdBy,
    updatedAtMs: change.nowMs,
    updatedBy: change.actor.by,
  };
  change.putModel(stored);
  const { ignored } = read;
  return { ...modelRow(stored, reader), ...(ignored.length === 0 ? {} : { ignored_settings: ignored }) };
}

function requireModel(change: PolicyChange, modelId: string): StoredModel {
  const stored = change.model(modelId);
  if (stored !== null) return stored;
  refuseConfigured(change, modelId);
  throw modelNotFound(modelId);
}

/** A model of the configuration file can be changed in the file alone (S7). */
function refuseConfigured({ configured }: PolicyChange, modelId: string): void {
  if (!configured.modelIds.has(modelId)) return;
  throw new PortcullisError(
    'defined_in_config',
    `Model '${modelId}' is defined in config.yaml and can only be changed there`,
    { param: 'id' },
  );
}

function modelNotFound(modelId: string): PortcullisError {
  return new PortcullisError('not_found', `Model with id=${modelId} not found`, { param: 'id' });
}
