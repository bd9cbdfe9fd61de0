/** Why a request gets its plan, and why it does not get the rest (Q1). */
import { namedSelections, sourceText } from './attribution.ts';
import { conditionLevel, decide, requestFacts, type RequestFacts } from './decide.ts';
import { plannedGuardrails } from './impact.ts';
import { resolveList } from './inheritance.ts';
import { ABSENT, type Level, TRUSTED } from './level.ts';
import {
  allLevel,
  anyLevel,
  attachmentLevel,
  type CompiledAttachment,
  type HitLevels,
  noneLevel,
  withHitLevels,
} from './match.ts';
import { tagParts } from './schema/attachment.ts';
import type { Context } from './schema/context.ts';
import type { Hook } from './schema/content.ts';
import type { Decision, Note, Plan, PlannedRun, Refusal } from './schema/decision.ts';
import type { ModelNames } from './schema/model.ts';
import type { Enforcement } from './schema/name.ts';
import type { ModelCondition } from './schema/policy.ts';
import type { Snapshot } from './snapshot.ts';

/** How many attachments are explained between two yields. */
const ATTACHMENTS_BETWEEN_YIELDS = 100;

export type ReportedDimension =
  | 'scope'
  | 'teams'
  | 'keys'
  | 'models'
  | 'tags.any'
  | 'tags.all'
  | 'tags.none'
  | 'condition';

/** A value of the request that a dimension looked at. */
export interface ActualValue {
  readonly value: string;
  readonly source: string;
  readonly trusted: boolean;
}

export interface DimensionReport {
  readonly dimension: ReportedDimension;
  readonly constraint: readonly string[] | ModelCondition;
  readonly actual: readonly ActualValue[];
  readonly passes: boolean;
  /** Whether it passes through trusted facts alone (M7). */
  readonly passes_trusted: boolean;
}

/** What became of one attachment. */
export type AttachmentEffect =
  | 'applies'
  | 'does_not_match'
  | 'condition_false'
  | 'no_production_version'
  | 'default_not_needed';

export interface AttachmentReport {
  readonly attachment_id: string;
  readonly policy_name: string;
  readonly enforcement: Enforcement;
  readonly effect: AttachmentEffect;
  readonly trusted: boolean;
  readonly dimensions: readonly DimensionReport[];
}

export interface MatchedPolicy {
  readonly policy_name: string;
  readonly matched_via: string;
  readonly guardrails_added: readonly string[];
}

export interface Removal {
  readonly policy_name: string;
  readonly removed_by: readonly string[];
  readonly guardrails: readonly string[];
}

export interface OptOut {
  readonly guardrail: string;
  readonly source: 'key' | 'team' | 'project';
  readonly setting: 'opted_out_global_guardrails' | 'disable_global_guardrails';
  readonly effective: boolean;
}

export interface NearMiss {
  readonly attachment_id: string;
  readonly policy_name: string;
  readonly failed: DimensionReport;
}

export interface Explanation {
  /** Everything that will run, globals and pipeline steps included, sorted. */
  readonly effective_guardrails: readonly string[];
  readonly matched_policies: readonly MatchedPolicy[];
  readonly refusals: readonly Refusal[];
  readonly plan: Plan | null;
  readonly hooks: Readonly<Record<Hook, readonly PlannedRun[]>> | null;
  readonly model: ModelNames | null;
  readonly attachments: readonly AttachmentReport[];
  readonly removed: readonly Removal[];
  readonly opt_outs: readonly OptOut[];
  readonly near_misses: readonly NearMiss[];
  /** Facts the question left open although some attachment or condition asks for them. */
  readonly missing_context: readonly ('team' | 'key' | 'model' | 'tags')[];
  readonly notes: readonly Note[];
}

/** Explains at once. Beside other requests, drive {@link explainSteps} instead. */
export function explain(snapshot: Snapshot, context: Context): Explanation {
  const steps = explainSteps(snapshot, context);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Explains in small steps. The decision is {@link decide}'s own; the reports call the functions that it calls (A6). */
export function* explainSteps(snapshot: Snapshot, context: Context): Generator<void, Explanation> {
  const decision = decide(snapshot, context);
  const facts = requestFacts(snapshot, context);
  const plan = decision.kind === 'planned' ? decision.plan : null;
  const attachments: AttachmentReport[] = [];
  const input = reportInput(snapshot, facts, plan);
  const all = snapshot.attachments.all;
  for (let start = 0; start < all.length; start += ATTACHMENTS_BETWEEN_YIELDS) {
    attachments.push(...reportSlice(all.slice(start, start + ATTACHMENTS_BETWEEN_YIELDS), input));
    yield;
  }
  return {
    effective_guardrails: plan === null ? [] : plannedGuardrails(plan),
    matched_policies: plan === null ? [] : matchedPolicies(snapshot, plan, facts),
    refusals: decision.kind === 'refused' ? decision.refusals : [],
    plan,
    hooks: plan?.hooks ?? null,
    model: modelOf(decision),
    attachments,
    removed: plan === null ? [] : removals(snapshot, plan, facts),
    opt_outs: optOuts(snapshot, context),
    near_misses: nearMisses(attachments),
    missing_context: missingContext(snapshot, context),
    notes: decision.kind === 'planned' ? decision.notes : [],
  };
}

function modelOf(decision: Decision): ModelNames | null {
  return decision.kind === 'planned' ? decision.model : null;
}

/** The reference's shape. `matched_via` is the reason of the headers, not encoded. */
function matchedPolicies(snapshot: Snapshot, plan: Plan, facts: RequestFacts): MatchedPolicy[] {
  const named = namedSelections(snapshot, plan);
  return plan.policies.map((policy) => {
    const selection = named.get(policy) ?? policy.selections[0];
    return {
      policy_name: policy.policy_name,
      matched_via:
        selection === undefined ? '' : sourceText(snapshot, policy, selection, facts, (value) => value),
      guardrails_added: policy.guardrails,
    };
  });
}

function removals(snapshot: Snapshot, plan: Plan, facts: RequestFacts): Removal[] {
  return plan.policies.flatMap(({ policy_name, policy_id, replaced_by, guardrails }) => {
    if (replaced_by.length === 0) return [];
    const version = snapshot.versions.get(policy_id);
    if (version === undefined) return [];
    const resolved = [
      ...resolveList(version, (condition) => levelOfCondition(facts, condition)).keys(),
    ].sort();
    return [
      {
        policy_name,
        removed_by: replaced_by,
        guardrails: resolved.filter((name) => !guardrails.includes(name)),
      },
    ];
  });
}

// ── Attachments ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface ReportInput {
  readonly snapshot: Snapshot;
  readonly facts: RequestFacts;
  readonly values: Readonly<Record<'teams' | 'keys' | 'models' | 'tags', readonly ActualValue[]>>;
  /** The attachments behind the plan's selections; `null` when the request is refused. */
  readonly selected: ReadonlySet<string> | null;
}

function reportInput(snapshot: Snapshot, facts: RequestFacts, plan: Plan | null): ReportInput {
  const ofDimension = (dimension: string) => facts.who.facts.filter((fact) => fact.dimension === dimension);
  const selections = plan?.policies.flatMap((policy) => policy.selections);
  return {
    snapshot,
    facts,
    values: {
      teams: ofDimension('teams').map(actualValue),
      keys: ofDimension('keys').map(actualValue),
      models: facts.model === 'alias_loop' ? [] : facts.model.facts.map(actualValue),
      tags: [...ofDimension('tags'), ...facts.tags].map(actualValue),
    },
    selected:
      selections === undefined ? null : new Set(selections.map(({ attachment_id }) => attachment_id ?? '')),
  };
}

function actualValue({ value, source, trusted }: ActualValue): ActualValue {
  return { value, source, trusted };
}

function reportSlice(attachments: readonly CompiledAttachment[], input: ReportInput): AttachmentReport[] {
  const { facts, snapshot } = input;
  const model = facts.model === 'alias_loop' ? [] : [facts.model.hits];
  return withHitLevels(snapshot.attachments, [facts.who.hits, facts.tagHits, ...model], (levels) =>
    attachments.map((compiled) => reportAttachment(compiled, levels, input)),
  );
}

function reportAttachment(
  compiled: CompiledAttachment,
  levels: HitLevels,
  input: ReportInput,
): AttachmentReport {
  const { attachment_id, policy_name, enforcement } = compiled.attachment;
  const condition = policyCondition(policy_name, input);
  const dimensions = reportDimensions(compiled, levels, input);
  if (condition !== null)
    dimensions.push(report('condition', condition.text, input.values.models, condition.level));
  return {
    attachment_id,
    policy_name,
    enforcement,
    effect: effectOf(compiled, attachmentLevel(compiled, levels), condition?.level ?? TRUSTED, input),
    trusted: dimensions.every(({ passes_trusted }) => passes_trusted),
    dimensions,
  };
}

/** All dimensions that the attachment constrains; the first failure does not hide the others. */
function reportDimensions(
  compiled: CompiledAttachment,
  levels: HitLevels,
  { values }: ReportInput,
): DimensionReport[] {
  const { scope, teams, keys, models, tags } = compiled.attachment;
  const { any, all, none } = tagParts(tags);
  const reports: DimensionReport[] = [];
  if (scope === '*') reports.push(report('scope', ['*'], [], TRUSTED));
  if (teams.length > 0) reports.push(report('teams', teams, values.teams, anyLevel(compiled.teams, levels)));
  if (keys.length > 0) reports.push(report('keys', keys, values.keys, anyLevel(compiled.keys, levels)));
  if (models.length > 0)
    reports.push(report('models', models, values.models, anyLevel(compiled.models, levels)));
  if (any.length > 0) reports.push(report('tags.any', any, values.tags, anyLevel(compiled.tagsAny, levels)));
  if (all.length > 0) reports.push(report('tags.all', all, values.tags, allLevel(compiled.tagsAll, levels)));
  if (none.length > 0)
    reports.push(report('tags.none', none, values.tags, noneLevel(compiled.tagsNone, levels)));
  return reports;
}

function report(
  dimension: ReportedDimension,
  constraint: DimensionReport['constraint'],
  actual: readonly ActualValue[],
  level: Level,
): DimensionReport {
  return { dimension, constraint, actual, passes: level !== ABSENT, passes_trusted: level === TRUSTED };
}

/** The condition of the version that the request would get. */
function policyCondition(
  name: string,
  { snapshot, facts }: ReportInput,
): { text: ModelCondition; level: Level } | null {
  const version = facts.additions.overrides.get(name) ?? snapshot.production.get(name);
  const text = version?.policy.condition?.model;
  if (version === undefined || text === undefined) return null;
  return { text, level: levelOfCondition(facts, version.condition) };
}

function levelOfCondition({ model }: RequestFacts, condition: number): Level {
  return model === 'alias_loop' ? ABSENT : conditionLevel(model, condition);
}

function effectOf(
  { attachment }: CompiledAttachment,
  level: Level,
  condition: Level,
  { snapshot, selected }: ReportInput,
): AttachmentEffect {
  if (level === ABSENT) return 'does_not_match';
  if (!snapshot.production.has(attachment.policy_name)) return 'no_production_version';
  if (condition === ABSENT) return 'condition_false';
  return selected === null || selected.has(attachment.attachment_id) ? 'applies' : 'default_not_needed';
}

function nearMisses(attachments: readonly AttachmentReport[]): NearMiss[] {
  return attachments.flatMap(({ attachment_id, policy_name, dimensions }) => {
    const [failed, ...others] = dimensions.filter(({ passes }) => !passes);
    return failed === undefined || others.length > 0 ? [] : [{ attachment_id, policy_name, failed }];
  });
}

// ── Opt-outs and missing facts ──────────────────────────────────────────────────────────────────────────────────────

/** Every opt-out an administrator set, with whether it stops a global activation (O1, O3). */
function optOuts({ guardrails, globals }: Snapshot, { principal }: Context): OptOut[] {
  return principal.settings.flatMap(({ source, opted_out_global_guardrails, disable_global_guardrails }) => {
    const listed = [...new Set(opted_out_global_guardrails)].sort().map((name): OptOut => {
      const guardrail = guardrails.get(name);
      const effective = guardrail !== undefined && guardrail.default_on && guardrail.opt_out;
      return { guardrail: name, source, setting: 'opted_out_global_guardrails', effective };
    });
    if (!disable_global_guardrails) return listed;
    const switchedOff = globals.map(({ name, opt_out }): OptOut => {
      return { guardrail: name, source, setting: 'disable_global_guardrails', effective: opt_out };
    });
    return [...listed, ...switchedOff];
  });
}

function missingContext(
  { attachments, conditions }: Snapshot,
  context: Context,
): Explanation['missing_context'] {
  const { principal, model, tags } = context;
  const asked = (asks: (compiled: CompiledAttachment) => boolean) => attachments.all.some(asks);
  const missing: ('team' | 'key' | 'model' | 'tags')[] = [];
  if (principal.team_alias === null && principal.team_id === null && asked(({ teams }) => teams !== null)) {
    missing.push('team');
  }
  if (principal.key_alias === null && principal.key_hash === null && asked(({ keys }) => keys !== null)) {
    missing.push('key');
  }
  if (model === null && (conditions.length > 0 || asked(({ models }) => models !== null)))
    missing.push('model');
  const asksForTags = ({ tagsAny, tagsAll, tagsNone }: CompiledAttachment) =>
    tagsAny !== null || tagsAll.length + tagsNone.length > 0;
  if (principal.tags.length + tags.length === 0 && asked(asksForTags)) missing.push('tags');
  return missing;
}
