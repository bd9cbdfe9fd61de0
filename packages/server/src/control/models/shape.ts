import { SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { ModelReader } from '../../ports/model-reader.ts';
import type { StoredModel } from '../../ports/policy-store.ts';
import { maskedModelParams } from './masking.ts';

type Row = Readonly<Record<string, unknown>>;

/** A model of the database as administrators see it: with its settings, and every secret masked. */
export function modelRow({ model, ...written }: StoredModel, reader: ModelReader): Row {
  return {
    model_id: model.model_id,
    model_name: model.model_name,
    litellm_params: shownParams(model, reader),
    model_info: { ...model.model_info, id: model.model_id, db_model: true },
    created_at: new Date(written.createdAtMs).toISOString(),
    created_by: written.createdBy,
    updated_at: new Date(written.updatedAtMs).toISOString(),
    updated_by: written.updatedBy,
  };
}

/** What cannot be opened cannot be shown either; it is still there, to be entered again or deleted. */
function shownParams(model: StoredModel['model'], reader: ModelReader): Row {
  try {
    return maskedModelParams(reader.open(model).params);
  } catch (error) {
    if (!(error instanceof SecretProblem)) throw error;
    return { model: model.provider_model, problem: error.message };
  }
}
