import {
  type Dialect,
  type ErrorBody,
  errorBody,
  type PortcullisError,
  type Usage,
} from '@portcullis/contract';
import type { BlockDetails, RespondDetails } from '@portcullis/guardrails';
import type { Accepted, Arrival } from './accept.ts';
import type { Client, HeaderMap } from './client.ts';

/** The client's side of an exchange: which dialect it reads, and the id of its call. */
export interface Caller {
  readonly dialect: Dialect;
  readonly arrival: Arrival;
}

/** The body of a block in the OpenAI dialect (E7). */
export function blockBody(block: BlockDetails): ErrorBody {
  return {
    error: {
      message: block.message,
      type: block.type,
      param: null,
      code: '400',
      provider_specific_fields: block.provider_specific_fields,
      ...(block.pipeline_context === undefined ? {} : { pipeline_context: block.pipeline_context }),
    },
  };
}

/** A block before anything was sent: always 400, and clients are told not to try again (E7). */
export function sendBlock(client: Client, headers: HeaderMap, block: BlockDetails, caller: Caller): void {
  headers['x-should-retry'] = 'false';
  sendFailure(client, 400, headers, blockBody(block), caller);
}

/** A failure before anything was sent. */
export function sendError(client: Client, headers: HeaderMap, error: PortcullisError, caller: Caller): void {
  if (error.code === 'guardrail_error') headers['x-should-retry'] = 'false';
  // Bytes of the body that were not read would be taken for the next request.
  if (error.code === 'body_too_large' || error.code === 'authentication_failed') {
    headers['connection'] = 'close';
  }
  Object.assign(headers, error.headers);
  sendFailure(client, error.status, headers, errorBody(error), caller);
}

/** An error in the caller's dialect. */
export function sendFailure(
  client: Client,
  status: number,
  headers: HeaderMap,
  body: ErrorBody,
  { dialect, arrival }: Caller,
): void {
  sendJson(client, status, headers, dialect.errorBody(body, status, arrival.callId));
}

/**
 * A soft block before anything was sent: 200 with the message as the answer (E7), as a stream when one was asked for.
 * False where the dialect's answers hold no text: then it was sent as a block.
 */
export function sendRespond(
  client: Client,
  headers: HeaderMap,
  respond: RespondDetails,
  accepted: Accepted,
  usage: Usage | null,
): boolean {
  const { arrival, dialect, request } = accepted;
  const start = {
    id: dialect.idPrefix + arrival.callId,
    model: request.model,
    createdSeconds: Math.floor(arrival.time / 1_000),
    maxChoices: 1,
  };
  if (request.stream && dialect.stream !== null) {
    client.start(200, asEventStream(headers));
    client.end(dialect.stream.open(start).responded(respond.message));
    return true;
  }
  const answer = dialect.softBlock({ ...start, message: respond.message, usage });
  if (answer === null) {
    sendBlock(client, headers, asBlock(respond), accepted);
    return false;
  }
  sendJson(client, 200, headers, answer);
  return true;
}

function asBlock({ message, guardrail_name }: RespondDetails): BlockDetails {
  const where = { guardrail_name, guardrail_mode: 'pre_call' as const, policy: null };
  return { type: 'guardrail_violation', message, ...where, provider_specific_fields: where };
}

export function sendJson(client: Client, status: number, headers: HeaderMap, body: unknown): void {
  headers['content-type'] = 'application/json';
  client.send(status, headers, JSON.stringify(body));
}

export function asEventStream(headers: HeaderMap): HeaderMap {
  headers['content-type'] = 'text/event-stream; charset=utf-8';
  headers['cache-control'] = 'no-cache';
  headers['x-accel-buffering'] = 'no';
  return headers;
}
