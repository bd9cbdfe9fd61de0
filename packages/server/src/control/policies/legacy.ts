import { type ValidatePolicies, validatePoliciesSchema } from '@portcullis/contract';
import {
  type Attachment,
  type Finding,
  nameProblem,
  type Policy,
  policyDefinitionSchema,
  policyFromDefinition,
  type Snapshot,
  tagParts,
} from '@portcullis/policy';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { nameNotFound } from './access.ts';
import { snapshotOf } from './resolve.ts';

type Row = Readonly<Record<string, unknown>>;

/** `POST /policy/validate`: definitions as the YAML file has them, checked by the compiler of the gateway (D-53). */
export function validatePoliciesRoute(context: ControlContext): Route<ValidatePolicies> {
  return {
    method: 'POST',
    path: '/policy/validate',
    permission: 'admin_viewer',
    body: validatePoliciesSchema,
    async handler({ body }) {
      const { documents } = snapshotOf(context);
      const { policies, problems } = readDefinitions(body.policies);
      const given = new Set(policies.map(({ policy_name }) => policy_name));
      const others = documents.policies.filter(
        ({ policy_name, version_status }) => version_status !== 'production' || !given.has(policy_name),
      );
      const result = await context.engine.compile({ ...documents, policies: [...others, ...policies] });
      const findings = result.ok ? result.warnings : result.findings;
      // With a definition left out because it cannot be read, what misses it is no finding of its own.
      const own = findings.filter(({ path }) => path[0] === 'policies' && isTold(path[1], given, problems));
      const entries = own.map((finding) => ({ severity: finding.severity, entry: entryOf(finding) }));
      const errors = [
        ...problems,
        ...entries.filter(({ severity }) => severity === 'error').map(({ entry }) => entry),
      ];
      const warnings = entries.filter(({ severity }) => severity === 'warning').map(({ entry }) => entry);
      return { body: { valid: errors.length === 0, errors, warnings } };
    },
  };
}

/** A finding about a policy that was given, or about one that the given ones break. */
function isTold(name: unknown, given: ReadonlySet<string>, problems: readonly Row[]): boolean {
  return problems.length === 0 || given.has(String(name));
}

function readDefinitions(definitions: ValidatePolicies['policies']): {
  readonly policies: readonly Policy[];
  readonly problems: readonly Row[];
} {
  const policies: Policy[] = [];
  const problems: Row[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const misnamed = nameProblem(name);
    if (misnamed !== null) {
      problems.push({ policy_name: name, error_type: 'invalid_syntax', message: misnamed });
    }
    const parsed = policyDefinitionSchema.safeParse(definition ?? {});
    for (const issue of parsed.error?.issues ?? []) {
      problems.push({
        policy_name: name,
        error_type: 'invalid_syntax',
        message: issue.message,
        field: issue.path.join('.'),
      });
    }
    if (parsed.success && misnamed === null) policies.push(policyFromDefinition(name, parsed.data));
  }
  return { policies, problems };
}

/** The reference's word for each code; everything else is syntax. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  unknown_guardrail: 'invalid_guardrail',
  step_not_in_list: 'invalid_guardrail',
  step_hook_unsupported: 'invalid_guardrail',
  removes_locked_guardrail: 'invalid_guardrail',
  lock_not_in_list: 'invalid_guardrail',
  lock_and_remove: 'invalid_guardrail',
  remove_without_effect: 'invalid_guardrail',
  missing_parent: 'invalid_inheritance',
  chain_too_deep: 'invalid_inheritance',
  inheritance_cycle: 'circular_inheritance',
  invalid_condition: 'invalid_model',
  condition_matches_no_model: 'invalid_model',
};

function entryOf({ code, message, path }: Finding): Row {
  const [, name, ...field] = path;
  return {
    policy_name: String(name),
    error_type: ERROR_TYPES[code] ?? 'invalid_syntax',
    message,
    ...(field.length === 0 ? {} : { field: field.join('.') }),
    code,
  };
}

/** `GET /policy/list`: the policies in force, with what the reference's answer was meant to hold (D-63). */
export function policySummaryRoute(context: ControlContext): Route {
  return {
    method: 'GET',
    path: '/policy/list',
    permission: 'admin_viewer',
    async handler() {
      const snapshot = snapshotOf(context);
      const byPolicy = attachmentsByPolicy(snapshot);
      const policies = Object.fromEntries(
        [...snapshot.production.keys()]
          .sort()
          .map((name) => [name, summaryOf(snapshot, name, byPolicy.get(name) ?? [])]),
      );
      return { body: { policies, total_count: snapshot.production.size } };
    },
  };
}

/** `GET /policy/info/{policy_name}`. */
export function policyInfoRoute(context: ControlContext): Route {
  return {
    method: 'GET',
    path: '/policy/info/:policy_name',
    permission: 'admin_viewer',
    async handler({ params }) {
      const snapshot = snapshotOf(context);
      const name = params['policy_name'] ?? '';
      const attachments = attachmentsByPolicy(snapshot).get(name) ?? [];
      const summary = summaryOf(snapshot, name, attachments);
      if (summary === null) throw nameNotFound(name);
      return { body: { policy_name: name, ...summary } };
    },
  };
}

function attachmentsByPolicy({ documents }: Snapshot): ReadonlyMap<string, readonly Attachment[]> {
  const byPolicy = new Map<string, Attachment[]>();
  for (const attachment of documents.attachments) {
    const listed = byPolicy.get(attachment.policy_name);
    if (listed === undefined) byPolicy.set(attachment.policy_name, [attachment]);
    else listed.push(attachment);
  }
  return byPolicy;
}

function summaryOf(snapshot: Snapshot, name: string, attachments: readonly Attachment[]): Row | null {
  const compiled = snapshot.production.get(name);
  if (compiled === undefined) return null;
  const { policy, chain, list } = compiled;
  return {
    inherit: policy.inherit,
    scope: scopeOf(attachments),
    guardrails: { add: policy.guardrails_add, remove: policy.guardrails_remove },
    resolved_guardrails: list,
    inheritance_chain: chain.map((link) => link.policy.policy_name),
    definition_location: policy.definition_location,
    version_number: policy.version_number,
    attachments: attachments.map(({ attachment_id }) => attachment_id),
  };
}

/** Where the policy applies, summed up over its attachments; one with scope `*` counts as `*` in each of the first three. */
function scopeOf(attachments: readonly Attachment[]): Row {
  const everywhere = attachments.some(({ scope }) => scope === '*') ? ['*'] : [];
  const sum = (patterns: (attachment: Attachment) => readonly string[]) =>
    [...new Set(attachments.flatMap(patterns))].sort();
  return {
    teams: [...everywhere, ...sum(({ teams }) => teams)],
    keys: [...everywhere, ...sum(({ keys }) => keys)],
    models: [...everywhere, ...sum(({ models }) => models)],
    tags: sum(({ tags }) => [...tagParts(tags).any, ...tagParts(tags).all]),
  };
}
