import { type Guardrail, mergeObjects, type ModelGroup } from '@portcullis/policy';
import type { ReadModel } from '../ports/model-reader.ts';
import type { DeployedGroup } from '../ports/models.ts';
import type { ModelDocument, StoredDocuments } from '../ports/policy-store.ts';
import type { SnapshotSource } from './build.ts';

/** What opens the secrets of stored objects. */
export interface Openers<Config> {
  /** @throws SecretProblem when a secret cannot be opened. */
  readonly openGuardrail: (guardrail: Guardrail) => Guardrail;
  /** @throws when the settings cannot be opened, or are none for this version. */
  readonly openModel: (model: ModelDocument, config: Config) => ReadModel;
}

/**
 * What a snapshot is made of: the configuration and the documents of the database at one revision, with open secrets (S7).
 * @throws SecretProblem naming the object whose secret cannot be opened.
 */
export function mergedSource<Config extends SnapshotSource>(
  config: Config,
  stored: Pick<StoredDocuments, 'policies' | 'attachments' | 'guardrails' | 'models'>,
  { openGuardrail, openModel }: Openers<Config>,
): SnapshotSource {
  const { policies, attachments, guardrails } = mergeObjects(config, {
    policies: stored.policies.map(({ policy }) => policy),
    attachments: stored.attachments.map(({ attachment }) => attachment),
    guardrails: stored.guardrails.map(({ guardrail }) => openGuardrail(guardrail)),
  });
  const models = stored.models.map(({ model }) => openModel(model, config));
  return { ...config, policies, attachments, guardrails, ...withModels(config, models) };
}

/** The deployments of the database join the group of their name, after those of the configuration file. */
function withModels(
  config: SnapshotSource,
  models: readonly ReadModel[],
): Pick<SnapshotSource, 'modelGroups' | 'deployedGroups'> {
  const groups = new Map(config.modelGroups.map((group) => [group.model_name, group]));
  const deployed = new Map(config.deployedGroups.map((group) => [group.name, group]));
  const ids = new Set(config.deployedGroups.flatMap(({ deployments }) => deployments.map(({ id }) => id)));
  for (const { modelName, guardrails, deployment } of models) {
    if (ids.has(deployment.id)) {
      throw new Error(
        `the model ${deployment.id} is in the database and in the configuration file: change its id in the file, or delete it with POST /model/delete`,
      );
    }
    const group: ModelGroup = groups.get(modelName) ?? { model_name: modelName, deployments: [] };
    const added = { model: deployment.model, guardrails: [...guardrails] };
    groups.set(modelName, { ...group, deployments: [...group.deployments, added] });
    const ready: DeployedGroup = deployed.get(modelName) ?? { name: modelName, deployments: [] };
    deployed.set(modelName, { ...ready, deployments: [...ready.deployments, deployment] });
  }
  return { modelGroups: [...groups.values()], deployedGroups: [...deployed.values()] };
}
