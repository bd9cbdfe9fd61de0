import type { Identity } from '../ports/identity.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import { allows } from './plan.ts';

/** One model of `GET /v1/models`. `created` is in seconds; groups have no age, so it is a constant, as in the reference. */
export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: 'openai';
}

const CREATED_SECONDS = 1_677_610_602;

/** The models a caller may call, the names of its own aliases included. */
export function listModels(
  snapshot: ActiveSnapshot,
  identity: Identity,
): { object: 'list'; data: ListedModel[] } {
  const names = new Set(snapshot.groups.keys());
  for (const [alias, group] of Object.entries(identity.policy.model_aliases)) {
    if (snapshot.groups.has(group)) names.add(alias);
  }
  const data = [...names]
    .filter((name) => allows(identity.keyModels, name, name) && allows(identity.teamModels, name, name))
    .map((id): ListedModel => ({ id, object: 'model', created: CREATED_SECONDS, owned_by: 'openai' }));
  return { object: 'list', data };
}
