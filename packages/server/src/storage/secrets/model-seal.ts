import { SecretProblem } from '../../ports/guardrail-secrets.ts';
import type { ModelReader, WrittenModel } from '../../ports/model-reader.ts';
import type { TextSealer } from '../../ports/sso.ts';

/** Keeps the settings of a model as one sealed text, bound to the model: any of them may hold a secret. */
export function modelSeal(sealer: TextSealer): Pick<ModelReader, 'seal' | 'open'> {
  const purpose = (modelId: string): string => `model ${modelId}`;
  return {
    seal: (modelId, params) => sealer.seal(purpose(modelId), JSON.stringify(params)),

    open({ model_id: modelId, model_name: modelName, sealed_params, model_info: info }) {
      const text = sealer.open(purpose(modelId), sealed_params);
      if (text === null) {
        throw new SecretProblem(
          `The settings of model "${modelName}" (${modelId}) were encrypted with a key that this process does not have, or changed outside this product: give that key in PORTCULLIS_OLD_SALT_KEYS, or enter the model again.`,
        );
      }
      const params = JSON.parse(text) as WrittenModel['params'];
      return { modelId, modelName, params, info };
    },
  };
}
