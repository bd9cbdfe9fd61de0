/** What a request adds on its own, and what of it must be refused (A4, A5, O5). */
import { canonicalJsonOf } from './canonical.ts';
import { deepFreeze } from './freeze.ts';
import type { CompiledPolicy } from './inheritance.ts';
import { type PrincipalFacts, sortedNames } from './principal.ts';
import type { Context, RequestedGuardrail } from './schema/context.ts';
import type { Note, Refusal } from './schema/decision.ts';
import type { Snapshot } from './snapshot.ts';

type Params = Readonly<Record<string, unknown>>;

/** The additions of one request, checked against the snapshot. */
export interface RequestAdditions {
  /** The names of the policies it adds, overrides included. */
  readonly policies: ReadonlySet<string>;
  /** Exact versions by policy name (A5). */
  readonly overrides: ReadonlyMap<string, CompiledPolicy>;
  /** The guardrails it adds, with the parameters that they allow (O5). */
  readonly guardrails: ReadonlyMap<string, Params | null>;
  readonly refusals: readonly Refusal[];
  readonly notes: readonly Note[];
  /** What of this enters the plan cache's key; `null` when parameters make the plan this request's own. */
  readonly part: string | null;
}

const VERSION_PREFIX = 'policy_';

const NOTHING: RequestAdditions = Object.freeze({
  policies: new Set<string>(),
  overrides: new Map<string, CompiledPolicy>(),
  guardrails: new Map<string, Params | null>(),
  refusals: [],
  notes: [],
  part: '',
});

/** An empty list is a no-op, also where adding is forbidden (D-83). */
export function requestAdditions(
  snapshot: Snapshot,
  who: PrincipalFacts,
  context: Context,
): RequestAdditions {
  if (context.policies.length === 0 && context.guardrails.length === 0) return NOTHING;
  const { policies, overrides, refusals: policyRefusals } = requestedPolicies(snapshot, who, context);
  const { guardrails, notes, refusals: guardrailRefusals } = requestedGuardrails(snapshot, who, context);
  const parametrised = [...guardrails.values()].some((params) => params !== null);
  return {
    policies,
    overrides,
    guardrails,
    refusals: [...policyRefusals, ...guardrailRefusals],
    notes,
    part: parametrised ? null : additionsKey(policies, overrides, guardrails),
  };
}

function requestedPolicies(snapshot: Snapshot, who: PrincipalFacts, context: Context) {
  const policies = new Set<string>();
  const overrides = new Map<string, CompiledPolicy>();
  const references = context.policies.filter((name) => name.startsWith(VERSION_PREFIX));
  const names = context.policies.filter((name) => !name.startsWith(VERSION_PREFIX));
  const refusals: Refusal[] = [];
  const refuse = (code: Refusal['code'], refused: readonly string[]) => {
    if (refused.length > 0) refusals.push({ code, names: sortedNames(refused), source: 'request' });
  };
  if (!who.mayAddPolicies) refuse('client_policies_forbidden', context.policies);
  refuse(
    'unknown_policy',
    names.filter((name) => !snapshot.production.has(name)),
  );
  for (const name of names) policies.add(name);
  if (!context.principal.allow_policy_versions) {
    // Nothing is said about whether the version exists to a caller who may not ask.
    refuse('policy_versions_forbidden', references);
    return { policies, overrides, refusals };
  }
  const unknown: string[] = [];
  for (const reference of references) {
    const version = snapshot.versions.get(reference.slice(VERSION_PREFIX.length));
    if (version === undefined) {
      unknown.push(reference);
      continue;
    }
    policies.add(version.policy.policy_name);
    overrides.set(version.policy.policy_name, version);
  }
  refuse('unknown_policy_version', unknown);
  return { policies, overrides, refusals };
}

function requestedGuardrails(snapshot: Snapshot, who: PrincipalFacts, context: Context) {
  const guardrails = new Map<string, Params | null>();
  const refusals: Refusal[] = [];
  const ignored: string[] = [];
  const unknown: string[] = [];
  if (!who.mayAddGuardrails && context.guardrails.length > 0) {
    const names = sortedNames(context.guardrails.map(({ name }) => name));
    refusals.push({ code: 'client_guardrails_forbidden', names, source: 'request' });
  }
  for (const requested of context.guardrails) {
    const guardrail = snapshot.guardrails.get(requested.name);
    if (guardrail === undefined) {
      unknown.push(requested.name);
      continue;
    }
    const { params, dropped } = allowedParams(requested, guardrail.request_params);
    if (dropped) ignored.push(requested.name);
    guardrails.set(requested.name, params ?? guardrails.get(requested.name) ?? null);
  }
  if (unknown.length > 0) {
    refusals.push({ code: 'unknown_guardrail', names: sortedNames(unknown), source: 'request' });
  }
  const notes: Note[] =
    ignored.length === 0 ? [] : [{ note: 'request_params_ignored', names: sortedNames(ignored) }];
  return { guardrails, refusals, notes };
}

/** Keeps the parameters that the guardrail lists and that are JSON; `null` when none is left. */
function allowedParams(
  { params }: RequestedGuardrail,
  allowed: ReadonlySet<string>,
): { readonly params: Params | null; readonly dropped: boolean } {
  if (params === null) return { params: null, dropped: false };
  const names = Object.keys(params);
  const kept: [string, unknown][] = [];
  for (const name of names) {
    const json = allowed.has(name) ? canonicalJsonOf(params[name]) : null;
    // A copy, because a plan is frozen and the caller's body is not ours to freeze.
    if (json !== null) kept.push([name, deepFreeze(JSON.parse(json))]);
  }
  return {
    params: kept.length === 0 ? null : Object.freeze(Object.fromEntries(kept)),
    dropped: kept.length < names.length,
  };
}

function additionsKey(
  policies: ReadonlySet<string>,
  overrides: ReadonlyMap<string, CompiledPolicy>,
  guardrails: ReadonlyMap<string, unknown>,
): string {
  const versions = [...overrides.values()].map(({ policy }) => policy.policy_id);
  return JSON.stringify([[...policies].sort(), versions.sort(), [...guardrails.keys()].sort()]);
}
