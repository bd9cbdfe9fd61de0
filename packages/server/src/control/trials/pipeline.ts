import {
  chatAnswerSegments,
  chatRequestSegments,
  FieldsError,
  PortcullisError,
  type TestPipeline,
  testPipelineSchema,
  withSegments,
} from '@portcullis/contract';
import {
  checkVersion,
  type Pipeline,
  pipelineSchema,
  type PlannedPipeline,
  type PlannedStep,
  policySchema,
  type RunRecord,
  type Segment,
  type Snapshot,
} from '@portcullis/policy';
import type { HookTrialResult } from '../../ports/guardrail-tools.ts';
import type { ControlContext } from '../context.ts';
import { contextOf } from '../policies/question.ts';
import { snapshotOf } from '../policies/resolve.ts';
import type { Route } from '../route.ts';
import type { TrialAllowance } from './allowance.ts';
import { trialFacts } from './facts.ts';

type Row = Readonly<Record<string, unknown>>;

/** The name the reference gives to a pipeline under test. */
const NAME = 'test-pipeline';
const DRY_RUN = 'dry run: the service was not called';

/**
 * `POST /policies/test-pipeline`: runs a pipeline once on made-up content, on either side, in the name of anybody (D-88).
 * Nothing of it is a request: no record is stored, and services see a call id that begins with `test-` (D-77).
 */
export function testPipelineRoute(context: ControlContext, allowance: TrialAllowance): Route<TestPipeline> {
  return {
    method: 'POST',
    path: '/policies/test-pipeline',
    permission: 'admin',
    body: testPipelineSchema,
    handler: ({ body, identity, callId }) =>
      allowance.spend(identity, async () => {
        const snapshot = snapshotOf(context);
        const pipeline = readPipeline(body.pipeline, snapshot);
        const { context: asked } = await contextOf(context, body.context ?? {});
        const content = contentOf(body, pipeline);
        const dry = body.dry_run === true ? remoteGuardrails(context, snapshot) : new Set<string>();
        const result = await context.guardrails.tools.run({
          hook: pipeline.mode,
          runs: [plannedOf(pipeline, snapshot, dry)],
          segments: content.segments,
          facts: trialFacts(callId, asked.principal, asked.model ?? 'test', content.whole),
        });
        if (result === null) throw notReady();
        return {
          body: {
            ...answerOf(result, content, dry),
            test: true,
            call_id: `test-${callId}`,
            mode: pipeline.mode,
            dry_run: body.dry_run === true,
          },
        };
      }),
  };
}

/** @throws PortcullisError in the reference's words for what keeps it from being saved (P7, I4). */
function readPipeline(written: unknown, snapshot: Snapshot): Pipeline {
  const parsed = pipelineSchema.safeParse(written);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')));
  }
  const pipeline = parsed.data;
  const names = [...new Set(pipeline.steps.map(({ guardrail }) => guardrail))];
  const findings = checkVersion(
    snapshot,
    policySchema.parse({
      policy_id: NAME,
      policy_name: NAME,
      version_number: 1,
      version_status: 'draft',
      guardrails_add: names,
      pipeline,
    }),
  );
  const errors = findings.filter(
    // The list is made of the steps here, so that each unknown name is told once: at its step.
    ({ severity, path }) => severity === 'error' && path[2] !== 'guardrails_add',
  );
  if (errors.length > 0) {
    throw invalid(errors.map(({ path, message }) => `${path.slice(3).join('.')}: ${message}`));
  }
  return pipeline;
}

function invalid(reasons: readonly string[]): PortcullisError {
  return new PortcullisError('invalid_request', `Invalid pipeline: ${reasons.join('; ')}`, {
    param: 'pipeline',
  });
}

interface Content {
  readonly segments: readonly Segment[];
  /** What the segments are leaves of. */
  readonly whole: Row;
  /** What of it the answer shows when it was changed. */
  readonly field: 'messages' | 'response';
}

function contentOf(
  { test_messages: messages, response, mock_response }: TestPipeline,
  { mode }: Pipeline,
): Content {
  if (mode === 'pre_call') {
    const whole = { messages };
    return { whole, segments: chatRequestSegments(whole), field: 'messages' };
  }
  const answer = response ?? mock_response ?? null;
  if (answer === null) {
    throw new FieldsError([
      {
        loc: ['body', 'response'],
        msg: 'a post_call pipeline judges an answer: send response (an answer of the model or its text) or mock_response',
        type: 'missing',
      },
    ]);
  }
  const whole: Row =
    typeof answer === 'string'
      ? { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer } }] }
      : answer;
  return { whole, segments: chatAnswerSegments(whole), field: 'response' };
}

function plannedOf(pipeline: Pipeline, snapshot: Snapshot, dry: ReadonlySet<string>): PlannedPipeline {
  return {
    kind: 'pipeline',
    name: NAME,
    enforcement: 'enforce',
    trusted: true,
    priority: 0,
    demanded_by: [{ source: 'request', policy_name: NAME }],
    policy_id: NAME,
    version_number: 1,
    mode: pipeline.mode,
    steps: pipeline.steps.map((step): PlannedStep => {
      const monitored = snapshot.guardrails.get(step.guardrail)?.monitored ?? false;
      // A monitored step is the one thing that a pipeline passes by.
      return { ...step, monitored: monitored || dry.has(step.guardrail) };
    }),
  };
}

/** The names whose guardrails ask a service. */
function remoteGuardrails(
  { guardrails: { tools } }: ControlContext,
  { guardrails }: Snapshot,
): ReadonlySet<string> {
  const remote = new Set(tools.kinds.filter((kind) => kind.remote).flatMap(({ ids }) => ids));
  return new Set(
    [...guardrails.values()]
      .filter(({ configurations }) =>
        configurations.some(({ litellm_params: { guardrail } }) => remote.has(guardrail)),
      )
      .map(({ name }) => name),
  );
}

/** The reference's shape (api 4.3). Reasons never hold matched text; changed content is the caller's own, masked. */
function answerOf(
  result: HookTrialResult,
  { whole, segments, field }: Content,
  dry: ReadonlySet<string>,
): Row {
  const { block, respond } = result;
  return {
    terminal_action: terminalAction(result),
    step_results: result.records
      .filter(({ pipeline }) => pipeline !== null && pipeline.action !== 'none')
      .map((record) => stepOf(record, dry)),
    modified_data:
      block === null && respond === null && result.edited.length > 0
        ? modified(whole, segments, result.segments, field)
        : null,
    error_message: block?.message ?? null,
    modify_response_message: respond?.message ?? null,
  };
}

function terminalAction({ block, respond }: HookTrialResult): string {
  if (block !== null) return 'block';
  return respond === null ? 'allow' : 'modify_response';
}

function stepOf(record: RunRecord, dry: ReadonlySet<string>): Row {
  const { guardrail_name, pipeline, outcome, duration, masked_entity_count } = record;
  const isDry = outcome === 'not_run' && dry.has(guardrail_name);
  return {
    guardrail_name,
    outcome: outcomeOf(record),
    action_taken: pipeline?.action ?? 'none',
    // Steps hand content on inside the runner; what came of all of them is in the answer's own `modified_data`.
    modified_data: null,
    error_detail: isDry ? DRY_RUN : record.reason,
    duration_seconds: Math.round(duration * 10_000) / 10_000,
    masked_entity_count,
    detections: record.match_details.map(({ type, action_taken, path, start, end }) => ({
      type,
      action: action_taken,
      place: path,
      start,
      end,
    })),
  };
}

function outcomeOf({ outcome, flagged_action }: RunRecord): 'pass' | 'fail' | 'error' | 'skip' {
  switch (outcome) {
    case 'clean':
    case 'masked':
      return 'pass';
    case 'flagged':
      return flagged_action === 'log' ? 'pass' : 'fail';
    case 'error':
      return 'error';
    case 'not_run':
      return 'skip';
  }
}

function modified(
  whole: Row,
  before: readonly Segment[],
  after: readonly Segment[],
  field: Content['field'],
): Row {
  const rewritten = withSegments(whole, before, after);
  if (rewritten.ok) return field === 'messages' ? rewritten.body : { response: rewritten.body };
  const { path, reason } = rewritten.undeliverable;
  throw new FieldsError([{ loc: ['body', ...path.split('/').slice(1)], msg: reason, type: 'undeliverable' }]);
}

export function notReady(): PortcullisError {
  return new PortcullisError('policy_not_ready', 'Policy engine not initialized. No guardrails loaded.');
}
