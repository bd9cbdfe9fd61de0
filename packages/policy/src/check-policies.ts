/** Checks policy versions: names, chains, locks, pipelines, conditions (I4, I5, P6, P7, K2, section 14). */
import { canonicalJson } from './canonical.ts';
import type { GuardrailEntry } from './check-guardrails.ts';
import { conditionProblem } from './condition.ts';
import type { Findings } from './findings.ts';
import { type ChainLink, type CompiledPolicy, compilePolicy } from './inheritance.ts';
import { LIMITS } from './limits.ts';
import type { FindingPath } from './schema/documents.ts';
import { nameProblem } from './schema/name.ts';
import type { ModelCondition, Pipeline, PipelineStep, Policy } from './schema/policy.ts';
import type { Suggester } from './suggest.ts';

/** What one version is checked against. */
export interface PolicyEnvironment {
  readonly production: ReadonlyMap<string, Policy>;
  readonly guardrails: ReadonlyMap<string, GuardrailEntry>;
  readonly guardrailNames: Suggester;
  readonly policyNames: Suggester;
  /** The number of a condition; the same number for the same condition. */
  readonly conditionNumber: (condition: ModelCondition) => number;
}

/** Where a policy is; all versions of a name share the path. */
export function policyPath(policy: Policy): FindingPath {
  return ['policies', policy.policy_name];
}

/** Checks one version and compiles it, or returns `null` when an error forbids it. */
export function checkPolicy(
  policy: Policy,
  environment: PolicyEnvironment,
  findings: Findings,
): CompiledPolicy | null {
  const before = findings.list.length;
  const path = policyPath(policy);
  const problem = nameProblem(policy.policy_name);
  if (problem !== null) findings.error('invalid_name', path, problem);
  checkLists(policy, environment, path, findings);
  checkConditionText(policy, path, findings);
  if (policy.pipeline !== null) checkPipeline(policy.pipeline, environment, [...path, 'pipeline'], findings);
  const chain = resolveChain(policy, environment, path, findings);
  if (chain === null) return null;
  const compiled = compilePolicy(chain);
  checkLocks(compiled, path, findings);
  checkStepsInList(compiled, path, findings);
  lintList(compiled, path, findings);
  const added = findings.list.slice(before);
  return added.some(({ severity }) => severity === 'error') ? null : compiled;
}

// ── Guardrail lists ─────────────────────────────────────────────────────────────────────────────────────────────────

const LISTS = ['guardrails_add', 'guardrails_remove', 'guardrails_lock'] as const;

function checkLists(
  policy: Policy,
  environment: PolicyEnvironment,
  path: FindingPath,
  findings: Findings,
): void {
  for (const field of LISTS) {
    const names = policy[field];
    if (names.length > LIMITS.guardrailsPerPolicy) {
      const message = `a policy names at most ${LIMITS.guardrailsPerPolicy} guardrails, here are ${names.length}; split it`;
      findings.error('limit_exceeded', [...path, field], message);
    }
    for (const [index, name] of names.entries()) {
      checkGuardrailName(name, environment, [...path, field, index], findings);
    }
  }
}

function checkGuardrailName(
  name: string,
  { guardrails, guardrailNames }: PolicyEnvironment,
  path: FindingPath,
  findings: Findings,
): void {
  if (guardrails.has(name)) return;
  const message = `there is no guardrail "${name}"${guardrailNames.hint(name) || '; define it or remove the name'}`;
  findings.error('unknown_guardrail', path, message);
}

function checkLocks({ policy, chain, list }: CompiledPolicy, path: FindingPath, findings: Findings): void {
  for (const [index, name] of policy.guardrails_lock.entries()) {
    const at = [...path, 'guardrails_lock', index];
    if (policy.guardrails_remove.includes(name)) {
      findings.error(
        'lock_and_remove',
        at,
        `"${name}" is locked and removed by the same policy; keep one of the two`,
      );
    } else if (!list.includes(name)) {
      const message = `"${name}" is locked, but is not in the policy's resolved list; add it, or lock it where it is added`;
      findings.error('lock_not_in_list', at, message);
    }
  }
  for (const [index, name] of policy.guardrails_remove.entries()) {
    const owner = chain.slice(0, -1).find((link) => link.policy.guardrails_lock.includes(name));
    if (owner === undefined) continue;
    const message = `"${name}" is locked by "${owner.policy.policy_name}" and cannot be removed below it; drop the removal or the lock`;
    findings.error('removes_locked_guardrail', [...path, 'guardrails_remove', index], message);
  }
}

function lintList({ policy, chain, list }: CompiledPolicy, path: FindingPath, findings: Findings): void {
  const inherited = new Set(chain.slice(0, -1).flatMap((link) => link.policy.guardrails_add));
  for (const [index, name] of policy.guardrails_remove.entries()) {
    if (inherited.has(name) || policy.guardrails_add.includes(name)) continue;
    const message = `"${name}" is removed, but no policy of the chain adds it; the removal has no effect`;
    findings.warning('remove_without_effect', [...path, 'guardrails_remove', index], message);
  }
  // A policy that removes may be meant to be empty: an exemption from what its parent demands (C3).
  if (list.length === 0 && policy.guardrails_remove.length === 0) {
    findings.warning(
      'policy_without_guardrails',
      path,
      'the policy runs nothing: add a guardrail or delete it',
    );
  }
  lintKeptPipelines(chain, new Set(list), path, findings);
}

/** C3: a descendant replaces an ancestor's list, never its pipeline, which may then run what the descendant removed. */
function lintKeptPipelines(
  chain: readonly ChainLink[],
  list: ReadonlySet<string>,
  path: FindingPath,
  findings: Findings,
): void {
  for (const { policy: ancestor } of chain.slice(0, -1)) {
    const kept =
      ancestor.pipeline?.steps.map((step) => step.guardrail).filter((name) => !list.has(name)) ?? [];
    for (const name of new Set(kept)) {
      findings.warning(
        'kept_pipeline_runs_removed_guardrail',
        [...path, 'guardrails_remove'],
        `"${name}" is removed, but the pipeline of "${ancestor.policy_name}" still runs it wherever both policies apply; take it out of that pipeline too`,
      );
    }
  }
}

// ── Chains ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The chain root first, or `null` when it cannot be built; each fault is reported at the policy that can repair it. */
function resolveChain(
  policy: Policy,
  environment: PolicyEnvironment,
  path: FindingPath,
  findings: Findings,
): ChainLink[] | null {
  const names = [policy.policy_name];
  const chain = [linkOf(policy, environment)];
  for (let parent = policy.inherit; parent !== null; ) {
    if (names.includes(parent)) return reportCycle(names, parent, path, findings);
    const next = environment.production.get(parent);
    if (next === undefined) return reportMissingParent(names, parent, environment, path, findings);
    names.push(parent);
    chain.unshift(linkOf(next, environment));
    if (chain.length > LIMITS.chainDepth) {
      const message = `the chain is deeper than ${LIMITS.chainDepth}: ${names.join(' -> ')}; shorten it`;
      findings.error('chain_too_deep', [...path, 'inherit'], message);
      return null;
    }
    parent = next.inherit;
  }
  return chain;
}

function linkOf(policy: Policy, { conditionNumber }: PolicyEnvironment): ChainLink {
  const condition = policy.condition?.model;
  const readable =
    condition !== undefined && conditionTexts(condition).every(({ problem }) => problem === null);
  return { policy, condition: readable ? conditionNumber(condition) : -1 };
}

/** A cycle is printed once for each of its members, starting there: `p -> q -> p` (I4). */
function reportCycle(
  names: readonly string[],
  repeated: string,
  path: FindingPath,
  findings: Findings,
): null {
  if (names[0] === repeated) {
    const message = `the policy inherits from itself: ${[...names, repeated].join(' -> ')}; clear "inherit" in one of them`;
    findings.error('inheritance_cycle', [...path, 'inherit'], message);
  }
  return null;
}

function reportMissingParent(
  names: readonly string[],
  parent: string,
  { policyNames }: PolicyEnvironment,
  path: FindingPath,
  findings: Findings,
): null {
  if (names.length === 1) {
    const hint = policyNames.hint(parent) || '; promote it first or clear "inherit"';
    const message = `the parent "${parent}" has no production version${hint}`;
    findings.error('missing_parent', [...path, 'inherit'], message);
  }
  return null;
}

// ── Conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────

function checkConditionText({ condition }: Policy, path: FindingPath, findings: Findings): void {
  if (condition?.model === undefined) return;
  for (const { problem, at } of conditionTexts(condition.model)) {
    if (problem !== null)
      findings.error('invalid_condition', [...path, 'condition', 'model', ...at], problem);
  }
}

function conditionTexts(condition: ModelCondition): { problem: string | null; at: FindingPath }[] {
  if (typeof condition === 'string') return [{ problem: conditionProblem(condition), at: [] }];
  if (Array.isArray(condition)) {
    return condition.map((text, index) => ({ problem: conditionProblem(text), at: [index] }));
  }
  if ('regex' in condition) return [{ problem: conditionProblem(condition.regex, 'regex'), at: ['regex'] }];
  const text = 'exact' in condition ? condition.exact : condition.prefix;
  return [
    {
      problem:
        text.normalize('NFC') === text ? null : 'a condition must be in Unicode normalisation form NFC',
      at: [],
    },
  ];
}

/** The canonical text by which equal conditions are recognised. */
export function conditionKey(condition: ModelCondition): string {
  return canonicalJson(condition);
}

// ── Pipelines ───────────────────────────────────────────────────────────────────────────────────────────────────────

function checkPipeline(
  pipeline: Pipeline,
  environment: PolicyEnvironment,
  path: FindingPath,
  findings: Findings,
): void {
  if (pipeline.steps.length > LIMITS.pipelineSteps) {
    const message = `a pipeline has at most ${LIMITS.pipelineSteps} steps, here are ${pipeline.steps.length}`;
    findings.error('limit_exceeded', [...path, 'steps'], message);
  }
  for (const [index, step] of pipeline.steps.entries()) {
    const at = [...path, 'steps', index];
    checkGuardrailName(step.guardrail, environment, [...at, 'guardrail'], findings);
    const entry = environment.guardrails.get(step.guardrail);
    if (entry !== undefined && !entry.servedHooks.has(pipeline.mode)) {
      const message = `"${step.guardrail}" cannot run in ${pipeline.mode}, the mode of this pipeline; use a guardrail that can`;
      findings.error('step_hook_unsupported', [...at, 'guardrail'], message);
    }
  }
  lintSteps(pipeline.steps, path, findings);
}

/** P6 and P7: steps after one that always ends the pipeline, and steps that are ended by a pass. */
function lintSteps(steps: readonly PipelineStep[], path: FindingPath, findings: Findings): void {
  for (const [index, step] of steps.slice(0, -1).entries()) {
    if (endsAlways(step)) {
      const message = `no result of step ${index + 1} leads here; write "next" for on_pass, on_fail or on_error there`;
      findings.warning('unreachable_step', [...path, 'steps', index + 1], message);
      return;
    }
    if (step.on_pass !== 'allow') continue;
    findings.warning(
      'pass_ends_pipeline',
      [...path, 'steps', index, 'on_pass'],
      'on_pass "allow", which is also the default, ends the pipeline when this step passes, and the steps after it do not run; write "next" to go on',
    );
  }
}

function endsAlways({ on_pass, on_fail, on_error }: PipelineStep): boolean {
  return on_pass !== 'next' && on_fail !== 'next' && on_error !== 'next';
}

function checkStepsInList({ policy, list }: CompiledPolicy, path: FindingPath, findings: Findings): void {
  for (const [index, { guardrail }] of (policy.pipeline?.steps ?? []).entries()) {
    if (list.includes(guardrail)) continue;
    findings.error(
      'step_not_in_list',
      [...path, 'pipeline', 'steps', index, 'guardrail'],
      `"${guardrail}" is not in the policy's resolved list; add it to guardrails.add`,
    );
  }
}
