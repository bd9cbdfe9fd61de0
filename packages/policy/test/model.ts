/**
 * The second evaluator: the rules as plain loops over the documents, with no index, no cache and no code of the engine.
 * It exists so that the engine can be held against it; when the meaning of a rule changes, this file changes first.
 * Readings of open cases are those of docs/adr/0001-how-the-policy-rules-are-read.md.
 */
import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import type { Attachment } from '../src/schema/attachment.ts';
import { HOOKS, type Hook } from '../src/schema/content.ts';
import type { Context } from '../src/schema/context.ts';
import type {
  AppliedPolicy,
  Decision,
  Demand,
  Note,
  Plan,
  PlannedRun,
  Refusal,
  Selection,
} from '../src/schema/decision.ts';
import type { Documents } from '../src/schema/documents.ts';
import type { Guardrail } from '../src/schema/guardrail.ts';
import type { ModelNames } from '../src/schema/model.ts';
import type { Enforcement } from '../src/schema/name.ts';
import type { Outcome } from '../src/schema/outcome.ts';
import type { Condition, PipelineStep, Policy } from '../src/schema/policy.ts';

// --- small words ---------------------------------------------------------------------------------------------------

type Json = Readonly<Record<string, unknown>>;

/** JSON with sorted keys and no white space. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => byCodeUnit(a, b));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const nfc = (text: string): string => text.normalize('NFC');
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort(byCodeUnit);
const lowest = (numbers: readonly number[]): number => (numbers.length === 0 ? 0 : Math.min(...numbers));

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [canonical(value), value])).values()];
}

// --- M: matching ---------------------------------------------------------------------------------------------------

/** M1, M2. The facts are in NFC already. */
function matches(pattern: string, value: string | null): boolean {
  if (pattern === '*') return true;
  if (value === null) return false;
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

/** M3, M9: an exact pattern in the form of an id is compared with the id alone, every other one with the alias alone. */
function matchesWho(pattern: string, alias: string | null, id: string | null): boolean {
  const idForm = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})$/i.test(pattern);
  return idForm ? matches(pattern, id) : matches(pattern, alias);
}

/** M8: requested spelling, the group behind the aliases, the deployments of the group. */
function modelNames(documents: Documents, context: Context): ModelNames | 'loop' | null {
  if (context.model === null) return null;
  let name = context.model;
  for (let steps = 0; ; steps += 1) {
    const next = Object.hasOwn(context.principal.model_aliases, name)
      ? context.principal.model_aliases[name]
      : Object.hasOwn(documents.model_aliases, name)
        ? documents.model_aliases[name]
        : undefined;
    if (next === undefined) break;
    if (steps === 10) return 'loop';
    name = next;
  }
  const requested = context.model;
  const exact = documents.models.find((group) => group.model_name === name);
  if (exact !== undefined) {
    return {
      requested,
      group: exact.model_name,
      deployments: distinct(exact.deployments.map((one) => one.model)),
    };
  }
  let best = null;
  for (const group of documents.models) {
    const serves = group.model_name.endsWith('*') && name.startsWith(group.model_name.slice(0, -1));
    if (serves && (best === null || group.model_name.length > best.model_name.length)) best = group;
  }
  if (best === null) return { requested, group: null, deployments: [] };
  const rest = name.slice(best.model_name.length - 1);
  const called = best.deployments.map(({ model }) =>
    model.endsWith('*') ? model.slice(0, -1) + rest : model,
  );
  return { requested, group: best.model_name, deployments: distinct(called) };
}

/** M1, M7: what may be looked at, in NFC, once with every fact and once with the trusted ones alone. */
interface Facts {
  readonly teamAlias: string | null;
  readonly teamId: string | null;
  readonly keyAlias: string | null;
  readonly keyHash: string | null;
  readonly models: readonly string[];
  readonly tags: readonly string[];
  readonly trustedTags: readonly string[];
}

function factsOf(context: Context, names: ModelNames | null, trustedOnly: boolean): Facts {
  const { principal } = context;
  const seen = (fact: { trusted: boolean }) => fact.trusted || !trustedOnly;
  const tags = [...principal.tags, ...context.tags];
  const trustedNames =
    names === null ? [] : [...(names.group === null ? [] : [names.group]), ...names.deployments];
  return {
    teamAlias: principal.team_alias === null ? null : nfc(principal.team_alias),
    teamId: principal.team_id,
    keyAlias:
      principal.key_alias !== null && seen(principal.key_alias) ? nfc(principal.key_alias.value) : null,
    keyHash: principal.key_hash,
    models: (names === null || trustedOnly ? trustedNames : [names.requested, ...trustedNames]).map(nfc),
    tags: tags.filter(seen).map((tag) => nfc(tag.value)),
    trustedTags: tags.filter((tag) => tag.trusted).map((tag) => nfc(tag.value)),
  };
}

function tagParts(tags: Attachment['tags']): {
  any: readonly string[];
  all: readonly string[];
  none: readonly string[];
} {
  if (Array.isArray(tags)) return { any: tags, all: [], none: [] };
  return { any: tags.any ?? [], all: tags.all ?? [], none: tags.none ?? [] };
}

/** M3-M6: dimensions are ANDed, entries ORed; `none` looks at trusted tags always. */
function attachmentHolds(attachment: Attachment, facts: Facts): boolean {
  const { teams, keys, models } = attachment;
  const { any, all, none } = tagParts(attachment.tags);
  const tagged = (pattern: string, tags: readonly string[]) => tags.some((tag) => matches(pattern, tag));
  return (
    (teams.length === 0 || teams.some((pattern) => matchesWho(pattern, facts.teamAlias, facts.teamId))) &&
    (keys.length === 0 || keys.some((pattern) => matchesWho(pattern, facts.keyAlias, facts.keyHash))) &&
    (models.length === 0 ||
      models.some((pattern) => pattern === '*' || facts.models.some((name) => matches(pattern, name)))) &&
    (any.length === 0 || any.some((pattern) => tagged(pattern, facts.tags))) &&
    all.every((pattern) => tagged(pattern, facts.tags)) &&
    !none.some((pattern) => tagged(pattern, facts.trustedTags))
  );
}

// --- K: conditions -------------------------------------------------------------------------------------------------

/** K1: a text is an equality, a prefix of a plain form, or a whole regular expression. */
function textHolds(text: string, name: string): boolean {
  if (text === '*' || text === name) return true;
  if (/^[A-Za-z0-9._:/@-]+\*$/.test(text) && name.startsWith(text.slice(0, -1))) return true;
  return RE2JS.compile(text).matches(name);
}

/** K3: no condition holds; a condition without a model does not. */
function conditionHolds(condition: Condition | null, facts: Facts): boolean {
  const model = condition?.model;
  if (model === undefined) return true;
  return facts.models.some((name) => {
    if (typeof model === 'string') return textHolds(model, name);
    if (Array.isArray(model)) return model.some((text) => textHolds(text, name));
    if ('exact' in model) return name === model.exact;
    if ('prefix' in model) return name.startsWith(model.prefix);
    return RE2JS.compile(model.regex).matches(name);
  });
}

// --- I: inheritance ------------------------------------------------------------------------------------------------

const productionOf = (documents: Documents, name: string): Policy | undefined =>
  documents.policies.find((policy) => policy.policy_name === name && policy.version_status === 'production');

/** I1: root first; above the version itself the production versions count (A5). */
function lineOf(documents: Documents, version: Policy): Policy[] {
  const parent = version.inherit === null ? undefined : productionOf(documents, version.inherit);
  return parent === undefined ? [version] : [...lineOf(documents, parent), version];
}

/**
 * I1, I3: each member adds, then deletes; an ancestor whose condition does not hold does neither. An ancestor deletes
 * only when its condition holds through trusted facts, because the caller's spelling must not take anything away (M7).
 */
function listOf(line: readonly Policy[], facts: Facts, trusted: Facts): string[] {
  const list = new Set<string>();
  for (const member of line) {
    const leaf = member === line.at(-1);
    if (leaf || conditionHolds(member.condition, facts))
      for (const name of member.guardrails_add) list.add(name);
    if (leaf || conditionHolds(member.condition, trusted)) {
      for (const name of member.guardrails_remove) list.delete(name);
    }
  }
  return sorted(list);
}

// --- A: which policies apply ---------------------------------------------------------------------------------------

interface Picked extends Selection {
  readonly attachment: Attachment | null;
  replaced: boolean;
}

interface Applied {
  readonly version: Policy;
  readonly line: readonly Policy[];
  readonly override: boolean;
  readonly picked: Picked[];
  readonly replacedBy: string[];
}

interface Question {
  readonly documents: Documents;
  readonly context: Context;
  readonly names: ModelNames | null;
  readonly all: Facts;
  readonly trusted: Facts;
}

/** A1-A5. Refusals of the request's and the settings' policies are collected on the way. */
function applyPolicies(question: Question, refuse: (refusal: Refusal) => void): Applied[] {
  const { documents, context, all, trusted } = question;
  const { settings } = context.principal;
  const applied = new Map<string, Applied>();
  const overrides = new Map<string, Policy>();

  // A4, A5: what the request names. Of two versions of one name the last wins.
  const requested = sorted(context.policies).filter((entry) => !entry.startsWith('policy_'));
  const versions = [...new Set(context.policies.filter((entry) => entry.startsWith('policy_')))];
  if (context.policies.length > 0 && settings.some((setting) => !setting.client_policies)) {
    refuse({ code: 'client_policies_forbidden', names: sorted(context.policies), source: 'request' });
  }
  const unknown = requested.filter((name) => productionOf(documents, name) === undefined);
  if (unknown.length > 0) refuse({ code: 'unknown_policy', names: unknown, source: 'request' });
  if (versions.length > 0 && !context.principal.allow_policy_versions) {
    refuse({ code: 'policy_versions_forbidden', names: sorted(versions), source: 'request' });
  } else {
    const missing = [];
    for (const entry of context.policies.filter((policy) => policy.startsWith('policy_'))) {
      const version = documents.policies.find((policy) => `policy_${policy.policy_id}` === entry);
      if (version === undefined) missing.push(entry);
      else overrides.set(version.policy_name, version);
    }
    if (missing.length > 0)
      refuse({ code: 'unknown_policy_version', names: sorted(missing), source: 'request' });
  }

  const pick = (name: string, how: Omit<Picked, 'trusted' | 'replaced'>, trustedSource: boolean) => {
    const version = overrides.get(name) ?? productionOf(documents, name);
    if (version === undefined || !conditionHolds(version.condition, all)) return;
    const entry = applied.get(name) ?? {
      version,
      line: lineOf(documents, version),
      override: overrides.has(name),
      picked: [],
      replacedBy: [],
    };
    applied.set(name, entry);
    entry.picked.push({
      ...how,
      trusted: trustedSource && conditionHolds(version.condition, trusted),
      replaced: false,
    });
  };

  // A3: a default counts unless another attachment applies by trusted facts alone.
  const suppressed = documents.attachments.some((attachment) => {
    const policy = productionOf(documents, attachment.policy_name);
    return (
      !attachment.default &&
      attachment.enforcement === 'enforce' &&
      policy !== undefined &&
      attachmentHolds(attachment, trusted) &&
      conditionHolds(policy.condition, trusted) &&
      (policy.pipeline !== null || listOf(lineOf(documents, policy), trusted, trusted).length > 0)
    );
  });

  // A1: attachments of policies that have a production version.
  for (const attachment of documents.attachments) {
    if (attachment.default && suppressed) continue;
    if (productionOf(documents, attachment.policy_name) === undefined) continue;
    if (!attachmentHolds(attachment, all)) continue;
    const how = {
      source: attachment.default ? ('default' as const) : ('attachment' as const),
      attachment_id: attachment.attachment_id,
      enforcement: attachment.enforcement,
      priority: attachment.priority ?? 0,
      attachment,
    };
    pick(attachment.policy_name, how, attachmentHolds(attachment, trusted));
  }

  // A2: policies set on key, team, project. V6: one without a production version blocks.
  const direct = { attachment_id: null, enforcement: 'enforce', priority: 0, attachment: null } as const;
  for (const { source, policies } of settings) {
    const unresolved = sorted(policies).filter((name) => productionOf(documents, name) === undefined);
    if (unresolved.length > 0) refuse({ code: 'policy_unresolved', names: unresolved, source });
    for (const name of sorted(policies)) pick(name, { ...direct, source }, true);
  }

  // A4, A5: additive, and never trusted.
  for (const name of sorted([...requested, ...overrides.keys()]))
    pick(name, { ...direct, source: 'request' }, false);
  return [...applied.values()];
}

/** C3: a descendant that trusted facts select in enforce replaces its ancestor's list in the trusted selections. */
function specialise(applied: readonly Applied[]): void {
  for (const ancestor of applied) {
    for (const descendant of applied) {
      const { policy_name: name } = ancestor.version;
      if (descendant.version.policy_name === name) continue;
      if (!descendant.line.slice(0, -1).some((member) => member.policy_name === name)) continue;
      const by = descendant.picked.filter((one) => one.trusted && one.enforcement === 'enforce');
      if (by.length === 0) continue;
      const onlyDefaults = by.every((one) => one.source === 'default');
      const replaced = ancestor.picked.filter(
        (one) => one.trusted && (!onlyDefaults || one.source === 'default'),
      );
      for (const one of replaced) one.replaced = true;
      if (replaced.length > 0) ancestor.replacedBy.push(descendant.version.policy_name);
    }
  }
}

/** C3, I5: what one selection still contributes. */
function contribution(
  { documents, all, trusted }: Question,
  { version, line }: Applied,
  one: Picked,
): string[] {
  const list = listOf(lineOf(documents, version), all, trusted);
  if (!one.replaced) return list;
  return list.filter((name) => line.some((member) => member.guardrails_lock.includes(name)));
}

// --- the plan ------------------------------------------------------------------------------------------------------

/** One demand for one guardrail. `priority: null` comes through no attachment (C5). */
interface Ask {
  readonly guardrail: string;
  readonly demand: Demand;
  readonly trusted: boolean;
  readonly enforcement: Enforcement;
  readonly priority: number | null;
  readonly policy: Policy | null;
}

function demandOf(version: Policy, one: Picked): Demand {
  return {
    source: one.source,
    policy_name: version.policy_name,
    policy_id: version.policy_id,
    version_number: version.version_number,
    ...(one.attachment_id === null ? {} : { attachment_id: one.attachment_id }),
  };
}

const askedPriority = (one: Picked): number | null => (one.attachment === null ? null : one.priority);

/** O5: the hooks of a guardrail, and whether each is there without the caller's tags. */
function hooksOf(guardrail: Guardrail, { all, trusted }: Question): Map<Hook, boolean> {
  const { mode } = guardrail.litellm_params;
  const hooks = new Map<Hook, boolean>();
  if (Array.isArray(mode)) {
    for (const hook of mode) hooks.set(hook, true);
    return hooks;
  }
  const keysOf = (tags: readonly string[]) => tags.filter((tag) => Object.hasOwn(mode.tags, tag));
  const selected = keysOf(trusted.tags);
  for (const hook of selected.length === 0 ? mode.default : []) hooks.set(hook, true);
  for (const tag of selected) for (const hook of mode.tags[tag] ?? []) hooks.set(hook, true);
  for (const tag of keysOf(all.tags)) {
    for (const hook of mode.tags[tag] ?? []) if (!hooks.has(hook)) hooks.set(hook, false);
  }
  return hooks;
}

/** O1-O3. */
function globallyActive(guardrail: Guardrail, { context }: Question): boolean {
  const { default_on: on, opt_out: mayOptOut } = guardrail.litellm_params;
  const out = context.principal.settings.some(
    (setting) =>
      setting.disable_global_guardrails ||
      setting.opted_out_global_guardrails.includes(guardrail.guardrail_name),
  );
  return on && !(mayOptOut && out);
}

/** C1: everything that demands a guardrail on its own, outside pipelines. */
function plainAsks(question: Question, applied: readonly Applied[]): Ask[] {
  const { documents, context, names, trusted } = question;
  const asks: Ask[] = [];
  const direct = { enforcement: 'enforce', priority: null, policy: null } as const;
  for (const entry of applied) {
    const trustedList = listOf(entry.line, trusted, trusted);
    for (const one of entry.picked) {
      for (const guardrail of contribution(question, entry, one)) {
        asks.push({
          guardrail,
          demand: demandOf(entry.version, one),
          trusted: one.trusted && trustedList.includes(guardrail),
          enforcement: one.enforcement,
          priority: askedPriority(one),
          policy: entry.version,
        });
      }
    }
  }
  for (const { source, guardrails } of context.principal.settings) {
    for (const guardrail of guardrails)
      asks.push({ ...direct, guardrail, demand: { source }, trusted: true });
  }
  for (const group of documents.models.filter((one) => one.model_name === names?.group)) {
    for (const guardrail of group.deployments.flatMap((deployment) => deployment.guardrails)) {
      asks.push({ ...direct, guardrail, demand: { source: 'model' }, trusted: true });
    }
  }
  for (const guardrail of documents.guardrails.filter((one) => globallyActive(one, question))) {
    asks.push({
      ...direct,
      guardrail: guardrail.guardrail_name,
      demand: { source: 'global' },
      trusted: true,
    });
  }
  for (const { name } of context.guardrails) {
    asks.push({ ...direct, guardrail: name, demand: { source: 'request' }, trusted: false });
  }
  return asks;
}

/** O5: the allow-listed part of the caller's parameters; nothing left is as none given. */
function allowedParams(guardrail: Guardrail, params: Json | null): Json | null {
  const kept = Object.entries(params ?? {}).filter(([key]) =>
    guardrail.litellm_params.request_params.includes(key),
  );
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

/** C4: the one run that unites the demands, and the second one that the caller's parameters may add (O5). */
function guardrailRuns(question: Question, guardrail: Guardrail, asks: readonly Ask[]): PlannedRun[] {
  const { priority, enforcement } = guardrail.litellm_params;
  const run = (united: readonly Ask[], params: Json | null): PlannedRun => ({
    kind: 'guardrail',
    name: guardrail.guardrail_name,
    params,
    enforcement:
      enforcement === 'enforce' && united.some((ask) => ask.enforcement === 'enforce')
        ? 'enforce'
        : 'monitor',
    trusted: united.some((ask) => ask.trusted),
    priority: priority ?? lowest(united.flatMap((ask) => (ask.priority === null ? [] : [ask.priority]))),
    demanded_by: distinct(united.map((ask) => ask.demand)),
  });
  if (asks.length === 0) return [];
  const byRequest = asks.filter((ask) => ask.demand.source === 'request' && ask.policy === null);
  // A guardrail that is named twice counts once, with the last parameters of which something is allowed.
  const given = question.context.guardrails.filter(({ name }) => name === guardrail.guardrail_name);
  const allowed = given
    .map(({ params }) => allowedParams(guardrail, params))
    .filter((params) => params !== null);
  const params = byRequest.length === 0 ? null : (allowed.at(-1) ?? null);
  if (params === null || !asks.some((ask) => ask.trusted)) return [run(asks, params)];
  return [run(asks, null), run(byRequest, params)];
}

function runsOf(question: Question, applied: readonly Applied[], hook: Hook): PlannedRun[] {
  const runs: PlannedRun[] = [];
  const guardrails = new Map(question.documents.guardrails.map((one) => [one.guardrail_name, one]));
  const monitored = (name: string) => guardrails.get(name)?.litellm_params.enforcement === 'monitor';
  const stepAsks: Ask[] = [];

  // P1-P3: one pipeline per policy, in its hook. C3 never replaces it.
  for (const { version, picked } of applied) {
    if (version.pipeline?.mode !== hook) continue;
    runs.push({
      kind: 'pipeline',
      name: version.policy_name,
      policy_id: version.policy_id,
      version_number: version.version_number,
      mode: version.pipeline.mode,
      steps: version.pipeline.steps.map((step) => ({ ...step, monitored: monitored(step.guardrail) })),
      enforcement: picked.some((one) => one.enforcement === 'enforce') ? 'enforce' : 'monitor',
      trusted: picked.some((one) => one.trusted),
      priority: lowest(picked.flatMap((one) => askedPriority(one) ?? [])),
      demanded_by: picked.map((one) => demandOf(version, one)),
    });
    // E5: a step whose guardrail is in monitor runs beside the pipeline as well.
    for (const { guardrail } of version.pipeline.steps.filter((step) => monitored(step.guardrail))) {
      for (const one of picked) {
        const { trusted, enforcement } = one;
        const demand = demandOf(version, one);
        stepAsks.push({
          guardrail,
          demand,
          trusted,
          enforcement,
          priority: askedPriority(one),
          policy: version,
        });
      }
    }
  }

  // P4: a pipeline satisfies its own policy's demand, in its own hook, and nothing else.
  const satisfied = ({ guardrail, policy }: Ask) =>
    policy?.pipeline?.mode === hook &&
    policy.pipeline.steps.some((step) => step.guardrail === guardrail) &&
    !monitored(guardrail);

  const asks = plainAsks(question, applied);
  for (const [name, guardrail] of guardrails) {
    const hooks = hooksOf(guardrail, question);
    const plain = asks.filter((ask) => hooks.has(hook) && ask.guardrail === name && !satisfied(ask));
    const here = plain.map((ask) => ({ ...ask, trusted: ask.trusted && hooks.get(hook) === true }));
    runs.push(
      ...guardrailRuns(question, guardrail, [...here, ...stepAsks.filter((ask) => ask.guardrail === name)]),
    );
  }

  // C5: the total order inside a hook.
  const paramsOf = (run: PlannedRun) =>
    run.kind === 'pipeline' || run.params === null ? '' : canonical(run.params);
  return runs.sort(
    (a, b) =>
      Number(b.trusted) - Number(a.trusted) ||
      a.priority - b.priority ||
      Number(a.kind === 'guardrail') - Number(b.kind === 'guardrail') ||
      byCodeUnit(a.name, b.name) ||
      byCodeUnit(paramsOf(a), paramsOf(b)),
  );
}

// --- the decision --------------------------------------------------------------------------------------------------

/** O5: names of guardrails that are not known, and requests that may not name any. */
function refuseGuardrails({ documents, context }: Question, refuse: (refusal: Refusal) => void): void {
  const known = new Set(documents.guardrails.map((guardrail) => guardrail.guardrail_name));
  const { settings } = context.principal;
  const requested = sorted(context.guardrails.map((guardrail) => guardrail.name));
  if (requested.length > 0 && settings.some((setting) => !setting.client_guardrails)) {
    refuse({ code: 'client_guardrails_forbidden', names: requested, source: 'request' });
  }
  const named = [{ source: 'request' as const, guardrails: requested }, ...settings];
  for (const { source, guardrails } of named) {
    const unknown = sorted(guardrails).filter((name) => !known.has(name));
    if (unknown.length > 0) refuse({ code: 'unknown_guardrail', names: unknown, source });
  }
}

/** O2, O3, O5: what was written but has no effect. */
function notesOf({ documents, context }: Question): Note[] {
  const guardrails = new Map(documents.guardrails.map((one) => [one.guardrail_name, one]));
  const out = context.principal.settings.flatMap((setting) => setting.opted_out_global_guardrails);
  const without = out.filter((name) => {
    const params = guardrails.get(name)?.litellm_params;
    return params === undefined || !params.default_on || !params.opt_out;
  });
  const ignored = context.guardrails.filter(({ name, params }) =>
    Object.keys(params ?? {}).some(
      (key) => !guardrails.get(name)?.litellm_params.request_params.includes(key),
    ),
  );
  const notes: Note[] = [
    { note: 'opt_out_without_effect', names: sorted(without) },
    { note: 'request_params_ignored', names: sorted(ignored.map(({ name }) => name)) },
  ];
  return notes.filter(({ names }) => names.length > 0);
}

interface Judged {
  readonly question: Question;
  readonly applied: readonly Applied[];
  readonly refusals: readonly Refusal[];
}

function judge(documents: Documents, context: Context): Judged {
  const refusals: Refusal[] = [];
  const found = modelNames(documents, context);
  if (found === 'loop') {
    refusals.push({ code: 'model_alias_loop', names: [context.model ?? ''], source: 'request' });
  }
  const names = found === 'loop' ? null : found;
  const [all, trusted] = [factsOf(context, names, false), factsOf(context, names, true)];
  const question = { documents, context, names, all, trusted };
  const applied = applyPolicies(question, (refusal) => refusals.push(refusal));
  refuseGuardrails(question, (refusal) => refusals.push(refusal));
  specialise(applied);
  // C5: trusted first, lowest priority, name.
  const rank = ({ picked }: Applied) => lowest(picked.flatMap((one) => askedPriority(one) ?? []));
  const trustedOne = ({ picked }: Applied) => Number(picked.some((one) => one.trusted));
  applied.sort(
    (a, b) =>
      trustedOne(b) - trustedOne(a) ||
      rank(a) - rank(b) ||
      byCodeUnit(a.version.policy_name, b.version.policy_name),
  );
  return { question, applied, refusals };
}

function describe(question: Question, entry: Applied): AppliedPolicy {
  return {
    policy_name: entry.version.policy_name,
    policy_id: entry.version.policy_id,
    version_number: entry.version.version_number,
    override: entry.override,
    enforcement: entry.picked.some((one) => one.enforcement === 'enforce') ? 'enforce' : 'monitor',
    selections: entry.picked.map(({ source, attachment_id, trusted, enforcement, priority }) => ({
      source,
      attachment_id,
      trusted,
      enforcement,
      priority,
    })),
    guardrails: sorted(entry.picked.flatMap((one) => contribution(question, entry, one))),
    replaced_by: sorted(entry.replacedBy),
  };
}

/** C5. */
export function modelHash({ hooks, policies }: Omit<Plan, 'hash'>): string {
  return createHash('sha256').update(canonical({ hooks, policies })).digest('hex');
}

/** A6: documents and context give the decision. */
export function modelDecide(documents: Documents, context: Context): Decision {
  const { question, applied, refusals } = judge(documents, context);
  if (refusals.length > 0) return { kind: 'refused', revision: documents.revision, refusals };
  const hooks = Object.fromEntries(HOOKS.map((hook) => [hook, runsOf(question, applied, hook)])) as Record<
    Hook,
    PlannedRun[]
  >;
  const policies = applied.map((entry) => describe(question, entry));
  return {
    kind: 'planned',
    revision: documents.revision,
    plan: { hooks, policies, hash: modelHash({ hooks, policies }) },
    model: question.names,
    notes: notesOf(question),
  };
}

// --- H: attribution ------------------------------------------------------------------------------------------------

/** H2: reserved are `% ; = , +`, space, controls and everything outside ASCII. */
function encodeHeaderText(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    const reserved = byte <= 0x20 || byte >= 0x7f || '%;=,+'.includes(character);
    encoded += reserved ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : character;
  }
  return encoded;
}

/** H2: tag, team, key, model parts with the values that matched; nothing to name is `scope:*`. */
function reasonOf(attachment: Attachment, facts: Facts): string {
  const parts: string[] = [];
  const { any, all } = tagParts(attachment.tags);
  const tag = [...facts.trustedTags, ...facts.tags].find((one) =>
    (any.length > 0 ? any : all).some((pattern) => matches(pattern, one)),
  );
  const who = (patterns: readonly string[], alias: string | null, id: string | null) => {
    if (patterns.some((pattern) => alias !== null && matchesWho(pattern, alias, null))) return alias;
    return patterns.some((pattern) => id !== null && matchesWho(pattern, null, id)) ? id : null;
  };
  const team = who(attachment.teams, facts.teamAlias, facts.teamId);
  const key = who(attachment.keys, facts.keyAlias, facts.keyHash);
  const model = facts.models.find((name) => attachment.models.some((pattern) => matches(pattern, name)));
  if (tag !== undefined) parts.push(`tag:${encodeHeaderText(tag)}`);
  if (team !== null) parts.push(`team:${encodeHeaderText(team)}`);
  if (key !== null) parts.push(`key:${encodeHeaderText(key)}`);
  if (model !== undefined) parts.push(`model:${encodeHeaderText(model)}`);
  const reason = parts.length === 0 ? 'scope:*' : parts.join('+');
  return attachment.default ? `default:${reason}` : reason;
}

export interface ModelHeaders {
  readonly applied_policies: string | null;
  readonly policy_sources: string | null;
}

/** H1, H2 for a request that is not refused; `null` when no policy is to be named. */
export function modelHeaders(documents: Documents, context: Context): ModelHeaders {
  const { question, applied } = judge(documents, context);
  const named: string[] = [];
  const sources: string[] = [];
  for (const { version, override, picked } of applied) {
    const naming = picked.filter((one) => one.enforcement === 'enforce' && !one.replaced);
    if (naming.length === 0) continue;
    const name = encodeHeaderText(version.policy_name);
    named.push(name);
    const attachments = naming.flatMap((one) =>
      one.attachment === null ? [] : [{ ...one, attachment: one.attachment }],
    );
    attachments.sort(
      (a, b) =>
        Number(b.trusted) - Number(a.trusted) ||
        a.priority - b.priority ||
        Number(b.attachment.scope === '*') - Number(a.attachment.scope === '*') ||
        Number(b.attachment.definition_location === 'config') -
          Number(a.attachment.definition_location === 'config') ||
        byCodeUnit(a.attachment.attachment_id, b.attachment.attachment_id),
    );
    const first = attachments[0];
    const direct = (['key', 'team', 'project', 'request'] as const).find((source) =>
      naming.some((one) => one.source === source),
    );
    const reason = first === undefined ? direct : reasonOf(first.attachment, question.all);
    // A5: always visible.
    sources.push(`${name}=${override ? 'override:' : ''}${reason}`);
  }
  if (named.length === 0) return { applied_policies: null, policy_sources: null };
  return { applied_policies: named.join(','), policy_sources: sources.join('; ') };
}

// --- E1, P1, P2, P7: what a pipeline makes of its steps' outcomes --------------------------------------------------

/** A pipeline walked step by step: the verdict, and how many steps were reached. `outcomes` are those of the steps reached. */
export function modelPipeline(
  steps: readonly PipelineStep[],
  outcomes: readonly Outcome[],
  anyUnscannedBlock: boolean,
): { readonly verdict: 'allow' | 'respond' | 'block'; readonly ran: number } {
  let lastPassed: boolean | null = null;
  for (const [index, step] of steps.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined)
      throw new Error(`step ${index + 1} is reached, but there is no outcome for it`);
    const ran = index + 1;
    // P7: not_run goes on and is not the last outcome.
    if (outcome.outcome === 'not_run') continue;
    const isError = outcome.outcome === 'error';
    const passed = !isError && (outcome.outcome !== 'flagged' || outcome.action === 'log');
    lastPassed = passed;
    let action = passed ? step.on_pass : step.on_fail;
    if (isError) {
      action = step.on_error ?? 'block';
      // E1: unknown never passes, neither at once nor by going on to another step.
      if (outcome.error_class === 'unknown' && action !== 'modify_response') action = 'block';
    }
    if (action === 'block' || action === 'allow') return { verdict: action, ran };
    if (action === 'modify_response') return { verdict: 'respond', ran };
  }
  if (lastPassed === null) return { verdict: anyUnscannedBlock ? 'block' : 'allow', ran: steps.length };
  return { verdict: lastPassed ? 'allow' : 'block', ran: steps.length };
}
