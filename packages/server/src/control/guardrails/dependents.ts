import { PortcullisError } from '@portcullis/contract';
import type { Policy } from '@portcullis/policy';
import type { KeyRecord } from '../../ports/keys.ts';
import type { Protection } from '../../ports/protection.ts';
import type { TeamRecord } from '../../ports/teams.ts';
import type { PolicyChange } from '../changes/change.ts';

/** Something that names a guardrail, so that the guardrail cannot simply go (V6). */
export interface Dependent {
  readonly type: 'policy' | 'model' | 'key' | 'team';
  readonly id: string;
  readonly name: string | null;
  /** What is in the configuration file can be changed there alone (S7). */
  readonly definition_location: 'config' | 'db';
}

interface Found {
  readonly told: readonly Dependent[];
  readonly policies: readonly Policy[];
  readonly keys: readonly KeyRecord[];
  readonly teams: readonly TeamRecord[];
}

/** Everything that names the guardrail, or nothing when another guardrail has the same name. */
export async function dependentsOf(change: PolicyChange, id: string, name: string): Promise<Found> {
  const { configured, stores, objects } = change;
  const isNamesake = (other: { guardrail_id: string; guardrail_name: string }) =>
    other.guardrail_name === name && other.guardrail_id !== id;
  const others = [
    ...[...objects.guardrails.values()].map(({ guardrail }) => guardrail),
    ...configured.guardrails,
  ];
  if (others.some(isNamesake)) return { told: [], policies: [], keys: [], teams: [] };

  const names = (policy: Policy) => namesIn(policy).includes(name);
  const policies = [...objects.policies.values()].map(({ policy }) => policy).filter(names);
  const keys = await stores.keys.namingGuardrail(name);
  const teams = await stores.teams.namingGuardrail(name);
  const told: Dependent[] = [
    ...[...policies, ...configured.policies.filter(names)].map((policy) => ({
      type: 'policy' as const,
      id: policy.policy_id,
      name: policy.policy_name,
      definition_location: policy.definition_location,
    })),
    ...configured.modelGroups
      .filter(({ deployments }) => deployments.some(({ guardrails }) => guardrails.includes(name)))
      .map(({ model_name }) => ({
        type: 'model' as const,
        id: model_name,
        name: model_name,
        definition_location: 'config' as const,
      })),
    ...keys.map(({ tokenHash, alias }) => ({
      type: 'key' as const,
      id: tokenHash,
      name: alias?.value ?? null,
      definition_location: 'db' as const,
    })),
    ...teams.map(({ teamId, alias }) => ({
      type: 'team' as const,
      id: teamId,
      name: alias?.value ?? null,
      definition_location: 'db' as const,
    })),
  ];
  return { told, policies, keys, teams };
}

/** @throws PortcullisError `has_dependents` when something names the guardrail. */
export function refuseDependents(verb: string, name: string, told: readonly Dependent[]): void {
  if (told.length === 0) return;
  const some = told.slice(0, 5).map(({ type, id, name: label }) => `${type} ${label ?? id}`);
  const more = told.length > some.length ? ` and ${told.length - some.length} more` : '';
  throw new PortcullisError(
    'has_dependents',
    `Guardrail '${name}' cannot be ${verb}: it is named by ${some.join(', ')}${more}.`,
    { fields: { dependents: told } },
  );
}

/** Takes the name out of everything in the database that holds it; only a pipeline's steps go with it. */
export async function removeName(
  change: PolicyChange,
  name: string,
  found: Found,
  callId: string,
): Promise<void> {
  const { stores, nowMs, actor } = change;
  for (const { policy_id } of found.policies) {
    const stored = change.policy(policy_id);
    if (stored === null) continue;
    change.putPolicy({
      ...stored,
      policy: withoutName(stored.policy, name),
      updatedAtMs: nowMs,
      updatedBy: actor.by,
    });
  }
  const written = { updatedAtMs: nowMs, updatedBy: actor.by };
  const noted = async (
    type: 'key' | 'team',
    id: string,
    before: Protection,
    after: Protection,
  ): Promise<void> =>
    stores.audit.append({
      atMs: nowMs,
      actor,
      action: 'guardrail.delete',
      object: { type, id },
      before: namesOn(before),
      after: namesOn(after),
      refused: null,
      revision: change.revision,
      callId,
    });
  // In one order everywhere, so that two changes never wait for each other's rows.
  for (const hash of found.keys.map(({ tokenHash }) => tokenHash).sort()) {
    const key = await stores.keys.findForUpdate(hash);
    if (key === null) continue;
    const protection = unprotected(key.protection, name);
    await stores.keys.update(hash, { protection, ...written });
    await noted('key', hash, key.protection, protection);
  }
  for (const id of found.teams.map(({ teamId }) => teamId).sort()) {
    const team = await stores.teams.findForUpdate(id);
    if (team === null) continue;
    const protection = unprotected(team.protection, name);
    await stores.teams.update(id, { protection, ...written });
    await noted('team', id, team.protection, protection);
  }
}

function namesIn({
  guardrails_add,
  guardrails_remove,
  guardrails_lock,
  pipeline,
}: Policy): readonly string[] {
  const steps = (pipeline?.steps ?? []).map(({ guardrail }) => guardrail);
  return [...guardrails_add, ...guardrails_remove, ...guardrails_lock, ...steps];
}

function withoutName(policy: Policy, name: string): Policy {
  const others = (names: readonly string[]) => names.filter((other) => other !== name);
  const steps = (policy.pipeline?.steps ?? []).filter(({ guardrail }) => guardrail !== name);
  return {
    ...policy,
    guardrails_add: others(policy.guardrails_add),
    guardrails_remove: others(policy.guardrails_remove),
    guardrails_lock: others(policy.guardrails_lock),
    pipeline: policy.pipeline === null || steps.length === 0 ? null : { ...policy.pipeline, steps },
  };
}

/** Who set the list stays the same (M7); an empty list is no list. */
function unprotected(protection: Protection, name: string): Protection {
  const after: Record<string, unknown> = { ...protection };
  for (const field of ['guardrails', 'opted_out_global_guardrails'] as const) {
    const sourced = protection[field];
    if (sourced === undefined) continue;
    const value = sourced.value.filter((other) => other !== name);
    if (value.length === 0) delete after[field];
    else after[field] = { ...sourced, value };
  }
  return after;
}

function namesOn({
  guardrails,
  opted_out_global_guardrails: optedOut,
}: Protection): Readonly<Record<string, unknown>> {
  return {
    guardrails: guardrails?.value ?? [],
    opted_out_global_guardrails: optedOut?.value ?? [],
  };
}
