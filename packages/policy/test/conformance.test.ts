import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  allowedErrors,
  appliedPoliciesHeader,
  combineVerdicts,
  commonParamsSchema,
  compile,
  type Context,
  contentKindSchema,
  type Decision,
  decide,
  type Documents,
  ERROR_CLASSES,
  type Outcome,
  pipelineStepSchema,
  policySourcesHeader,
  settleOutcome,
  unscannedSchema,
} from '../src/index.ts';
import {
  type Answer,
  type ConformanceCase,
  differences,
  type Evaluator,
  falsified,
  headSchema,
  readSuite,
  readYaml,
} from './conformance-cases.ts';
import { modelDecide, modelHeaders, modelPipeline } from './model.ts';
import { walkPipeline } from './walk.ts';

const folder = new URL('../../../conformance/policy/', import.meta.url);
const TABLES = 'pipelines.yaml';
const text = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .toSorted();
const suites = files
  .filter((file) => file !== TABLES)
  .map((file) => ({ file, cases: readSuite(file, text(file)) }));
const everyCase = suites.flatMap(({ cases }) => cases);

const engine: Evaluator = {
  check({ documents, detectors, refused }) {
    const result = compile(documents, detectors);
    const findings = [...refused, ...(result.ok ? result.warnings : result.findings)];
    return {
      findings,
      ask(context): Answer {
        if (!result.ok) throw new Error('documents that are refused cannot be asked');
        const decision = decide(result.snapshot, context);
        if (decision.kind === 'refused') return { decision, applied_policies: null, policy_sources: null };
        return {
          decision,
          applied_policies: appliedPoliciesHeader(result.snapshot, decision),
          policy_sources: policySourcesHeader(result.snapshot, context, decision),
        };
      },
    };
  },
};

/** The second evaluator, or a broken one: what it gets to see is changed first. */
function modelSeeing(
  documentsSeen: (documents: Documents) => Documents,
  contextSeen: (context: Context) => Context,
): Evaluator {
  return {
    check({ documents }) {
      const seen = documentsSeen(documents);
      return {
        findings: [],
        ask(context): Answer {
          const asked = contextSeen(context);
          const decision: Decision = modelDecide(seen, asked);
          if (decision.kind === 'refused') return { decision, applied_policies: null, policy_sources: null };
          return { decision, ...modelHeaders(seen, asked) };
        },
      };
    },
  };
}
const itself = <T>(value: T): T => value;

describe.each(suites)('$file', ({ cases }) => {
  it.each(cases)('$name', (one) => {
    expect(differences(one, engine)).toEqual([]);
    // The second evaluator answers requests only; it has no opinion on documents that are refused.
    if (one.request !== null) expect(differences(one, modelSeeing(itself, itself))).toEqual([]);
  });
});

// --- tables of outcomes --------------------------------------------------------------------------------------------

const outcomeSchema = z.string().transform((written, context): Outcome => {
  switch (written) {
    case 'clean':
    case 'masked':
      return { outcome: written };
    case 'not_run':
      return { outcome: 'not_run', reason: 'a case' };
    case 'flagged':
      return { outcome: 'flagged', action: 'block', message: 'a case' };
    case 'logged':
      return { outcome: 'flagged', action: 'log', message: 'a case' };
    case 'responded':
      return { outcome: 'flagged', action: 'respond', message: 'a case' };
    default: {
      const error_class = ERROR_CLASSES.find((one) => written === `error:${one}`);
      if (error_class !== undefined) return { outcome: 'error', error_class, reason: 'a case' };
      context.addIssue({ code: 'custom', message: `"${written}" is no outcome` });
      return z.NEVER;
    }
  }
});
const verdictSchema = z.enum(['allow', 'mask', 'respond', 'block']);
const unscannedContentSchema = z.strictObject({ kind: contentKindSchema, setting: unscannedSchema });

const tablesSchema = z.strictObject({
  suite: z.string(),
  pipelines: z.array(
    headSchema.extend({
      steps: z.array(pipelineStepSchema).min(1),
      guardrails: z.record(z.string(), commonParamsSchema.partial().strict()).default({}),
      outcomes: z.array(outcomeSchema).min(1),
      verdict: z.enum(['allow', 'respond', 'block']),
      ran: z.int().positive(),
    }),
  ),
  guardrails: z.array(
    headSchema.extend({
      params: commonParamsSchema.partial().strict().default({}),
      outcome: outcomeSchema,
      unscanned: z.array(unscannedContentSchema).default([]),
      verdict: verdictSchema,
    }),
  ),
  hooks: z.array(headSchema.extend({ verdicts: z.array(verdictSchema), verdict: verdictSchema })),
});
const tables = readYaml(TABLES, text(TABLES), tablesSchema);
const tableCases = [...tables.pipelines, ...tables.guardrails, ...tables.hooks];

describe('pipelines.yaml', () => {
  it.each(tables.pipelines)('$name', (one) => {
    const expected = { verdict: one.verdict, ran: one.ran };
    const unscannedBlocks = one.steps.some((step) => one.guardrails[step.guardrail]?.unscanned === 'block');
    expect(walkPipeline(one.steps, one.outcomes, unscannedBlocks)).toEqual(expected);
    expect(modelPipeline(one.steps, one.outcomes, unscannedBlocks)).toEqual(expected);
    expect(one.outcomes).toHaveLength(one.ran);
  });

  it.each(tables.guardrails)('$name', ({ outcome, params, unscanned, verdict }) => {
    const own = commonParamsSchema.parse({ guardrail: 'any', mode: 'pre_call', ...params });
    const content = unscanned.map((one) => ({ ...one, path: '/messages/0', reason: 'a case' }));
    expect(settleOutcome(outcome, { allowedErrors: allowedErrors(own), unscanned: content })).toBe(verdict);
  });

  it.each(tables.hooks)('$name', ({ verdicts, verdict }) => {
    expect(combineVerdicts(verdicts)).toBe(verdict);
    expect(combineVerdicts(verdicts.toReversed())).toBe(verdict);
  });
});

// --- the cases themselves ------------------------------------------------------------------------------------------

const DECIDED_BY_THE_ENGINE = [
  'M1 M2 M3 M4 M5 M6 M7 M8 M9 A1 A2 A3 A4 A5 A6 I1 I2 I3 I4 I5 K1 K2 K3 C1 C2 C3 C4 C5',
  'P1 P2 P3 P4 P5 P6 P7 O1 O2 O3 O4 O5 E1 E5 E7 E9 H1 H2',
].flatMap((line) => line.split(' '));
/** The rows of the list of known defects that matching, resolution and the tables of outcomes can show. */
const DEFECTS = [
  '03 04 05 06 07 08 09 10 11 12 13 14 15 16 20 23 24 27 31 33 34 35 36 37 39 40 41 42 44 45 46 47 48 49 50 51 52',
  '53 68 73 81 82 83 89 91 92 93 96 97',
].flatMap((line) => line.split(' ').map((number) => `D-${number}`));

describe('the suite', () => {
  it('has a case for every rule that the engine decides, and for every defect that it can show', () => {
    const all = [...everyCase, ...tableCases];
    expect(all.length).toBeGreaterThanOrEqual(150);
    const rules = new Set(all.flatMap((one) => one.rules));
    expect(DECIDED_BY_THE_ENGINE.filter((rule) => !rules.has(rule))).toEqual([]);
    const defects = new Set(all.map((one) => one.defect));
    expect(DEFECTS.filter((defect) => !defects.has(defect))).toEqual([]);
  });

  it('names every case once within its file', () => {
    for (const names of [...suites.map(({ cases }) => cases), tableCases].map((cases) =>
      cases.map(({ name }) => name),
    )) {
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    }
  });

  it('has no case that a wrong expectation would pass', () => {
    const passed = everyCase.flatMap((one) =>
      falsified(one.expect)
        .filter((wrong) => differences(one, engine, wrong).length === 0)
        .map((wrong) => `${one.name}: ${JSON.stringify(wrong)}`),
    );
    expect(passed).toEqual([]);
  });

  it('refuses a file with an unknown key, a wrong type or a name without its rule, and says where', () => {
    const faulty = (lines: string) => () => readSuite('x.yaml', `suite: x\ncases:\n  - ${lines}`);
    const good = 'name: M1 x, rules: [M1], request: {}, expect: { runs: {} }';
    expect(faulty(`{ ${good} }`)).not.toThrow();
    expect(faulty(`{ ${good}, tag: x }`)).toThrow(/x\.yaml.*cases\/0.*"tag"/su);
    expect(faulty('{ name: M1 x, rules: [M1], request: { team: 1 }, expect: { runs: {} } }')).toThrow(
      /cases\/0\/request\/team/u,
    );
    expect(faulty('{ name: x, rules: [M1], request: {}, expect: { runs: {} } }')).toThrow(/must begin with/u);
    expect(faulty('{ name: M1 x, rules: [M1], request: {}, expect: {} }')).toThrow(/must expect something/u);
    expect(faulty('{ name: M1 x, rules: [M1], expect: { runs: {} } }')).toThrow(/either a request/u);
    expect(faulty(`{ ${good}, documents: { polices: {} } }`)).toThrow(/M1 x.*"polices"/su);
  });
});

interface Mutant {
  readonly breaks: string;
  readonly documents?: (documents: Documents) => Documents;
  readonly context?: (context: Context) => Context;
}

const eachPolicy = (change: (policy: Documents['policies'][number]) => object) => (documents: Documents) => ({
  ...documents,
  policies: documents.policies.map((policy) => ({ ...policy, ...change(policy) })),
});
const eachAttachment =
  (change: (attachment: Documents['attachments'][number]) => object) => (documents: Documents) => ({
    ...documents,
    attachments: documents.attachments.map((attachment) => ({ ...attachment, ...change(attachment) })),
  });
const eachGuardrail = (change: object) => (documents: Documents) => ({
  ...documents,
  guardrails: documents.guardrails.map((guardrail) => ({
    ...guardrail,
    litellm_params: { ...guardrail.litellm_params, ...change },
  })),
});
const trusting = (facts: Context['tags']) => facts.map((fact) => ({ ...fact, trusted: true }));

const MUTANTS: readonly Mutant[] = [
  { breaks: 'K1', documents: eachPolicy(() => ({ condition: null })) },
  { breaks: 'I1', documents: eachPolicy(() => ({ inherit: null })) },
  { breaks: 'C2', documents: eachPolicy(() => ({ guardrails_remove: [] })) },
  { breaks: 'I5', documents: eachPolicy(() => ({ guardrails_lock: [] })) },
  { breaks: 'P1', documents: eachPolicy(() => ({ pipeline: null })) },
  { breaks: 'A3', documents: eachAttachment(() => ({ default: false })) },
  { breaks: 'E5', documents: eachAttachment(() => ({ enforcement: 'enforce' })) },
  { breaks: 'C5', documents: eachAttachment(() => ({ priority: null })) },
  {
    breaks: 'M5',
    documents: eachAttachment(({ tags }) =>
      Array.isArray(tags) ? {} : { tags: { ...tags, none: undefined } },
    ),
  },
  { breaks: 'M8', documents: (documents) => ({ ...documents, model_aliases: {} }) },
  { breaks: 'O3', documents: eachGuardrail({ opt_out: true }) },
  { breaks: 'O1', documents: eachGuardrail({ default_on: false }) },
  { breaks: 'O5', documents: eachGuardrail({ request_params: [] }) },
  { breaks: 'M7', context: (context) => ({ ...context, tags: trusting(context.tags) }) },
  { breaks: 'A4', context: (context) => ({ ...context, policies: [] }) },
  {
    breaks: 'A2',
    context: (context) => ({ ...context, principal: { ...context.principal, settings: [] } }),
  },
  {
    breaks: 'A5',
    context: (context) => ({ ...context, principal: { ...context.principal, allow_policy_versions: true } }),
  },
  {
    breaks: 'M9',
    context: (context) => {
      const { key_alias: alias } = context.principal;
      return {
        ...context,
        principal: { ...context.principal, key_alias: alias === null ? null : { ...alias, trusted: true } },
      };
    },
  },
];

describe('an evaluator that ignores one thing', () => {
  it.each(MUTANTS)(
    '$breaks: fails a case of that rule',
    ({ breaks, documents = itself, context = itself }) => {
      const broken = modelSeeing(documents, context);
      const asked: ConformanceCase[] = everyCase.filter((one) => one.request !== null);
      const failed = asked.filter((one) => differences(one, broken).length > 0);
      expect(failed.flatMap((one) => one.rules)).toContain(breaks);
    },
  );
});
