/** Lays out the ordered runs of one request (C1-C5, P4, O1-O5). */
import { canonicalJson } from './canonical.ts';
import { deepFreeze } from './freeze.ts';
import { byCodeUnits, sha256Hex } from './key.ts';
import { ABSENT, both, either, type Level, levelOf, TRUSTED } from './level.ts';
import type { HitLevels } from './match.ts';
import type { ModelFacts } from './models.ts';
import type { PrincipalFacts } from './principal.ts';
import type { RequestAdditions } from './request.ts';
import { HOOKS, type Hook } from './schema/content.ts';
import type {
  AppliedPolicy,
  Demand,
  DemandSource,
  Plan,
  PlannedGuardrail,
  PlannedPipeline,
  PlannedRun,
  Selection,
} from './schema/decision.ts';
import type { Enforcement } from './schema/name.ts';
import type { Pipeline } from './schema/policy.ts';
import {
  type Replacement,
  replacementOf,
  type SelectedPolicy,
  type SelectionInput,
  selectPolicies,
} from './select.ts';
import type { CompiledGuardrail, Snapshot } from './snapshot.ts';

export interface PlanInput extends SelectionInput {
  readonly model: ModelFacts;
  /** The request's hit levels, for tag modes (O5). */
  readonly levels: HitLevels;
}

/** The plan of one request: a function of the snapshot and what the request hits, never of the values themselves. */
export function buildPlan(input: PlanInput): Plan {
  const laidOut = layOutPolicies(selectPolicies(input));
  const demands = new DemandTable(input.snapshot, input.levels);
  for (const policy of laidOut) demandByPolicy(demands, policy);
  demandBySettings(demands, input.who);
  for (const name of input.model.guardrails) demands.add(name, plainDemand('model', TRUSTED));
  demandGlobals(demands, input.snapshot, input.who);
  for (const name of input.additions.guardrails.keys())
    demands.add(name, plainDemand('request', levelOf(false)));

  const policies = laidOut.map(({ applied }) => applied);
  const hooks = Object.fromEntries(
    HOOKS.map((hook) => [hook, runsOfHook(hook, demands, laidOut, input)]),
  ) as Record<Hook, PlannedRun[]>;
  const content = { hooks, policies };
  return deepFreeze({ ...content, hash: sha256Hex(canonicalJson(content)) });
}

// ── Policies ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface LaidOutPolicy {
  readonly selected: SelectedPolicy;
  readonly replacement: Replacement;
  readonly applied: AppliedPolicy;
  readonly trusted: boolean;
  readonly priority: number;
}

/** Applied policies, trusted first, then lowest priority, then name. */
function layOutPolicies(selected: ReadonlyMap<string, SelectedPolicy>): LaidOutPolicy[] {
  const specialising = new Map(
    [...selected].map(([name, { version, selections }]) => [
      name,
      { ancestors: version.ancestors, selections },
    ]),
  );
  return [...selected]
    .map(([name, policy]) => layOutPolicy(policy, replacementOf(name, specialising)))
    .sort(
      (a, b) =>
        Number(b.trusted) - Number(a.trusted) ||
        a.priority - b.priority ||
        byCodeUnits(a.applied.policy_name, b.applied.policy_name),
    );
}

function layOutPolicy(selected: SelectedPolicy, replacement: Replacement): LaidOutPolicy {
  const { version, selections } = selected;
  const { policy_name, policy_id, version_number } = version.policy;
  const names = [...selected.list.keys()].filter((name) => isContributed(selected, replacement, name));
  return {
    selected,
    replacement,
    trusted: selections.some(({ trusted }) => trusted),
    priority: lowestPriority(selections.map(attachmentPriority)) ?? 0,
    applied: {
      policy_name,
      policy_id,
      version_number,
      override: selected.override,
      enforcement: strongest(selections.map(({ enforcement }) => enforcement)),
      selections: selections.map(({ source, attachment_id, trusted, enforcement, priority }) => {
        return { source, attachment_id, trusted, enforcement, priority };
      }),
      guardrails: names.sort(),
      replaced_by: replacement.by,
    },
  };
}

function isContributed(
  { selections, version }: SelectedPolicy,
  { replaces }: Replacement,
  name: string,
): boolean {
  return version.locked.has(name) || selections.some((selection) => !replaces(selection));
}

/** Only an attachment has a priority; one without counts as 0 (C5). */
function attachmentPriority(selection: Selection): number | null {
  return selection.attachment_id === null ? null : selection.priority;
}

function lowestPriority(priorities: readonly (number | null)[]): number | null {
  return priorities.reduce((lowest, priority) => {
    if (priority === null) return lowest;
    return lowest === null || priority < lowest ? priority : lowest;
  }, null);
}

function strongest(enforcements: readonly Enforcement[]): Enforcement {
  return enforcements.includes('enforce') ? 'enforce' : 'monitor';
}

// ── Demands ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One reason for one guardrail to run. */
interface WeighedDemand {
  readonly demand: Demand;
  readonly level: Level;
  readonly enforcement: Enforcement;
  readonly priority: number | null;
}

function plainDemand(source: DemandSource, level: Level): WeighedDemand {
  return { demand: { source }, level, enforcement: 'enforce', priority: null };
}

/** All plain demands, by hook and guardrail. */
class DemandTable {
  readonly #table = new Map<Hook, Map<string, WeighedDemand[]>>(HOOKS.map((hook) => [hook, new Map()]));
  readonly #snapshot: Snapshot;
  readonly #levels: HitLevels;

  constructor(snapshot: Snapshot, levels: HitLevels) {
    this.#snapshot = snapshot;
    this.#levels = levels;
  }

  guardrail(name: string): CompiledGuardrail | undefined {
    return this.#snapshot.guardrails.get(name);
  }

  of(hook: Hook): ReadonlyMap<string, readonly WeighedDemand[]> {
    return this.#table.get(hook) ?? new Map();
  }

  /** Demands a guardrail in its own hooks, but for the one in which a pipeline satisfies the demand (P4). */
  add(name: string, demand: WeighedDemand, satisfiedIn: Hook | null = null): void {
    const guardrail = this.guardrail(name);
    if (guardrail === undefined) return;
    for (const [hook, hookLevel] of hooksOf(guardrail, this.#levels)) {
      if (hook !== satisfiedIn) this.addIn(hook, name, { ...demand, level: both(demand.level, hookLevel) });
    }
  }

  addIn(hook: Hook, name: string, demand: WeighedDemand): void {
    const ofHook = this.#table.get(hook);
    const known = ofHook?.get(name);
    if (known === undefined) ofHook?.set(name, [demand]);
    else known.push(demand);
  }
}

/** O5: a trusted tag selects its hooks instead of the default ones; a caller's tag only adds, and is then the caller's. */
function hooksOf(guardrail: CompiledGuardrail, levels: HitLevels): ReadonlyMap<Hook, Level> {
  const hooks = new Map<Hook, Level>();
  for (const entry of guardrail.tagHooks) {
    if (levels[entry.tag] === TRUSTED) for (const hook of entry.hooks) hooks.set(hook, TRUSTED);
  }
  if (hooks.size === 0) for (const hook of guardrail.hooks) hooks.set(hook, TRUSTED);
  for (const { tag, hooks: added } of guardrail.tagHooks) {
    if (levels[tag] === ABSENT) continue;
    for (const hook of added)
      hooks.set(hook, either(hooks.get(hook) ?? ABSENT, levelOf(levels[tag] === TRUSTED)));
  }
  return hooks;
}

function demandByPolicy(demands: DemandTable, { selected, replacement }: LaidOutPolicy): void {
  const { version, selections, list } = selected;
  const { pipeline } = version.policy;
  for (const selection of selections) {
    const replaced = replacement.replaces(selection);
    for (const [name, listLevel] of list) {
      if (replaced && !version.locked.has(name)) continue;
      const level = both(levelOf(selection.trusted), listLevel);
      demands.add(
        name,
        policyDemand(selected, selection, level),
        version.stepNames.has(name) ? (pipeline?.mode ?? null) : null,
      );
    }
    if (pipeline !== null) demandMonitoredSteps(demands, pipeline, selected, selection);
  }
}

/** A step whose guardrail is in monitor decides nothing in the pipeline, so it runs plainly, in monitor (E5, P4). */
function demandMonitoredSteps(
  demands: DemandTable,
  pipeline: Pipeline,
  selected: SelectedPolicy,
  selection: Selection,
): void {
  for (const name of selected.version.stepNames) {
    if (demands.guardrail(name)?.monitored !== true) continue;
    demands.addIn(pipeline.mode, name, policyDemand(selected, selection, levelOf(selection.trusted)));
  }
}

function policyDemand({ version }: SelectedPolicy, selection: Selection, level: Level): WeighedDemand {
  const { policy_name, policy_id, version_number } = version.policy;
  const { source, attachment_id, enforcement } = selection;
  const byPolicy = { source, policy_name, policy_id, version_number };
  return {
    demand: attachment_id === null ? byPolicy : { ...byPolicy, attachment_id },
    level,
    enforcement,
    priority: attachmentPriority(selection),
  };
}

function demandBySettings(demands: DemandTable, who: PrincipalFacts): void {
  for (const { source, guardrails } of who.settings) {
    for (const name of guardrails) demands.add(name, plainDemand(source, TRUSTED));
  }
}

/** O1: `default_on`, unless an administrator's opt-out stops the global activation; other demands are not touched (O2). */
function demandGlobals(demands: DemandTable, snapshot: Snapshot, who: PrincipalFacts): void {
  for (const { name } of snapshot.globals) {
    if (!who.optedOut.has(name)) demands.add(name, plainDemand('global', TRUSTED));
  }
}

// ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function runsOfHook(
  hook: Hook,
  demands: DemandTable,
  policies: readonly LaidOutPolicy[],
  { snapshot, additions }: PlanInput,
): PlannedRun[] {
  const runs: PlannedRun[] = [];
  for (const policy of policies) {
    const pipeline = policy.selected.version.policy.pipeline;
    if (pipeline?.mode === hook) runs.push(pipelineRun(pipeline, policy, snapshot));
  }
  for (const [name, weighed] of demands.of(hook)) {
    const guardrail = demands.guardrail(name);
    if (guardrail !== undefined) runs.push(...guardrailRuns(guardrail, weighed, additions));
  }
  return runs.sort(byRunOrder);
}

function pipelineRun(pipeline: Pipeline, policy: LaidOutPolicy, snapshot: Snapshot): PlannedPipeline {
  const { selected, applied, trusted, priority } = policy;
  return {
    kind: 'pipeline',
    name: applied.policy_name,
    policy_id: applied.policy_id,
    version_number: applied.version_number,
    mode: pipeline.mode,
    enforcement: applied.enforcement,
    trusted,
    priority,
    demanded_by: demandList(
      selected.selections.map((selection) => policyDemand(selected, selection, levelOf(selection.trusted))),
    ),
    steps: pipeline.steps.map((step) => {
      return { ...step, monitored: snapshot.guardrails.get(step.guardrail)?.monitored ?? false };
    }),
  };
}

/**
 * The runs of one guardrail in one hook: one that unites all demands, and a second one for a caller's parameters, which
 * must not change what a trusted source demands (C4, O5).
 */
function guardrailRuns(
  guardrail: CompiledGuardrail,
  weighed: readonly WeighedDemand[],
  additions: RequestAdditions,
): PlannedGuardrail[] {
  const byRequest = weighed.filter(
    ({ demand }) => demand.source === 'request' && demand.policy_name === undefined,
  );
  const params = byRequest.length === 0 ? null : (additions.guardrails.get(guardrail.name) ?? null);
  if (params === null) return [guardrailRun(guardrail, weighed, null)];
  if (!weighed.some(({ level }) => level === TRUSTED)) return [guardrailRun(guardrail, weighed, params)];
  return [guardrailRun(guardrail, weighed, null), guardrailRun(guardrail, byRequest, params)];
}

function guardrailRun(
  guardrail: CompiledGuardrail,
  weighed: readonly WeighedDemand[],
  params: PlannedGuardrail['params'],
): PlannedGuardrail {
  return {
    kind: 'guardrail',
    name: guardrail.name,
    enforcement: guardrail.monitored ? 'monitor' : strongest(weighed.map(({ enforcement }) => enforcement)),
    trusted: weighed.some(({ level }) => level === TRUSTED),
    priority: guardrail.priority ?? lowestPriority(weighed.map(({ priority }) => priority)) ?? 0,
    demanded_by: demandList(weighed),
    params,
  };
}

const DEMAND_ORDER: readonly DemandSource[] = [
  'attachment',
  'default',
  'key',
  'team',
  'project',
  'model',
  'request',
  'global',
];

/** The distinct demands in one order, so that the order of documents never reaches the plan (C1). */
function demandList(weighed: readonly WeighedDemand[]): Demand[] {
  const distinct = new Map(weighed.map(({ demand }) => [canonicalJson(demand), demand]));
  return [...distinct.values()].sort(
    (a, b) =>
      DEMAND_ORDER.indexOf(a.source) - DEMAND_ORDER.indexOf(b.source) ||
      byCodeUnits(a.policy_name ?? '', b.policy_name ?? '') ||
      byCodeUnits(a.attachment_id ?? '', b.attachment_id ?? ''),
  );
}

/** C5: trusted, priority, pipelines before guardrails, name, runs without parameters before runs with. */
function byRunOrder(a: PlannedRun, b: PlannedRun): number {
  return (
    Number(b.trusted) - Number(a.trusted) ||
    a.priority - b.priority ||
    byCodeUnits(b.kind, a.kind) ||
    byCodeUnits(a.name, b.name) ||
    byCodeUnits(paramsKey(a), paramsKey(b))
  );
}

function paramsKey(run: PlannedRun): string {
  return run.kind === 'pipeline' || run.params === null ? '' : canonicalJson(run.params);
}
