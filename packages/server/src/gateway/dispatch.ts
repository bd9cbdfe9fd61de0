import { type JsonObject, PortcullisError } from '@portcullis/contract';
import type { HookResult } from '@portcullis/guardrails';
import type { Deployment } from '../ports/models.ts';
import type { Accepted } from './accept.ts';
import type { Client } from './client.ts';
import type { Gateway } from './gateway.ts';
import type { GuardedInput } from './guard-input.ts';
import { writeForm } from './multipart.ts';
import { type PlannedRequest, runsOf, split, storesContent } from './plan.ts';
import { chooseDeployment, upstreamModelName } from './routing.ts';
import type { StoredCall } from './stored-responses.ts';
import { adapterOf } from './upstreams/adapter.ts';
import { callMock } from './upstreams/mock.ts';
import type { UpstreamCall, UpstreamExchange } from './upstreams/upstream.ts';

/**
 * Who reads the answer: nobody; somebody a copy of the very bytes that the caller gets (monitored and logging_only runs,
 * which must change nothing); or an enforced guardrail, through which it has to pass, or the caller's masked values,
 * which have to be put back.
 */
export type AnswerReader = 'nobody' | 'copy' | 'guardrail';

/** A request that is with its provider, and with the guardrails of during_call. */
export interface Dispatched {
  readonly input: GuardedInput;
  readonly deployment: Deployment;
  readonly upstreamModel: string;
  readonly exchange: UpstreamExchange;
  readonly during: HookResult | Promise<HookResult> | null;
  readonly reads: AnswerReader;
  /** When the call was sent, on the clock for durations. */
  readonly sentAt: number;
}

/** Stage 5: chooses a deployment and sends the call, then starts the during_call runs beside it. Never waits. */
export function dispatch(input: GuardedInput, gateway: Gateway, client: Client): Dispatched {
  const { planned } = input;
  const deployment = deploymentFor(planned);
  const upstreamModel = upstreamModelName(deployment, planned.group, planned.names);
  const reads = input.pre?.restorer ? 'guardrail' : answerReader(planned);
  const sentAt = gateway.clock.monotonic();
  // What an answer has used is read off its end, which has to be plain for that.
  const counted = planned.identified.admission !== null || deployment.price !== undefined;
  const keeps = planned.identified.accepted.dialect.keepsAnswers === true;
  const plain = reads === 'guardrail' || counted || keeps;
  const exchange = send(input, deployment, upstreamModel, plain, gateway);
  client.onGone(() => exchange.abort());
  const during = input.startDuring === null ? null : input.startDuring();
  // The verdict may take a while; the answer must not pile up in memory meanwhile.
  if (during instanceof Promise) exchange.pause();
  return { input, deployment, upstreamModel, exchange, during, reads, sentAt };
}

function answerReader(planned: PlannedRequest): AnswerReader {
  const { enforced, monitored } = split(runsOf(planned, 'post_call'));
  if (enforced) return 'guardrail';
  const isCopied = monitored || runsOf(planned, 'logging_only').length > 0 || storesContent(planned);
  return isCopied ? 'copy' : 'nobody';
}

function send(
  input: GuardedInput,
  deployment: Deployment,
  model: string,
  plain: boolean,
  gateway: Gateway,
): UpstreamExchange {
  const { accepted } = input.planned.identified;
  const { arrival, dialect, request } = accepted;
  const { stored } = accepted;
  if (stored !== null) return sendStored(stored, deployment, accepted, plain, gateway);
  const mockText = request.control.mockResponse ?? deployment.mockResponse;
  if (deployment.provider === 'mock' || request.control.mockResponse !== null) {
    return callMock({
      dialect: dialect.name,
      body: input.body ?? accepted.body,
      model: request.model,
      stream: request.stream,
      text: mockText,
      id: dialect.idPrefix + arrival.callId,
      createdSeconds: Math.floor(arrival.time / 1_000),
    });
  }
  const adapter = adapterOf(deployment);
  if (!adapter.speaks(dialect.name)) throw unspoken(deployment, accepted);
  return gateway.upstreams.call({
    deployment,
    method: 'POST',
    path: dialect.path,
    ...bodyToSend(input.body, accepted, deployment, model),
    headers: adapter.passedOn(arrival.headers),
    stream: request.stream,
    plain,
    acceptEncoding: arrival.headers['accept-encoding']?.toString() ?? null,
    timeoutMs: timeLimit(accepted, deployment),
  });
}

/** A kept response is where it was made. @throws PortcullisError `not_found` when that deployment is gone. */
function deploymentFor({ group, identified }: PlannedRequest): Deployment {
  const { stored } = identified.accepted;
  if (stored === null) return chooseDeployment(group, Math.random());
  const made = group.deployments.find(({ id }) => id === stored.kept.deploymentId);
  if (made !== undefined && made.provider !== 'mock') return made;
  throw new PortcullisError('not_found', 'The deployment that keeps this response is not there any more.', {
    param: 'response_id',
  });
}

function sendStored(
  { id, method, action }: StoredCall,
  deployment: Deployment,
  accepted: Accepted,
  plain: boolean,
  gateway: Gateway,
): UpstreamExchange {
  const { arrival, request } = accepted;
  return gateway.upstreams.call({
    deployment,
    method,
    path: `/responses/${id}${action}${request.stream ? '?stream=true' : ''}`,
    contentType: 'application/json',
    headers: {},
    body: null,
    stream: request.stream,
    plain,
    acceptEncoding: arrival.headers['accept-encoding']?.toString() ?? null,
    timeoutMs: timeLimit(accepted, deployment),
  });
}

/** Nothing is sent where nobody can say that the answer would be understood, and so guarded. */
function unspoken(deployment: Deployment, { dialect, request }: Accepted): PortcullisError {
  return new PortcullisError(
    'dialect_not_supported',
    `The provider of "${request.model.slice(0, 256)}" (${deployment.provider}) does not serve ${dialect.path}.`,
    { param: 'model' },
  );
}

/** The caller may shorten the time limit of the deployment, not extend it. */
function timeLimit(accepted: Accepted, deployment: Deployment): number {
  const own = accepted.request.stream ? deployment.streamTimeoutMs : deployment.timeoutMs;
  return accepted.timeoutMs === null ? own : Math.min(own, accepted.timeoutMs);
}

/** What a guardrail judged is what is sent. The caller's bytes go on only when nobody looked and nothing has to change. */
function bodyToSend(
  guarded: JsonObject | null,
  accepted: Accepted,
  deployment: Deployment,
  model: string,
): Pick<UpstreamCall, 'body' | 'contentType'> {
  const { form } = accepted;
  const contentType = 'application/json';
  if (
    guarded === null &&
    !accepted.request.control.hasOwnFields &&
    model === accepted.request.model &&
    Object.keys(deployment.defaults).length === 0 &&
    (form !== null || hasOneModel(accepted.raw))
  ) {
    const { arrival, raw } = accepted;
    return { body: raw, contentType: form === null ? contentType : (arrival.headers['content-type'] ?? '') };
  }
  let body = guarded;
  if (body === null) {
    body = accepted.request.control.hasOwnFields
      ? accepted.dialect.withoutControl(accepted.body)
      : accepted.body;
  }
  const whole = { ...deployment.defaults, ...body, model };
  if (form === null) return { body: JSON.stringify(whole), contentType };
  const written = writeForm(whole, form.files);
  return { body: written.bytes, contentType: written.contentType };
}

/**
 * Whether the bytes name the model once. A second `model` member, plain or written with escapes, could be the one that
 * the provider reads, while access was checked for the other.
 */
function hasOneModel(raw: Buffer): boolean {
  const first = raw.indexOf('"model"');
  return first >= 0 && !raw.includes('"model"', first + 7) && !raw.includes('\\u00');
}
