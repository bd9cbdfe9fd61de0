/** Turns documents into a snapshot, or into everything that is wrong with them (S1, S8, I4). */
import { checkAttachment, checkAttachmentCount } from './check-attachments.ts';
import {
  checkGuardrails,
  type GuardrailEntry,
  type GuardrailTable,
  guardrailSuggester,
} from './check-guardrails.ts';
import { checkPolicy, conditionKey, type PolicyEnvironment, policyPath } from './check-policies.ts';
import { compileCondition } from './condition.ts';
import { Findings } from './findings.ts';
import type { CompiledPolicy } from './inheritance.ts';
import {
  type AttachmentIndex,
  type CompiledAttachment,
  compileAttachment,
  postingPatterns,
} from './match.ts';
import { indexModels, type ModelIndex } from './models.ts';
import { PatternTable } from './patterns.ts';
import { tagParts } from './schema/attachment.ts';
import type { DetectorLookup, Documents, Finding } from './schema/documents.ts';
import type { ModelCondition, Policy } from './schema/policy.ts';
import { type CompiledCondition, type CompiledGuardrail, emptyCaches, type Snapshot } from './snapshot.ts';
import { SplitMap } from './split-map.ts';
import { Suggester } from './suggest.ts';

/** How many small pieces of work lie between two yields; a few tenths of a millisecond. */
const WORK_BETWEEN_YIELDS = 200;

export type CompileResult =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Compiles at once. In a process that also serves requests, drive {@link compileSteps} with a time budget instead. */
export function compile(documents: Documents, detectors: DetectorLookup): CompileResult {
  const steps = compileSteps(documents, detectors);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Compiles in small steps, so that a driver with a clock can let others work in between (S8). */
export function* compileSteps(
  documents: Documents,
  detectors: DetectorLookup,
): Generator<void, CompileResult> {
  const findings = new Findings();
  const pace = new Pace();
  const guardrails = yield* checkGuardrails(documents.guardrails, detectors, findings);
  const conditions = new ConditionTable();
  const policies = yield* compilePolicies(documents.policies, guardrails, conditions, findings, pace);
  const models = checkModels(documents, guardrails, findings);
  yield;
  yield* lintConditions(conditions, models, policies, findings);
  const patterns = new PatternTable();
  const compiledGuardrails = compileGuardrails(guardrails, patterns);
  yield;
  const attachments = yield* compileAttachments(documents, policies, patterns, findings, pace);
  if (findings.hasErrors) return { ok: false, findings: findings.list };
  const index = yield* indexAttachments(attachments, policies.production, patterns.size, pace);
  const snapshot: Snapshot = Object.freeze({
    revision: documents.revision,
    documents,
    settings: documents.settings,
    guardrails: compiledGuardrails,
    guardrailEntries: guardrails,
    globals: [...compiledGuardrails.values()]
      .filter(({ default_on }) => default_on)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    production: policies.production,
    versions: policies.versions,
    conditions: conditions.compiled,
    patterns,
    attachments: index,
    models,
    caches: emptyCaches(),
  });
  return { ok: true, snapshot, warnings: findings.list };
}

/** Counts work, so that loops over objects of very different size yield equally often. */
class Pace {
  #left = WORK_BETWEEN_YIELDS;

  isDue(work: number): boolean {
    this.#left -= work;
    if (this.#left > 0) return false;
    this.#left = WORK_BETWEEN_YIELDS;
    return true;
  }
}

// ── Policies ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface CompiledPolicies {
  readonly production: ReadonlyMap<string, CompiledPolicy>;
  readonly versions: ReadonlyMap<string, CompiledPolicy>;
  readonly named: ReadonlySet<string>;
  readonly policyNames: Suggester;
}

/** Numbers the distinct conditions, so that each is evaluated once for a model, however many policies state it. */
class ConditionTable {
  readonly compiled: CompiledCondition[] = [];
  readonly #numbers = new Map<string, number>();

  number(condition: ModelCondition): number {
    const key = conditionKey(condition);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.compiled.push({ condition, matches: compileCondition(condition) }) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

function* compilePolicies(
  documents: readonly Policy[],
  guardrails: GuardrailTable,
  conditions: ConditionTable,
  findings: Findings,
  pace: Pace,
): Generator<void, CompiledPolicies> {
  const rows = yield* checkIdentities(documents, findings, pace);
  const policyNames = new Suggester(rows.named);
  const environment: PolicyEnvironment = {
    production: rows.production,
    guardrails,
    guardrailNames: guardrailSuggester(guardrails),
    policyNames,
    conditionNumber: (condition) => conditions.number(condition),
  };
  const production = new Map<string, CompiledPolicy>();
  const versions = new Map<string, CompiledPolicy>();
  for (const policy of documents) {
    if (pace.isDue(20)) yield;
    const own = new Findings();
    const compiled = checkPolicy(policy, environment, own);
    for (const finding of own.list) findings.list.push(inVersion(policy, finding));
    if (compiled === null) continue;
    versions.set(policy.policy_id, compiled);
    if (policy.version_status === 'production') production.set(policy.policy_name, compiled);
  }
  return { production, versions, named: rows.named, policyNames };
}

/** A finding is placed by the policy's name; of a version that is not in production it says which one. */
function inVersion({ version_status, version_number }: Policy, finding: Finding): Finding {
  if (version_status === 'production') return finding;
  return { ...finding, message: `${finding.message} (version ${version_number}, ${version_status})` };
}

function* checkIdentities(
  policies: readonly Policy[],
  findings: Findings,
  pace: Pace,
): Generator<void, { production: Map<string, Policy>; named: Set<string> }> {
  const production = new Map<string, Policy>();
  const ids = new Set<string>();
  const numbers = new Set<string>();
  const named = new Set<string>();
  for (const policy of policies) {
    if (pace.isDue(1)) yield;
    const { policy_id, policy_name, version_number, version_status, definition_location } = policy;
    const path = policyPath(policy);
    named.add(policy_name);
    if (ids.has(policy_id))
      findings.error(
        'duplicate_policy_id',
        path,
        `two versions have the id "${policy_id}"; give one of them another id`,
      );
    ids.add(policy_id);
    const number = JSON.stringify([definition_location, policy_name, version_number]);
    if (numbers.has(number)) {
      findings.error(
        'duplicate_policy_version',
        path,
        `"${policy_name}" has two versions with the number ${version_number}; renumber one`,
      );
    }
    numbers.add(number);
    if (version_status !== 'production') continue;
    if (production.has(policy_name)) {
      findings.error(
        'duplicate_production_version',
        path,
        `"${policy_name}" has two production versions; demote one of them`,
      );
    }
    production.set(policy_name, policy);
  }
  return { production, named };
}

// ── Guardrails and models ───────────────────────────────────────────────────────────────────────────────────────────

function compileGuardrails(
  table: GuardrailTable,
  patterns: PatternTable,
): ReadonlyMap<string, CompiledGuardrail> {
  const compiled = new Map<string, CompiledGuardrail>();
  for (const [name, entry] of table) {
    const guardrail = compileGuardrail(entry, patterns);
    if (guardrail !== null) compiled.set(name, guardrail);
  }
  return compiled;
}

function compileGuardrail(
  { name, configurations }: GuardrailEntry,
  patterns: PatternTable,
): CompiledGuardrail | null {
  const params = configurations[0]?.litellm_params;
  if (params === undefined) return null;
  const { mode } = params;
  return Object.freeze({
    name,
    configurations,
    hooks: Array.isArray(mode) ? mode : mode.default,
    tagHooks: Array.isArray(mode)
      ? []
      : Object.entries(mode.tags).map(([tag, hooks]) => ({ tag: patterns.internExact('tags', tag), hooks })),
    monitored: params.enforcement === 'monitor',
    priority: params.priority,
    default_on: params.default_on,
    opt_out: params.opt_out,
    request_params: new Set(params.request_params),
  });
}

function checkModels(documents: Documents, guardrails: GuardrailTable, findings: Findings): ModelIndex {
  const names = new Set<string>();
  const suggester = guardrailSuggester(guardrails);
  for (const { model_name, deployments } of documents.models) {
    const path = ['models', model_name];
    if (names.has(model_name)) {
      findings.error(
        'duplicate_model_group',
        path,
        `two model groups are named "${model_name}"; put their deployments into one group`,
      );
    }
    names.add(model_name);
    for (const [index, deployment] of deployments.entries()) {
      for (const [position, name] of deployment.guardrails.entries()) {
        if (guardrails.has(name)) continue;
        const at = [...path, 'deployments', index, 'guardrails', position];
        const hint = suggester.hint(name) || '; define it or remove the name';
        findings.error('unknown_guardrail', at, `there is no guardrail "${name}"${hint}`);
      }
    }
  }
  return indexModels(documents.models, documents.model_aliases);
}

/** K1: a condition that matches none of the configured models was probably meant otherwise. */
function* lintConditions(
  conditions: ConditionTable,
  models: ModelIndex,
  policies: CompiledPolicies,
  findings: Findings,
): Generator<void, void> {
  const names = configuredNames(models);
  if (names.length === 0) return;
  const idle = new Set<number>();
  for (const [number, compiled] of conditions.compiled.entries()) {
    yield;
    if (!mayMatch(compiled, names, models)) idle.add(number);
  }
  for (const { policy, condition } of policies.versions.values()) {
    if (!idle.has(condition)) continue;
    const path = [...policyPath(policy), 'condition', 'model'];
    const message =
      'the condition matches none of the configured models, so the policy never applies; check the spelling';
    findings.warning('condition_matches_no_model', path, message);
  }
}

function configuredNames({ groups, aliases }: ModelIndex): string[] {
  const deployments = [...groups.values()].flatMap((group) => group.deployments.map(({ model }) => model));
  return [...new Set([...groups.keys(), ...aliases.keys(), ...deployments])].map((name) =>
    name.normalize('NFC'),
  );
}

/** A wildcard group serves names that nobody has listed: it is asked with the condition's own text. */
function mayMatch(
  { condition, matches }: CompiledCondition,
  names: readonly string[],
  models: ModelIndex,
): boolean {
  if (names.some(matches)) return true;
  if (models.wildcards.length === 0) return false;
  if (typeof condition !== 'object' || Array.isArray(condition) || 'regex' in condition) return true;
  const text = 'exact' in condition ? condition.exact : condition.prefix;
  return models.wildcards.some(
    ({ prefix }) => text.startsWith(prefix) || ('prefix' in condition && prefix.startsWith(text)),
  );
}

// ── Attachments ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface CompiledAttachments {
  readonly all: CompiledAttachment[];
  readonly byId: SplitMap<CompiledAttachment>;
}

function* compileAttachments(
  { attachments }: Documents,
  { production, named, policyNames }: CompiledPolicies,
  patterns: PatternTable,
  findings: Findings,
  pace: Pace,
): Generator<void, CompiledAttachments> {
  const compiled: CompiledAttachments = { all: [], byId: new SplitMap() };
  if (!checkAttachmentCount(attachments, findings)) return compiled;
  const environment = {
    isKnown: (id: string) => compiled.byId.get(id) !== undefined,
    production: new Set(production.keys()),
    named,
    policyNames,
  };
  for (const attachment of attachments) {
    const tags = tagParts(attachment.tags);
    if (pace.isDue(1 + workOf(attachment) + tags.any.length + tags.all.length + tags.none.length)) yield;
    checkAttachment(attachment, environment, findings);
    const entry = compileAttachment(attachment, tags, patterns);
    compiled.all.push(entry);
    compiled.byId.set(attachment.attachment_id, entry);
  }
  return compiled;
}

function workOf({ teams, keys, models }: { teams: unknown[]; keys: unknown[]; models: unknown[] }): number {
  return teams.length + keys.length + models.length;
}

/** Posts each attachment under its most selective dimension: counts, sums up, then places. */
function* indexAttachments(
  { all, byId }: CompiledAttachments,
  production: ReadonlyMap<string, unknown>,
  patternCount: number,
  pace: Pace,
): Generator<void, AttachmentIndex> {
  const popularity = new Int32Array(patternCount);
  for (const { teams, keys, models, tagsAny, tagsAll } of all) {
    const lists = [teams, keys, models, tagsAny, tagsAll];
    if (pace.isDue(1 + lists.reduce((sum, list) => sum + (list?.length ?? 0), 0))) yield;
    for (const list of lists)
      for (const pattern of list ?? []) popularity[pattern] = (popularity[pattern] ?? 0) + 1;
  }
  const postings: (readonly number[])[] = [];
  const unconstrained: number[] = [];
  const starts = new Int32Array(patternCount + 1);
  for (const [number, compiled] of all.entries()) {
    if (pace.isDue(2)) yield;
    // An attachment to a policy without production version has no effect (A1); it is kept for explanations alone.
    const inForce = production.has(compiled.attachment.policy_name);
    const patterns = inForce ? postingPatterns(compiled, popularity) : [];
    postings.push(patterns);
    if (inForce && patterns.length === 0) unconstrained.push(number);
    for (const pattern of patterns) starts[pattern + 1] = (starts[pattern + 1] ?? 0) + 1;
  }
  for (let pattern = 1; pattern <= patternCount; pattern++) {
    starts[pattern] = (starts[pattern] ?? 0) + (starts[pattern - 1] ?? 0);
    if (pattern % 10_000 === 0) yield;
  }
  const items = new Int32Array(starts[patternCount] ?? 0);
  const next = starts.slice();
  for (const [number, patterns] of postings.entries()) {
    if (pace.isDue(1 + patterns.length)) yield;
    for (const pattern of patterns) {
      const at = next[pattern] ?? 0;
      items[at] = number;
      next[pattern] = at + 1;
    }
  }
  return Object.freeze({
    all,
    byId,
    unconstrained,
    starts,
    items,
    levels: new Uint8Array(patternCount),
    seen: new Uint8Array(all.length),
  });
}
