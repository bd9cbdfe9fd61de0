import { type TestPolicies, testPoliciesSchema } from '@portcullis/contract';
import {
  ANONYMOUS,
  type Context,
  decide,
  type Hook,
  type Plan,
  type PlannedRun,
  type RunRecord,
  type Segment,
  type Snapshot,
} from '@portcullis/policy';
import type { HookTrial, HookTrialResult } from '../../ports/guardrail-tools.ts';
import type { ControlContext } from '../context.ts';
import { snapshotOf } from '../policies/resolve.ts';
import type { Route } from '../route.ts';
import type { TrialAllowance } from './allowance.ts';
import { trialFacts } from './facts.ts';
import { notReady } from './pipeline.ts';

/** Why an input has not passed, or was not looked at by something that was asked to (D-66). */
interface Failure {
  readonly guardrail_name: string;
  readonly message: string;
  readonly policy_name?: string;
  /** `blocked` is a verdict; with every other reason nothing was proved about the input. */
  readonly reason: 'blocked' | 'error' | 'not_run' | 'unknown' | 'refused';
}

const HOOKS_OF = { request: ['pre_call', 'during_call'], response: ['post_call'] } as const;

/**
 * `POST /utils/test_policies_and_guardrails`: runs each input alone through what is named. Conditions, inheritance and
 * pipelines are honoured, because the gateway's own decision says what runs; what cannot be tested is a failure (D-66).
 */
export function testPoliciesRoute(context: ControlContext, allowance: TrialAllowance): Route<TestPolicies> {
  return {
    method: 'POST',
    path: '/utils/test_policies_and_guardrails',
    permission: 'admin',
    body: testPoliciesSchema,
    handler: ({ body, callId, identity }) =>
      allowance.spend(identity, async () => {
        const asked = askedFor(snapshotOf(context), body);
        const results = [];
        for (const { texts } of body.inputs_list) {
          results.push(await tested(context, asked, body, texts, callId));
        }
        return { body: { results, not_applied: asked.notApplied, test: true, call_id: `test-${callId}` } };
      }),
  };
}

interface Asked {
  readonly runs: readonly { readonly hook: Hook; readonly run: PlannedRun }[];
  readonly failures: readonly Failure[];
  /** Policies whose condition does not hold for the model of `request_data`. */
  readonly notApplied: readonly { readonly policy_name: string; readonly reason: string }[];
}

function askedFor(snapshot: Snapshot, body: TestPolicies): Asked {
  const policies = [...new Set(body.policy_names ?? [])];
  const guardrails = [...new Set(body.guardrail_names ?? [])];
  const failures: Failure[] = [
    ...policies
      .filter((name) => !snapshot.production.has(name))
      .map((name): Failure => {
        const message = `Policy '${name}' not found or without a production version: nothing of it was tested.`;
        return { guardrail_name: name, policy_name: name, message, reason: 'unknown' };
      }),
    ...guardrails
      .filter((name) => !snapshot.guardrails.has(name))
      .map((name): Failure => {
        const message = `Guardrail '${name}' not found or not in force: it was not tested.`;
        return { guardrail_name: name, message, reason: 'unknown' };
      }),
  ];
  const model = body.request_data.model ?? null;
  const question: Context = {
    principal: ANONYMOUS,
    model,
    tags: (body.request_data.metadata?.tags ?? []).map((value) => ({
      value,
      trusted: false,
      source: 'request',
    })),
    guardrails: guardrails
      .filter((name) => snapshot.guardrails.has(name))
      .map((name) => ({ name, params: null })),
    policies: policies.filter((name) => snapshot.production.has(name)),
  };
  const decision = decide(snapshot, question);
  if (decision.kind === 'refused') {
    for (const { code, names } of decision.refusals) {
      const message = `A request with these names would be refused: ${code} (${names.join(', ')}).`;
      failures.push({ guardrail_name: names.join(', '), message, reason: 'refused' });
    }
    return { runs: [], failures, notApplied: [] };
  }
  const { plan } = decision;
  const runs = HOOKS_OF[body.input_type].flatMap((hook: Hook) =>
    plan.hooks[hook].filter(isAsked).map((run) => ({ hook, run })),
  );
  return {
    runs,
    failures: [...failures, ...untested(plan, body.input_type, guardrails)],
    notApplied: question.policies
      .filter(
        (name) =>
          !plan.policies.some(
            ({ policy_name, selections }) =>
              policy_name === name && selections.some(({ source }) => source === 'request'),
          ),
      )
      .map((name) => ({
        policy_name: name,
        reason:
          model === null
            ? 'its condition asks for a model: give request_data.model'
            : `its condition is false for model '${model}'`,
      })),
  };
}

/** Only what was named is tested, not what applies to every request anyway. */
function isAsked({ demanded_by }: PlannedRun): boolean {
  return demanded_by.some(({ source }) => source === 'request');
}

const namesOf = (run: PlannedRun): readonly string[] =>
  run.kind === 'guardrail' ? [run.name] : run.steps.map(({ guardrail }) => guardrail);

/** What would run, but on the other side: a test that leaves it out has not tested it. */
function untested(
  { hooks }: Plan,
  side: TestPolicies['input_type'],
  named: readonly string[],
): readonly Failure[] {
  const tested = new Set(HOOKS_OF[side].flatMap((hook) => hooks[hook].filter(isAsked).flatMap(namesOf)));
  const places = new Map<string, string[]>(named.map((name) => [name, []]));
  for (const [hook, runs] of Object.entries(hooks)) {
    for (const name of runs.filter(isAsked).flatMap(namesOf)) {
      places.set(name, [...(places.get(name) ?? []), hook]);
    }
  }
  return [...places]
    .filter(([name, found]) => !tested.has(name) && found.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, found]) => ({
      guardrail_name: name,
      message: `Guardrail '${name}' runs in ${[...new Set(found)].join(', ')} only: it was not tested with input_type "${side}".`,
      reason: 'not_run',
    }));
}

async function tested(
  { guardrails: { tools } }: ControlContext,
  asked: Asked,
  { input_type: side, request_data: data }: TestPolicies,
  texts: readonly string[],
  callId: string,
) {
  const failures: Failure[] = [...asked.failures];
  let segments: readonly Segment[] = texts.map((text, index) => ({
    path: `/texts/${index}`,
    kind: side === 'request' ? 'user' : 'assistant',
    role: side === 'request' ? 'user' : 'assistant',
    text,
    join: null,
    leaf: 'string',
  }));
  for (const { hook, run } of asked.runs) {
    const trial: HookTrial = {
      hook,
      // What a monitored guardrail finds is asked for here and now; that nothing would come of it is another matter.
      runs: [{ ...run, enforcement: 'enforce' }],
      segments,
      facts: trialFacts(callId, ANONYMOUS, data.model ?? null, {
        ...data,
        texts: segments.map(({ text }) => text),
      }),
    };
    const result = await tools.run(trial);
    if (result === null) throw notReady();
    failures.push(...failuresOf(run, result));
    // A run that has failed leaves the input to the others as it was.
    if (result.block === null && result.respond === null) segments = result.segments;
  }
  return {
    inputs: { texts: segments.map(({ text }) => text) },
    guardrail_errors: [...failures].sort((a, b) =>
      a.guardrail_name === b.guardrail_name ? 0 : a.guardrail_name < b.guardrail_name ? -1 : 1,
    ),
  };
}

function failuresOf(run: PlannedRun, { block, respond, records }: HookTrialResult): readonly Failure[] {
  const policy = run.demanded_by.find(({ policy_name }) => policy_name !== undefined)?.policy_name;
  const about = (guardrail: string) => ({
    guardrail_name: guardrail,
    ...(policy === undefined ? {} : { policy_name: policy }),
  });
  if (block !== null) {
    const reason = block.type === 'guardrail_error' ? 'error' : 'blocked';
    return [{ ...about(block.guardrail_name ?? run.name), message: block.message, reason }];
  }
  if (respond !== null) {
    return [{ ...about(respond.guardrail_name), message: respond.message, reason: 'blocked' }];
  }
  return records
    .filter((record) => record.outcome === 'error' || isSkipped(run, record))
    .map((record) => ({
      ...about(record.guardrail_name),
      message: `Guardrail '${record.guardrail_name}' gave no verdict: ${record.reason ?? record.outcome}.`,
      reason: record.outcome === 'error' ? 'error' : 'not_run',
    }));
}

/** Steps behind the end of a pipeline are as it was meant; a guardrail that did not look is not. */
function isSkipped(run: PlannedRun, { outcome, pipeline }: RunRecord): boolean {
  return outcome === 'not_run' && (run.kind === 'guardrail' || pipeline?.action !== 'none');
}
