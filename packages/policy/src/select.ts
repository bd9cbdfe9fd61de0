/** Which policies apply, through which selections, and which of these a descendant replaces (A1-A5, C3). */
import { type CompiledPolicy, type LevelledList, resolveList } from './inheritance.ts';
import { byCodeUnits } from './key.ts';
import { ABSENT, both, type Level, TRUSTED } from './level.ts';
import type { AttachmentMatch } from './match.ts';
import type { PrincipalFacts } from './principal.ts';
import type { RequestAdditions } from './request.ts';
import type { Attachment } from './schema/attachment.ts';
import type { Selection } from './schema/decision.ts';
import type { Snapshot } from './snapshot.ts';

/** A selection with the attachment behind it. */
export interface MadeSelection extends Selection {
  readonly attachment: Attachment | null;
}

/** A policy that applies, before its runs are laid out. */
export interface SelectedPolicy {
  readonly version: CompiledPolicy;
  readonly override: boolean;
  /** In the order of attribution: the first one is the one that is named. */
  readonly selections: readonly MadeSelection[];
  /** Its guardrails after inheritance, each as trusted as the conditions on its way. */
  readonly list: LevelledList;
}

export interface SelectionInput {
  readonly snapshot: Snapshot;
  readonly matches: readonly AttachmentMatch[];
  readonly who: PrincipalFacts;
  readonly additions: RequestAdditions;
  /** How far a condition holds; -1 is "no condition" (K3). */
  readonly conditionLevel: (condition: number) => Level;
}

/** All policies that apply, by name. */
export function selectPolicies(input: SelectionInput): ReadonlyMap<string, SelectedPolicy> {
  const made = new Map<string, MadeSelection[]>();
  const add = (name: string, selection: MadeSelection) => {
    const selections = made.get(name);
    if (selections === undefined) made.set(name, [selection]);
    else if (selection.attachment !== null || !selections.some(({ source }) => source === selection.source)) {
      selections.push(selection);
    }
  };
  selectByAttachment(input, add);
  selectBySettings(input, add);
  for (const name of input.additions.policies) {
    if (levelOfPolicy(input, name) !== ABSENT) add(name, plainSelection('request', false));
  }
  const selected = new Map<string, SelectedPolicy>();
  for (const [name, selections] of made) {
    const version = versionInForce(input, name);
    if (version === undefined) continue;
    selected.set(name, {
      version,
      override: input.additions.overrides.has(name),
      selections: selections.sort(byAttribution),
      list: resolveList(version, input.conditionLevel),
    });
  }
  return selected;
}

type AddSelection = (policyName: string, selection: MadeSelection) => void;

/** A1 and A3: attached policies; defaults only when nothing trusted and enforced applies. */
function selectByAttachment(input: SelectionInput, add: AddSelection): void {
  const { snapshot, matches } = input;
  const defaultsCount = !matches.some((match) => suppressesDefaults(input, match));
  for (const { compiled, level: matchLevel } of matches) {
    const { attachment } = compiled;
    if (attachment.default && !defaultsCount) continue;
    if (!snapshot.production.has(attachment.policy_name)) continue;
    const level = both(matchLevel, levelOfPolicy(input, attachment.policy_name));
    if (level === ABSENT) continue;
    add(attachment.policy_name, {
      source: attachment.default ? 'default' : 'attachment',
      attachment_id: attachment.attachment_id,
      trusted: level === TRUSTED,
      enforcement: attachment.enforcement,
      priority: attachment.priority ?? 0,
      attachment,
    });
  }
}

/**
 * A3: a non-default attachment in enforce that applies through trusted facts with something to run. The production
 * version is looked at even when the request overrides it, so that an override cannot switch defaults off.
 */
function suppressesDefaults(input: SelectionInput, { compiled, level }: AttachmentMatch): boolean {
  const { attachment } = compiled;
  if (attachment.default || attachment.enforcement !== 'enforce' || level !== TRUSTED) return false;
  const version = input.snapshot.production.get(attachment.policy_name);
  if (version === undefined || input.conditionLevel(version.condition) !== TRUSTED) return false;
  if (version.policy.pipeline !== null) return true;
  return [...resolveList(version, input.conditionLevel).values()].includes(TRUSTED);
}

/** A2: policies that administrators set on key, team or project. */
function selectBySettings(input: SelectionInput, add: AddSelection): void {
  for (const { source, policies } of input.who.settings) {
    for (const name of policies) {
      const level = levelOfPolicy(input, name);
      if (level !== ABSENT) add(name, plainSelection(source, level === TRUSTED));
    }
  }
}

function plainSelection(source: MadeSelection['source'], trusted: boolean): MadeSelection {
  return { source, attachment_id: null, trusted, enforcement: 'enforce', priority: 0, attachment: null };
}

/** The version that a request asked for, else the production version (A5). */
function versionInForce({ snapshot, additions }: SelectionInput, name: string): CompiledPolicy | undefined {
  return additions.overrides.get(name) ?? snapshot.production.get(name);
}

function levelOfPolicy(input: SelectionInput, name: string): Level {
  const version = versionInForce(input, name);
  return version === undefined ? ABSENT : input.conditionLevel(version.condition);
}

const SOURCE_ORDER: Readonly<Record<MadeSelection['source'], number>> = {
  attachment: 0,
  default: 0,
  key: 1,
  team: 2,
  project: 3,
  request: 4,
};

/** H2: attachments before other sources, then trusted, priority, `scope:*`, YAML before database, attachment id. */
function byAttribution(a: MadeSelection, b: MadeSelection): number {
  const bySource = SOURCE_ORDER[a.source] - SOURCE_ORDER[b.source];
  if (bySource !== 0) return bySource;
  if (a.trusted !== b.trusted) return a.trusted ? -1 : 1;
  if (a.priority !== b.priority) return a.priority - b.priority;
  return attachmentOrder(a.attachment) - attachmentOrder(b.attachment) || byIds(a, b);
}

function attachmentOrder(attachment: Attachment | null): number {
  if (attachment === null) return 0;
  return (attachment.scope === '*' ? 0 : 2) + (attachment.definition_location === 'config' ? 0 : 1);
}

function byIds(a: MadeSelection, b: MadeSelection): number {
  return byCodeUnits(a.attachment_id ?? '', b.attachment_id ?? '');
}

/** The descendants that replace a policy's own list, and in which of its selections (C3). */
export interface Replacement {
  readonly by: readonly string[];
  readonly replaces: (selection: Selection) => boolean;
}

const NOT_REPLACED: Replacement = Object.freeze({ by: [], replaces: () => false });

/**
 * C3 for one policy. A descendant counts with a trusted selection in enforce; one that is there only as a default replaces
 * only defaults. What a caller selected is never replaced: a caller cannot lose by naming the ancestor.
 */
export function replacementOf(name: string, selected: ReadonlyMap<string, SpecialisingPolicy>): Replacement {
  const policy = selected.get(name);
  if (!policy?.selections.some((selection) => selection.trusted)) return NOT_REPLACED;
  const full: string[] = [];
  const defaultsOnly: string[] = [];
  for (const [other, { ancestors, selections }] of selected) {
    if (!ancestors.has(name)) continue;
    const strong = selections.filter(({ trusted, enforcement }) => trusted && enforcement === 'enforce');
    if (strong.length === 0) continue;
    (strong.every(({ source }) => source === 'default') ? defaultsOnly : full).push(other);
  }
  const hasDefault = policy.selections.some(({ trusted, source }) => trusted && source === 'default');
  const by = hasDefault ? [...full, ...defaultsOnly] : full;
  if (by.length === 0) return NOT_REPLACED;
  return {
    by: by.sort(),
    replaces: ({ trusted, source }) => trusted && (full.length > 0 || source === 'default'),
  };
}

/** What C3 needs to know of an applied policy. */
export interface SpecialisingPolicy {
  readonly ancestors: ReadonlySet<string>;
  readonly selections: readonly Selection[];
}
