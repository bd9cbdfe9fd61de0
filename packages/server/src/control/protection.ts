import {
  type FieldProblem,
  FieldsError,
  isNothing,
  MISPLACED_METADATA,
  PortcullisError,
  PROTECTION_FIELDS,
  UNSUPPORTED_METADATA,
} from '@portcullis/contract';
import type { Identity } from '../ports/identity.ts';
import type { KnownNames } from '../ports/names.ts';
import { PROTECTION_WRITERS, type Protection, type SetBy } from '../ports/protection.ts';

/**
 * Protection fields as they are written on keys and teams (M9): beside `metadata` and inside it, in either spelling, but
 * each of them once, by a role that may, and with names that exist.
 */

type Field = keyof Protection;

/** Every spelling of a protection field, in the body and inside `metadata`. */
const SPELLINGS: Readonly<Record<string, Field>> = {
  tags: 'tags',
  guardrails: 'guardrails',
  policies: 'policies',
  opted_out_global_guardrails: 'opted_out_global_guardrails',
  disable_global_guardrails: 'disable_global_guardrails',
  disable_global_guardrail: 'disable_global_guardrails',
  permissions: 'permissions',
  allow_policy_versions: 'allow_policy_versions',
  aliases: 'model_aliases',
  model_aliases: 'model_aliases',
};

/** Looks like the switch or the list and is neither, so it would protect less than its writer believes (D-96). */
const MISNOMERS: Readonly<Record<string, string>> = {
  disabled_global_guardrails: 'opted_out_global_guardrails',
  opt_out_global_guardrails: 'opted_out_global_guardrails',
  opted_out_global_guardrail: 'opted_out_global_guardrails',
};

/** `null` takes the field away. */
type Written = { readonly [F in Field]?: NonNullable<Protection[F]>['value'] | null };

export interface ProtectionRequest {
  readonly written: Written;
  /** `metadata` without protection fields, or undefined when it was not given. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

export interface ProtectionRules {
  readonly knownNames: KnownNames;
  /** A team has no `allow_policy_versions`: the right belongs to a key (A5). */
  readonly object: 'key' | 'team';
}

/**
 * Takes the protection fields out of a body that its schema has checked.
 * @throws FieldsError naming every value at fault.
 */
export function readProtection(
  body: Readonly<Record<string, unknown>> & {
    readonly metadata?: Readonly<Record<string, unknown>> | null | undefined;
  },
  rules: ProtectionRules,
): ProtectionRequest {
  const problems: FieldProblem[] = [];
  const written = new Map<Field, { value: unknown; place: string }>();

  function write(field: Field, value: unknown, loc: readonly string[]): void {
    const place = loc.join('.');
    const earlier = written.get(field);
    // A list says the same in any order only to people; to compare texts is enough to find what is written twice.
    if (earlier !== undefined && JSON.stringify(earlier.value) !== JSON.stringify(value)) {
      problems.push(
        problem(loc, `differs from ${earlier.place}, which says the same thing; give one of them`),
      );
    }
    written.set(field, { value, place });
  }

  for (const [spelling, field] of Object.entries(SPELLINGS)) {
    const value = body[spelling];
    if (value !== undefined) write(field, withoutTwins(value), [spelling]);
  }
  const free: [string, unknown][] = [];
  for (const [name, value] of Object.entries(body.metadata ?? {})) {
    const loc = ['metadata', name];
    const field = Object.hasOwn(SPELLINGS, name) ? SPELLINGS[name] : undefined;
    if (field === undefined) {
      problems.push(...freeProblems(name, value, loc));
      free.push([name, value]);
      continue;
    }
    if (value === null) continue;
    if (field === 'allow_policy_versions' && rules.object === 'team') {
      problems.push(problem(loc, 'belongs on a key'));
      continue;
    }
    const modify = field === 'guardrails' ? legacyModify(value) : undefined;
    if (modify !== undefined) {
      write('permissions', { client_guardrails: modify }, loc);
      continue;
    }
    const parsed = PROTECTION_FIELDS[field].safeParse(value);
    if (parsed.success) write(field, withoutTwins(parsed.data), loc);
    for (const issue of parsed.error?.issues ?? []) {
      problems.push(problem([...loc, ...issue.path.map(String)], issue.message, issue.code));
    }
  }

  const values = Object.fromEntries([...written].map(([field, { value }]) => [field, value])) as Written;
  problems.push(...nameProblems(values, rules.knownNames));
  if (problems.length > 0) throw new FieldsError(problems);
  return { written: values, metadata: body.metadata === undefined ? undefined : Object.fromEntries(free) };
}

/** A new object has nothing to clear, so what says nothing is not written at all (D-83). */
export function withoutNothing(written: Written): Written {
  return Object.fromEntries(Object.entries(written).filter(([, value]) => !isNothing(value)));
}

/**
 * What is stored after a write. What says nothing takes a field away, and is no write when there was none: clients of the
 * reference send empty lists for fields they do not use (D-83).
 * @throws PortcullisError `protection_write_forbidden` when the role may not write what would change (M9).
 */
export function applyProtection(
  before: Protection,
  written: Written,
  identity: Identity,
  setBy: SetBy,
): Protection {
  const after: Record<string, unknown> = { ...before };
  const changed: string[] = [];
  for (const [field, value] of Object.entries(written)) {
    const former = before[field as Field];
    if (isNothing(value)) {
      if (former === undefined) continue;
      delete after[field];
    } else {
      after[field] = { value, setBy };
    }
    changed.push(field);
  }
  if (changed.length > 0 && !PROTECTION_WRITERS.has(identity.role)) {
    throw new PortcullisError(
      'protection_write_forbidden',
      `Only a proxy_admin may write ${changed.join(', ')}. Your role=${identity.role}.`,
      { param: changed[0] ?? null },
    );
  }
  return after;
}

/** The fields as the reference shows them: inside `metadata`. */
export function protectionInMetadata(protection: Protection): Readonly<Record<string, unknown>> {
  const { tags, guardrails, policies, opted_out_global_guardrails, disable_global_guardrails } = protection;
  const { allow_policy_versions } = protection;
  const shown = {
    tags,
    guardrails,
    policies,
    opted_out_global_guardrails,
    disable_global_guardrails,
    allow_policy_versions,
  };
  return Object.fromEntries(
    Object.entries(shown).flatMap(([field, sourced]) =>
      sourced === undefined ? [] : [[field, sourced.value]],
    ),
  );
}

/** Who set what, for people who want to know why a value is trusted or not (M9). */
export function provenance(
  protection: Protection,
  aliasName: 'key_alias' | 'team_alias',
  alias: { readonly setBy: SetBy | null } | null,
): Readonly<Record<string, unknown>> {
  const entries: [string, { readonly setBy: SetBy | null }][] = Object.entries<{
    readonly setBy: SetBy | null;
  }>({ ...protection });
  if (alias !== null) entries.unshift([aliasName, alias]);
  return Object.fromEntries(
    entries.map(([field, { setBy }]) => [
      field,
      setBy === null
        ? null
        : { set_by: setBy.by, role: setBy.role, set_at: new Date(setBy.atMs).toISOString() },
    ]),
  );
}

function freeProblems(name: string, value: unknown, loc: readonly string[]): readonly FieldProblem[] {
  if (UNSUPPORTED_METADATA.includes(name) && !isNothing(value)) {
    return [problem(loc, 'is not supported yet; leave it out, because it would not take effect')];
  }
  if (MISPLACED_METADATA.includes(name) && !isNothing(value)) {
    return [problem(loc, 'has no effect inside metadata; give it beside metadata')];
  }
  const meant = Object.hasOwn(MISNOMERS, name) ? MISNOMERS[name] : undefined;
  return meant === undefined ? [] : [problem(loc, `has no effect; did you mean "${meant}"?`)];
}

/** Teams of the reference forbid client guardrails by this object, where others have the list of guardrails (D-08). */
function legacyModify(value: unknown): boolean | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { modify_guardrails: modify, ...rest } = value as Record<string, unknown>;
  return typeof modify === 'boolean' && Object.keys(rest).length === 0 ? modify : undefined;
}

function nameProblems(values: Written, knownNames: KnownNames): readonly FieldProblem[] {
  const unknown = (field: Field, names: readonly string[] | null | undefined, what: string) =>
    (names ?? []).map((name) => problem([field], `unknown ${what} "${name}"`, 'unknown_name'));
  const isUnknownGuardrail = (name: string) => !knownNames.isGuardrail(name);
  const isUnknownPolicy = (name: string) => !knownNames.isPolicy(name);
  return [
    ...unknown('guardrails', values.guardrails?.filter(isUnknownGuardrail), 'guardrail'),
    ...unknown(
      'opted_out_global_guardrails',
      values.opted_out_global_guardrails?.filter(isUnknownGuardrail),
      'guardrail',
    ),
    ...unknown(
      'policies',
      values.policies?.filter(isUnknownPolicy),
      'policy (or it has no production version)',
    ),
  ];
}

function problem(loc: readonly string[], msg: string, type = 'value_error'): FieldProblem {
  return { loc: ['body', ...loc], msg, type };
}

/** The same name twice says no more than once. */
function withoutTwins(value: unknown): unknown {
  return Array.isArray(value) ? [...new Set<unknown>(value)] : value;
}
