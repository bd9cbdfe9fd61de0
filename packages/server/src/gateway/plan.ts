import { type ErrorCode, PortcullisError } from '@portcullis/contract';
import {
  allowsModel,
  type Context,
  decide,
  type ModelNames,
  type Planned,
  type PlannedRun,
  type Refusal,
  type Hook,
} from '@portcullis/policy';
import type { Identity } from '../ports/identity.ts';
import type { DeployedGroup } from '../ports/models.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import type { Identified } from './identify.ts';

/** A request with its plan, on one snapshot to its end (S1). */
export interface PlannedRequest {
  readonly identified: Identified;
  readonly snapshot: ActiveSnapshot;
  readonly context: Context;
  readonly decision: Planned;
  readonly names: ModelNames;
  readonly group: DeployedGroup;
}

/**
 * Stage 3: one pure call (A6), then the question whether the caller may use the model.
 * @throws PortcullisError for every refusal of the engine, `model_access_denied`, `model_not_found`.
 */
export function plan(identified: Identified, snapshot: ActiveSnapshot): PlannedRequest {
  const { accepted, identity } = identified;
  const { control, model } = accepted.request;
  const context: Context = {
    principal: identity.policy,
    model,
    tags: accepted.tags,
    guardrails: control.guardrails,
    policies: control.policies,
  };
  const decision = decide(snapshot.policy, context);
  if (decision.kind === 'refused') throw refused(decision.refusals);
  const names = decision.model ?? { requested: model, group: null, deployments: [] };
  checkAccess(identity, names);
  const group = names.group === null ? undefined : snapshot.groups.get(names.group);
  if (group === undefined) {
    throw new PortcullisError(
      'model_not_found',
      `Invalid model name passed in model=${shown(model)}. Call \`/v1/models\` to view available models for your key.`,
      { param: 'model' },
    );
  }
  return { identified, snapshot, context, decision, names, group };
}

/** The runs of one hook that decide, and those that only record (E5). */
export function split(runs: readonly PlannedRun[]): { enforced: boolean; monitored: boolean } {
  let enforced = false;
  let monitored = false;
  for (const run of runs) {
    if (run.enforcement === 'enforce') enforced = true;
    else monitored = true;
  }
  return { enforced, monitored };
}

/** How many records the enforced runs of a hook must leave: one for each guardrail, one for each step (E2). */
export function expectedRecords(runs: readonly PlannedRun[]): number {
  let count = 0;
  for (const run of runs) {
    if (run.enforcement === 'enforce') count += run.kind === 'pipeline' ? run.steps.length : 1;
  }
  return count;
}

/** Whether prompt and answer are kept with the record: the operator or the caller's team asks for it. */
export function storesContent({ snapshot, identified }: PlannedRequest): boolean {
  return snapshot.settings.storePrompts || identified.identity.storesPrompts;
}

export function runsOf(planned: PlannedRequest, hook: Hook): readonly PlannedRun[] {
  return planned.decision.plan.hooks[hook];
}

function checkAccess(identity: Identity, names: ModelNames): void {
  const { requested, group } = names;
  for (const [owner, list] of [
    ['key', identity.keyModels],
    ['team', identity.teamModels],
    ['user', identity.userModels ?? null],
  ] as const) {
    if (allowsModel(list, requested, group)) continue;
    throw new PortcullisError(
      'model_access_denied',
      `${owner} not allowed to access model. This ${owner} can only access models=[${(list ?? []).join(', ')}]. Tried to access ${shown(requested)}`,
      { param: 'model', fields: owner === 'key' ? {} : { type: `${owner}_model_access_denied` } },
    );
  }
}

const REFUSAL_TEXTS: Readonly<Record<Refusal['code'], string>> = {
  unknown_policy: 'Unknown policy, or policy without a production version',
  unknown_guardrail: 'Unknown guardrail',
  unknown_policy_version: 'Unknown policy version',
  policy_versions_forbidden: 'This key may not choose exact policy versions',
  client_policies_forbidden: 'This key or its team may not choose policies in a request',
  client_guardrails_forbidden: 'This key or its team may not choose guardrails in a request',
  policy_unresolved: 'A policy that is set on the caller has no production version',
  model_alias_loop: 'The model aliases form a loop',
};

const REFUSAL_PARAMS: Readonly<Partial<Record<Refusal['code'], string>>> = {
  unknown_policy: 'policies',
  unknown_policy_version: 'policies',
  policy_versions_forbidden: 'policies',
  client_policies_forbidden: 'policies',
  unknown_guardrail: 'guardrails',
  client_guardrails_forbidden: 'guardrails',
  model_alias_loop: 'model',
};

/** One answer for all refusals: the first gives the code, the text names every one of them. */
function refused(refusals: readonly Refusal[]): PortcullisError {
  const code: ErrorCode & Refusal['code'] = refusals[0]?.code ?? 'policy_unresolved';
  const texts = refusals.map(
    ({ code, names, source }) =>
      `${REFUSAL_TEXTS[code]}${source === 'request' ? '' : ` (${source})`}: ${names.map(shown).join(', ')}.`,
  );
  return new PortcullisError(code, texts.join(' '), { param: REFUSAL_PARAMS[code] ?? null });
}

/** A name of the caller in a message, cut so that no request decides how long a log line is. */
function shown(name: string): string {
  return name.length <= 256 ? name : `${name.slice(0, 256)}...`;
}
