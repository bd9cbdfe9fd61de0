import type { ModelNames } from '@portcullis/policy';
import type { DeployedGroup, Deployment } from '../ports/models.ts';

/** One deployment of the group, by weight. `random` is in [0, 1). */
export function chooseDeployment(group: DeployedGroup, random: number): Deployment {
  const { deployments } = group;
  const [first] = deployments;
  if (first === undefined) throw new TypeError('a model group has at least one deployment');
  if (deployments.length === 1) return first;
  let total = 0;
  for (const { weight } of deployments) total += weight;
  let left = random * total;
  for (const deployment of deployments) {
    left -= deployment.weight;
    if (left < 0) return deployment;
  }
  return first;
}

/**
 * The name the provider knows the model by. `*` in the deployment's name stands for what the wildcard of the group stood
 * for; after an alias it is read off the names that the engine computed (M8).
 */
export function upstreamModelName(deployment: Deployment, group: DeployedGroup, names: ModelNames): string {
  if (!deployment.upstreamModel.includes('*')) return deployment.upstreamModel;
  return deployment.upstreamModel.replace('*', () => wildcardPart(deployment, group, names));
}

function wildcardPart(deployment: Deployment, group: DeployedGroup, names: ModelNames): string {
  const prefix = group.name.slice(0, -1);
  const known = deployment.model.slice(0, -1);
  if (names.requested.startsWith(prefix)) {
    const part = names.requested.slice(prefix.length);
    if (names.deployments.includes(known + part)) return part;
  }
  return names.deployments.find((name) => name.startsWith(known))?.slice(known.length) ?? '';
}
