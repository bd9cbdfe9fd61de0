import { allowsModel } from '@portcullis/policy';
import type { Identity } from '../ports/identity.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import type { Deployment } from '../ports/models.ts';

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
    .filter((name) => mayCall(identity, name))
    .map((id): ListedModel => ({ id, object: 'model', created: CREATED_SECONDS, owned_by: 'openai' }));
  return { object: 'list', data };
}

/** `GET /model/info`: the deployments behind the models that a caller may call, without anything that opens them. */
export function modelInfo(
  snapshot: ActiveSnapshot,
  identity: Identity,
): readonly { readonly id: string; readonly row: Readonly<Record<string, unknown>> }[] {
  const seesAddresses = identity.role === 'proxy_admin' || identity.role === 'proxy_admin_viewer';
  return [...snapshot.groups.values()]
    .filter(({ name }) => mayCall(identity, name))
    .flatMap(({ name, deployments }) =>
      deployments.map((deployment) => ({
        id: deployment.id,
        row: infoOf(name, deployment, seesAddresses),
      })),
    );
}

function infoOf(
  name: string,
  deployment: Deployment,
  seesAddresses: boolean,
): Readonly<Record<string, unknown>> {
  const { id, model, apiBase, weight, price, maxOutputTokens } = deployment;
  return {
    model_name: name,
    // The address may hold a password, and tells outsiders about the inside.
    litellm_params: {
      model,
      weight,
      ...(seesAddresses && apiBase !== '' ? { api_base: withoutUser(apiBase) } : {}),
    },
    model_info: {
      id,
      db_model: deployment.isStored === true,
      mode: 'chat',
      input_cost_per_token: price?.input ?? null,
      output_cost_per_token: price?.output ?? null,
      max_output_tokens: maxOutputTokens ?? null,
    },
  };
}

function withoutUser(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}

function mayCall({ keyModels, teamModels, userModels = null }: Identity, name: string): boolean {
  return [keyModels, teamModels, userModels].every((list) => allowsModel(list, name, name));
}
