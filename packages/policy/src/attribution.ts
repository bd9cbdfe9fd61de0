/** The headers that say which policies and guardrails acted on a request, and why (H1, H2). */
import { requestFacts, type RequestFacts } from './decide.ts';
import type { CompiledAttachment } from './match.ts';
import type { ModelNameFact } from './models.ts';
import type { HitFact } from './principal.ts';
import type { Attachment } from './schema/attachment.ts';
import type { Context } from './schema/context.ts';
import type { AppliedPolicy, Plan, Planned, Selection } from './schema/decision.ts';
import { replacementOf } from './select.ts';
import type { Snapshot } from './snapshot.ts';

const MAX_HEADER_BYTES = 4_096;
const TRUNCATED = 'truncated=1';

/** `x-litellm-applied-policies`: the enforced policies in the plan's order, or `null` when there is none. */
export function appliedPoliciesHeader(snapshot: Snapshot, decision: Planned): string | null {
  return attributionOf(snapshot, decision.plan).appliedPolicies;
}

/** `x-litellm-policy-sources`: for each enforced policy why it applied, or `null` when there is none. */
export function policySourcesHeader(snapshot: Snapshot, context: Context, decision: Planned): string | null {
  const { sources, fixedSources } = attributionOf(snapshot, decision.plan);
  if (fixedSources !== undefined) return fixedSources;
  const facts = requestFacts(snapshot, context);
  return joinEntries(
    sources.map(
      ({ name, prefix, reason }) =>
        `${name}=${prefix}${typeof reason === 'string' ? reason : reasonOf(reason, facts, encode)}`,
    ),
    '; ',
  );
}

/** `x-litellm-applied-guardrails`: the given names, or `null` when there is none. The runner knows which to give (E3). */
export function appliedGuardrailsHeader(names: readonly string[]): string | null {
  return joinEntries(names.map(encode), ',');
}

// ── What depends on the plan alone ──────────────────────────────────────────────────────────────────────────────────

/** Why a policy applied: a fixed text, or an attachment whose matching values the request must tell. */
interface Source {
  readonly name: string;
  readonly prefix: string;
  readonly reason: string | CompiledAttachment;
}

interface Attribution {
  readonly appliedPolicies: string | null;
  readonly sources: readonly Source[];
  /** The whole header when no entry depends on the request's values. */
  readonly fixedSources?: string | null;
}

/** Plans are shared and frozen, so this is worked out once for each. */
const ATTRIBUTIONS = new WeakMap<Plan, Attribution>();

function attributionOf(snapshot: Snapshot, plan: Plan): Attribution {
  const known = ATTRIBUTIONS.get(plan);
  if (known !== undefined) return known;
  const named = [...namedSelections(snapshot, plan)];
  const sources = named.map(([policy, selection]): Source => {
    return {
      name: encode(policy.policy_name),
      prefix: prefixOf(policy, selection),
      reason: fixedReason(snapshot, selection),
    };
  });
  const names = sources.map(({ name }) => name);
  const fixed = sources.flatMap(({ name, prefix, reason }) =>
    typeof reason === 'string' ? [`${name}=${prefix}${reason}`] : [],
  );
  const attribution: Attribution = {
    appliedPolicies: joinEntries(names, ','),
    sources,
    ...(fixed.length === sources.length && { fixedSources: joinEntries(fixed, '; ') }),
  };
  ATTRIBUTIONS.set(plan, attribution);
  return attribution;
}

/**
 * The selection that is named for each policy that acts: the first enforced one that no descendant replaces. A policy
 * that only monitors, or is replaced, is in the record and not in a header (E3, H2).
 */
export function namedSelections(snapshot: Snapshot, plan: Plan): ReadonlyMap<AppliedPolicy, Selection> {
  const specialising = new Map(
    plan.policies.map(({ policy_name, policy_id, selections }) => {
      const ancestors = snapshot.versions.get(policy_id)?.ancestors ?? new Set<string>();
      return [policy_name, { ancestors, selections }];
    }),
  );
  const named = new Map<AppliedPolicy, Selection>();
  for (const policy of plan.policies) {
    const { replaces } = replacementOf(policy.policy_name, specialising);
    const selection = policy.selections.find((made) => made.enforcement === 'enforce' && !replaces(made));
    if (selection !== undefined) named.set(policy, selection);
  }
  return named;
}

/** `override:` for a version that the request asked for (A5), `default:` for a default attachment (H2). */
function prefixOf(policy: AppliedPolicy, selection: Selection): string {
  return `${policy.override ? 'override:' : ''}${selection.source === 'default' ? 'default:' : ''}`;
}

function fixedReason(snapshot: Snapshot, { source, attachment_id }: Selection): string | CompiledAttachment {
  if (attachment_id === null) return source;
  const compiled = snapshot.attachments.byId.get(attachment_id);
  return compiled === undefined || compiled.attachment.scope === '*' ? 'scope:*' : compiled;
}

/** Why a policy applied, as one text; `write` encodes the request's values. */
export function sourceText(
  snapshot: Snapshot,
  policy: AppliedPolicy,
  selection: Selection,
  facts: RequestFacts,
  write: (value: string) => string,
): string {
  const reason = fixedReason(snapshot, selection);
  return prefixOf(policy, selection) + (typeof reason === 'string' ? reason : reasonOf(reason, facts, write));
}

// ── Reasons ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `tag:`, `team:`, `key:` and `model:` parts joined by `+`; `scope:*` when no part can be named. */
function reasonOf(
  compiled: CompiledAttachment,
  facts: RequestFacts,
  write: (value: string) => string,
): string {
  const { attachment } = compiled;
  const tags = [...facts.who.facts.filter(({ dimension }) => dimension === 'tags'), ...facts.tags];
  const models = facts.model === 'alias_loop' ? [] : facts.model.facts;
  const values: [string, string | undefined][] = [
    ['tag', matchedTag(compiled, tags)],
    ['team', matchedValue(attachment.teams, compiled.teams, factsOf(facts, 'teams'))],
    ['key', matchedValue(attachment.keys, compiled.keys, factsOf(facts, 'keys'))],
    ['model', matchedValue(attachment.models, compiled.models, models)],
  ];
  const parts = values.flatMap(([label, value]) =>
    value === undefined ? [] : [`${label}:${write(value.normalize('NFC'))}`],
  );
  return parts.length === 0 ? 'scope:*' : parts.join('+');
}

function factsOf({ who }: RequestFacts, dimension: 'teams' | 'keys'): readonly HitFact[] {
  return who.facts.filter((fact) => fact.dimension === dimension);
}

/** The first tag, trusted ones first, that the `any` part matches, else the `all` part. */
function matchedTag({ tagsAny, tagsAll }: CompiledAttachment, tags: readonly HitFact[]): string | undefined {
  const patterns = tagsAny ?? tagsAll;
  const matches = ({ patterns: hit }: HitFact) => hit.some((pattern) => patterns.includes(pattern));
  return (tags.find((tag) => tag.trusted && matches(tag)) ?? tags.find(matches))?.value;
}

/** The value that matched. A list with `*` is compiled to "does not constrain": it names the first value there is. */
function matchedValue(
  written: Attachment['teams'],
  patterns: readonly number[] | null,
  values: readonly (HitFact | ModelNameFact)[],
): string | undefined {
  if (written.length === 0) return undefined;
  if (patterns === null) return values[0]?.value;
  return values.find(({ patterns: hit }) => hit.some((pattern) => patterns.includes(pattern)))?.value;
}

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// Every character but printable ASCII without `% ; = , +` and space.
const UNSAFE = /[^!-~]|[%;=,+]/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');

/** Percent-encodes what would be taken for structure, space, controls, and the UTF-8 bytes of everything non-ASCII. */
function encode(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, encodeCharacter) : text;
}

function encodeCharacter(character: string): string {
  // A lone surrogate has no UTF-8 form; it is written as the replacement character.
  const code = character.charCodeAt(0);
  if (character.length === 1 && code >= 0xd800 && code <= 0xdfff) return '%EF%BF%BD';
  if (code < 0x80) return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return encodeURIComponent(character);
}

/** Joins whole entries up to 4 KB; what does not fit is announced by `truncated=1` (H2). Encoded text is ASCII. */
function joinEntries(entries: readonly string[], separator: string): string | null {
  if (entries.length === 0) return null;
  const whole = entries.join(separator);
  if (whole.length <= MAX_HEADER_BYTES) return whole;
  const room = MAX_HEADER_BYTES - TRUNCATED.length - separator.length;
  let text = '';
  for (const entry of entries) {
    const longer = text === '' ? entry : text + separator + entry;
    if (longer.length > room) break;
    text = longer;
  }
  return text === '' ? TRUNCATED : text + separator + TRUNCATED;
}
