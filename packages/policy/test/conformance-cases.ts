/** Reads the conformance cases of conformance/policy strictly, and says in what an evaluator differs from one of them. */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  type Attachment,
  attachmentDefinitionSchema,
  attachmentFromDefinition,
  attachmentSchema,
  type Context,
  type Decision,
  type DetectorFacts,
  type DetectorLookup,
  type Documents,
  type Finding,
  guardrailSchema,
  HOOKS,
  hookSchema,
  type ModelGroup,
  modelGroupSchema,
  nameProblem,
  type PlannedRun,
  type Policy,
  type ProtectionSettings,
  type RequestedGuardrail,
  policyDefinitionSchema,
  policyFromDefinition,
  policySchema,
} from '../src/index.ts';

// --- the format ----------------------------------------------------------------------------------------------------

const RULE = /^(?:section \d+|[A-Z]\d{1,2})$/u;
const DEFECT = /^D-\d{2,3}$/u;

/** Who a case is about. Its name begins with one of its rules or with its defect, so that a failure says what broke. */
export const headSchema = z.strictObject({
  name: z.string().min(1),
  rules: z.array(z.string().regex(RULE)).min(1),
  defect: z.string().regex(DEFECT).optional(),
});

function beginsWithRule(
  one: z.infer<typeof headSchema>,
  context: z.core.$RefinementCtx<z.infer<typeof headSchema>>,
): void {
  const first = one.name.split(' ')[0] ?? '';
  if (first === one.defect || one.rules.includes(first)) return;
  context.addIssue({
    code: 'custom',
    message: `the name must begin with a rule or the defect, not "${first}"`,
  });
}

const names = z.array(z.string());
const sectionsSchema = z.strictObject({
  guardrails: z.array(z.unknown()).default([]),
  policies: z.record(z.string(), z.unknown()).default({}),
  policy_attachments: z.array(z.unknown()).default([]),
  model_list: z
    .array(
      z.strictObject({
        model_name: z.string(),
        litellm_params: z.strictObject({ model: z.string(), guardrails: names.default([]) }),
      }),
    )
    .default([]),
  router_settings: z
    .strictObject({ model_group_alias: z.record(z.string(), z.string()).default({}) })
    .prefault({}),
  stored: z
    .strictObject({
      policies: z.array(z.unknown()).default([]),
      attachments: z.array(z.unknown()).default([]),
    })
    .prefault({}),
  detectors: z
    .record(z.string(), z.strictObject({ hooks: z.array(hookSchema), masks: z.boolean() }))
    .default({}),
});
type Sections = z.infer<typeof sectionsSchema>;

const settingsSchema = z.strictObject({
  policies: names.default([]),
  guardrails: names.default([]),
  opted_out_global_guardrails: names.default([]),
  disable_global_guardrails: z.boolean().default(false),
  client_guardrails: z.boolean().default(true),
  client_policies: z.boolean().default(true),
});

const requestSchema = z.strictObject({
  team_alias: z.string().nullable().default(null),
  team_id: z.string().nullable().default(null),
  key_alias: z.string().nullable().default(null),
  key_alias_trusted: z.boolean().default(true),
  key_hash: z.string().nullable().default(null),
  model: z.string().nullable().default(null),
  tags: names.default([]),
  caller_tags: names.default([]),
  key: settingsSchema.optional(),
  team: settingsSchema.optional(),
  project: settingsSchema.optional(),
  guardrails: z
    .array(z.union([z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))]))
    .default([]),
  policies: names.default([]),
  allow_policy_versions: z.boolean().default(false),
  model_aliases: z.record(z.string(), z.string()).default({}),
});

const runFields = {
  monitor: z.boolean().default(false),
  caller: z.boolean().default(false),
  priority: z.number().optional(),
};
const runSchema = z.union([
  z.string().transform((guardrail) => ({ guardrail, monitor: false, caller: false, params: null })),
  z.strictObject({
    guardrail: z.string(),
    params: z.record(z.string(), z.unknown()).nullable().default(null),
    ...runFields,
  }),
  z.strictObject({
    pipeline: z.string(),
    monitored_steps: names.optional(),
    steps: z.array(z.record(z.string(), z.unknown())).optional(),
    ...runFields,
  }),
]);

const policyExpectationSchema = z.union([
  z.string().transform((policy) => ({ policy })),
  z.strictObject({
    policy: z.string(),
    version: z.int().optional(),
    override: z.boolean().optional(),
    monitor: z.boolean().optional(),
    guardrails: names.optional(),
    replaced_by: names.optional(),
    sources: names.optional(),
  }),
]);

const findingSchema = z.strictObject({
  path: z.string(),
  code: z.string().optional(),
  says: z.string().optional(),
});

const expectSchema = z
  .strictObject({
    runs: z.partialRecord(hookSchema, z.array(runSchema)).optional(),
    policies: z.array(policyExpectationSchema).optional(),
    applied_policies: z.string().nullable().optional(),
    policy_sources: z.string().nullable().optional(),
    model: z.strictObject({ group: z.string().nullable(), deployments: names }).optional(),
    notes: z.record(z.string(), names).optional(),
    refusals: z
      .array(z.strictObject({ code: z.string(), names: names.optional(), source: z.string().optional() }))
      .min(1)
      .optional(),
    findings: z.array(findingSchema).min(1).optional(),
    warnings: z.array(findingSchema).min(1).optional(),
    accepted: z.literal(true).optional(),
  })
  .refine((expected) => Object.keys(expected).length > 0, 'a case must expect something');
export type Expectation = z.infer<typeof expectSchema>;

const caseSchema = headSchema
  .extend({
    documents: z.record(z.string(), z.unknown()).default({}),
    request: requestSchema.optional(),
    expect: expectSchema,
  })
  .superRefine(beginsWithRule)
  .superRefine((one, context) => {
    const aboutDocuments = one.expect.findings ?? one.expect.warnings ?? one.expect.accepted;
    if ((one.request === undefined) === (aboutDocuments !== undefined)) return;
    context.addIssue({
      code: 'custom',
      message: 'a case has either a request, or expects findings, warnings or accepted of its documents',
    });
  });

const suiteSchema = z.strictObject({
  suite: z.string().min(1),
  documents: z.record(z.string(), z.unknown()).default({}),
  cases: z.array(caseSchema).min(1),
});

export interface ConformanceCase {
  readonly name: string;
  readonly rules: readonly string[];
  readonly defect: string | undefined;
  readonly sections: Sections;
  readonly request: Context | null;
  readonly expect: Expectation;
}

/** Reads one YAML text; every fault is an error with the place of the fault in the file. */
export function readYaml<T extends z.ZodType>(file: string, text: string, schema: T): z.infer<T> {
  const parsed = schema.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('/')}: ${issue.message}`);
  throw new Error(`${file} is no conformance file:\n${faults.join('\n')}`);
}

/** Reads a file of cases. A case's own sections replace the shared ones. */
export function readSuite(file: string, text: string): ConformanceCase[] {
  const suite = readYaml(file, text, suiteSchema);
  return suite.cases.map((one) => ({
    name: one.name,
    rules: one.rules,
    defect: one.defect,
    sections: readSections(`${file}: ${one.name}`, { ...suite.documents, ...one.documents }),
    request: one.request === undefined ? null : contextOf(one.request),
    expect: one.expect,
  }));
}

function readSections(where: string, sections: unknown): Sections {
  const parsed = sectionsSchema.safeParse(sections);
  if (parsed.success) return parsed.data;
  throw new Error(`${where}: ${z.prettifyError(parsed.error)}`);
}

function contextOf(request: z.infer<typeof requestSchema>): Context {
  const settings: ProtectionSettings[] = (['key', 'team', 'project'] as const).flatMap((source) => {
    const set = request[source];
    return set === undefined ? [] : [{ source, ...set }];
  });
  return {
    principal: {
      key_hash: request.key_hash,
      key_alias:
        request.key_alias === null ? null : { value: request.key_alias, trusted: request.key_alias_trusted },
      team_id: request.team_id,
      team_alias: request.team_alias,
      user_id: null,
      tags: request.tags.map((value) => ({ value, trusted: true, source: 'team' })),
      settings,
      allow_policy_versions: request.allow_policy_versions,
      model_aliases: request.model_aliases,
    },
    model: request.model,
    tags: request.caller_tags.map((value) => ({ value, trusted: false, source: 'request' })),
    guardrails: request.guardrails.flatMap((one): RequestedGuardrail[] =>
      typeof one === 'string'
        ? [{ name: one, params: null }]
        : Object.entries(one).map(([name, params]) => ({ name, params })),
    ),
    policies: request.policies,
  };
}

// --- documents -----------------------------------------------------------------------------------------------------

export interface ReadDocuments {
  readonly documents: Documents;
  readonly detectors: DetectorLookup;
  /** What the schemas refuse; documents with such findings are not complete. */
  readonly refused: readonly Finding[];
}

/** Reads the sections with the schemas that every surface uses. Findings have the section and the object's name first. */
function documentsOf(sections: Sections): ReadDocuments {
  const refused: Finding[] = [];
  const read = <T extends z.ZodType>(schema: T, value: unknown, path: string[]): z.infer<T>[] => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return [parsed.data];
    refused.push(...parsed.error.issues.flatMap((issue) => findingsOf(issue, path)));
    return [];
  };
  const policies: Policy[] = Object.entries(sections.policies).flatMap(([name, definition]) => {
    const problem = nameProblem(name);
    if (problem !== null) refused.push(refusal(problem, ['policies', name]));
    return read(policyDefinitionSchema, definition, ['policies', name]).map((one) =>
      policyFromDefinition(name, one),
    );
  });
  policies.push(...sections.stored.policies.flatMap((row) => read(policySchema, row, ['policies'])));
  const attachments: Attachment[] = sections.policy_attachments.flatMap((definition, index) =>
    read(attachmentDefinitionSchema, definition, ['attachments', `config-${index}`]).map((one) =>
      attachmentFromDefinition(index, one),
    ),
  );
  attachments.push(
    ...sections.stored.attachments.flatMap((row) => read(attachmentSchema, row, ['attachments'])),
  );
  const guardrails = sections.guardrails.flatMap((definition, index) => {
    const named = z.object({ guardrail_name: z.string() }).safeParse(definition);
    const name = named.success ? named.data.guardrail_name : `config-${index}`;
    const row = { ...(definition as object), guardrail_id: `config-${index}` };
    return read(guardrailSchema, row, ['guardrails', name]);
  });
  const documents: Documents = {
    revision: 1,
    policies,
    attachments,
    guardrails,
    models: groupsOf(sections),
    model_aliases: sections.router_settings.model_group_alias,
    settings: { unscanned: null },
  };
  const known: Record<string, DetectorFacts> = { ...sections.detectors, any: { hooks: HOOKS, masks: false } };
  return { documents, refused, detectors: (guardrail) => known[guardrail.litellm_params.guardrail] ?? null };
}

function groupsOf({ model_list: list }: Sections): ModelGroup[] {
  const groups = new Map<string, ModelGroup['deployments']>();
  for (const { model_name: name, litellm_params: deployment } of list) {
    groups.set(name, [...(groups.get(name) ?? []), deployment]);
  }
  return [...groups].map(([model_name, deployments]) => modelGroupSchema.parse({ model_name, deployments }));
}

/** An unknown key is part of the path; of a union the nearest form speaks. */
function findingsOf(issue: z.core.$ZodIssue, path: readonly string[]): Finding[] {
  const here = [...path, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => refusal(issue.message, [...here, key]));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return issue.errors.flat().flatMap((inner) => findingsOf(inner, here));
  }
  return [refusal(issue.message, here)];
}

const refusal = (message: string, path: string[]): Finding => ({
  severity: 'error',
  code: 'schema',
  message,
  path,
});

// --- comparing -----------------------------------------------------------------------------------------------------

export interface Answer {
  readonly decision: Decision;
  readonly applied_policies: string | null;
  readonly policy_sources: string | null;
}

/** What is asked of an evaluator: to accept or refuse documents, and to answer requests. */
export interface Evaluator {
  check(read: ReadDocuments): {
    readonly findings: readonly Finding[];
    readonly ask: (context: Context) => Answer;
  };
}

/** In what an evaluator differs from a case; nothing when it conforms. */
export function differences(one: ConformanceCase, evaluator: Evaluator, expected = one.expect): string[] {
  const read = documentsOf(one.sections);
  const { findings, ask } = evaluator.check(read);
  const errors = findings.filter((finding) => finding.severity === 'error');
  if (expected.findings !== undefined) return missing(expected.findings, errors);
  if (errors.length > 0) return errors.map((finding) => `refused: ${written(finding)}`);
  const found = missing(
    expected.warnings ?? [],
    findings.filter((finding) => finding.severity === 'warning'),
  );
  return one.request === null ? found : [...found, ...compare(expected, ask(one.request))];
}

const written = (finding: Finding): string => `${finding.path.join('/')} ${finding.code}: ${finding.message}`;

function missing(expected: readonly z.infer<typeof findingSchema>[], findings: readonly Finding[]): string[] {
  return expected.flatMap(({ path, code, says }) => {
    const met = findings.some((finding) => {
      const place = finding.path.join('/');
      return (
        (place === path || place.startsWith(`${path}/`)) &&
        (code === undefined || finding.code === code) &&
        (says === undefined || finding.message.includes(says))
      );
    });
    return met
      ? []
      : [`no finding ${JSON.stringify({ path, code, says })} among [${findings.map(written).join('; ')}]`];
  });
}

function compare(expected: Expectation, answer: Answer): string[] {
  const faults: string[] = [];
  const same = (what: string, want: unknown, got: unknown) => {
    if (!isDeepStrictEqual(want, got))
      faults.push(`${what}: expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
  };
  const { decision } = answer;
  if (decision.kind === 'refused') {
    if (expected.refusals === undefined) return [`refused: ${JSON.stringify(decision.refusals)}`];
    const got = decision.refusals.map((one, index) => only(one, expected.refusals?.[index] ?? one));
    same('refusals', sortedAsText(expected.refusals), sortedAsText(got));
    return faults;
  }
  if (expected.refusals !== undefined) return [`not refused: expected ${JSON.stringify(expected.refusals)}`];
  if (expected.runs !== undefined) {
    for (const hook of HOOKS) {
      const want = expected.runs[hook] ?? [];
      const got = decision.plan.hooks[hook].map((run, index) => shownRun(run, want[index]));
      same(`runs of ${hook}`, want.map(shownExpectedRun), got);
    }
  }
  if (expected.policies !== undefined) {
    const want = expected.policies;
    const got = decision.plan.policies.map((policy, index) =>
      only(
        {
          policy: policy.policy_name,
          version: policy.version_number,
          override: policy.override,
          monitor: policy.enforcement === 'monitor',
          guardrails: policy.guardrails,
          replaced_by: policy.replaced_by,
          sources: policy.selections.map(({ source }) => source).toSorted(),
        },
        want[index] ?? { policy: '' },
      ),
    );
    same('policies', want, got);
  }
  const { applied_policies, policy_sources } = answer;
  if (expected.applied_policies !== undefined)
    same('applied_policies', expected.applied_policies, applied_policies);
  if (expected.policy_sources !== undefined) same('policy_sources', expected.policy_sources, policy_sources);
  if (expected.notes !== undefined) {
    same('notes', expected.notes, Object.fromEntries(decision.notes.map(({ note, names }) => [note, names])));
  }
  if (expected.model !== undefined) {
    const { group = null, deployments = [] } = decision.model ?? {};
    same('model', sortedModel(expected.model), sortedModel({ group, deployments: [...deployments] }));
  }
  return faults;
}

interface ExpectedRun {
  readonly monitor: boolean;
  readonly caller: boolean;
  readonly priority?: number | undefined;
  readonly monitored_steps?: readonly string[] | undefined;
  readonly steps?: readonly object[] | undefined;
}

/** The steps and priority of a run are compared only when the case writes them. */
function shownRun(run: PlannedRun, want: ExpectedRun | undefined): unknown {
  const common = {
    monitor: run.enforcement === 'monitor',
    caller: !run.trusted,
    ...(want?.priority === undefined ? {} : { priority: run.priority }),
  };
  if (run.kind === 'guardrail') return { guardrail: run.name, params: run.params, ...common };
  const monitored = run.steps.filter((step) => step.monitored).map((step) => step.guardrail);
  const steps = run.steps.map((step, index) => only(step, want?.steps?.[index] ?? {}));
  return {
    pipeline: run.name,
    ...(want?.monitored_steps === undefined ? {} : { monitored_steps: monitored }),
    ...(want?.steps === undefined ? {} : { steps }),
    ...common,
  };
}

const shownExpectedRun = (run: ExpectedRun): unknown =>
  Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined));

/** The part of `value` that has the keys of `shape`. */
function only(value: object, shape: object): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(shape, key)));
}

const sortedAsText = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value, Object.keys(value as object).toSorted())).toSorted();

const sortedModel = ({ group, deployments }: { group: string | null; deployments: string[] }) => ({
  group,
  deployments: deployments.toSorted(),
});

// --- what must not pass --------------------------------------------------------------------------------------------

/** A name that no case uses. */
const WRONG = 'in-no-case';

/** Wrong expectations, one for each part that a case writes: a case that one of them passes proves nothing there. */
export function falsified(expected: Expectation): Expectation[] {
  const { runs, policies, refusals, findings, warnings, model, notes } = expected;
  const wrong: Expectation[] = [];
  const extra = { guardrail: WRONG, monitor: false, caller: false, params: null };
  if (runs !== undefined) {
    wrong.push({ runs: { ...runs, pre_call: [...(runs.pre_call ?? []), extra] } });
    for (const hook of HOOKS) {
      const list = runs[hook] ?? [];
      if (list.length > 1) wrong.push({ runs: { ...runs, [hook]: list.toReversed() } });
      if (list.length > 0) wrong.push({ runs: { ...runs, [hook]: list.slice(1) } });
      for (const [index, run] of list.entries()) {
        wrong.push({ runs: { ...runs, [hook]: list.with(index, { ...run, caller: !run.caller }) } });
        wrong.push({ runs: { ...runs, [hook]: list.with(index, { ...run, monitor: !run.monitor }) } });
      }
    }
  }
  if (policies !== undefined) wrong.push({ policies: [...policies, { policy: WRONG }] });
  for (const [index, policy] of (policies ?? []).entries()) {
    for (const [key, value] of Object.entries(policy)) {
      const other =
        typeof value === 'boolean'
          ? !value
          : typeof value === 'number'
            ? value + 1
            : Array.isArray(value)
              ? [...value, WRONG]
              : WRONG;
      wrong.push({ policies: (policies ?? []).with(index, { ...policy, [key]: other }) });
    }
  }
  if (expected.applied_policies !== undefined) wrong.push({ applied_policies: WRONG });
  if (expected.policy_sources !== undefined) wrong.push({ policy_sources: WRONG });
  if (model !== undefined)
    wrong.push({ model: { ...model, group: WRONG } }, { model: { ...model, deployments: [WRONG] } });
  if (notes !== undefined) wrong.push({ notes: { ...notes, [WRONG]: [] } });
  for (const key of Object.keys(refusals?.[0] ?? {})) {
    wrong.push({
      refusals: (refusals ?? []).map((one) => ({ ...one, [key]: key === 'names' ? [WRONG] : WRONG })),
    });
  }
  for (const key of ['path', 'code', 'says'] as const) {
    if (findings !== undefined) wrong.push({ findings: findings.map((one) => ({ ...one, [key]: WRONG })) });
    if (warnings !== undefined) wrong.push({ warnings: warnings.map((one) => ({ ...one, [key]: WRONG })) });
  }
  if (expected.accepted !== undefined) wrong.push({ findings: [{ path: 'policies' }] });
  return wrong;
}
