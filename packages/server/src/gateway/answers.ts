import {
  ChatStreamCodec,
  type ErrorBody,
  errorBody,
  type PortcullisError,
  softBlockAnswer,
  type Usage,
} from '@portcullis/contract';
import type { BlockDetails, RespondDetails } from '@portcullis/guardrails';
import type { Accepted } from './accept.ts';
import type { Client, HeaderMap } from './client.ts';

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
export function sendBlock(client: Client, headers: HeaderMap, block: BlockDetails): void {
  headers['x-should-retry'] = 'false';
  sendJson(client, 400, headers, blockBody(block));
}

/** A failure before anything was sent. */
export function sendError(client: Client, headers: HeaderMap, error: PortcullisError): void {
  if (error.code === 'guardrail_error') headers['x-should-retry'] = 'false';
  // Bytes of the body that were not read would be taken for the next request.
  if (error.code === 'body_too_large') headers['connection'] = 'close';
  Object.assign(headers, error.headers);
  sendJson(client, error.status, headers, errorBody(error));
}

/** A soft block before anything was sent: 200 with the message as the answer (E7), as a stream when one was asked for. */
export function sendRespond(
  client: Client,
  headers: HeaderMap,
  respond: RespondDetails,
  accepted: Accepted,
  usage: Usage | null,
): void {
  const { arrival, request } = accepted;
  const answer = {
    id: `chatcmpl-${arrival.callId}`,
    model: request.model,
    createdSeconds: Math.floor(arrival.time / 1_000),
  };
  if (!request.stream) {
    sendJson(client, 200, headers, softBlockAnswer({ ...answer, message: respond.message, usage }));
    return;
  }
  const codec = new ChatStreamCodec({ ...answer, maxChoices: 1 });
  client.start(200, asEventStream(headers));
  client.end(codec.responded(respond.message));
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
