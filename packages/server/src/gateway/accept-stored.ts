import { type Dialect, isObject, openAiResponses, PortcullisError } from '@portcullis/contract';
import type { GatewaySettings } from '../ports/snapshot.ts';
import { type Accepted, type Arrival, noKey, readCredential } from './accept.ts';
import type { StoredCall, StoredResponses } from './stored-responses.ts';

/** Reading, cancelling and deleting a response that the provider keeps: guarded like the answer it is. */
export const storedResponseDialect: Dialect = {
  ...openAiResponses,
  callType: 'aget_responses',
  // What it cost was counted when it was made.
  generates: false,
  usage: () => null,
  guardedAnswer(body) {
    const isDeletion = isObject(body) && typeof body['deleted'] === 'boolean' && body['output'] === undefined;
    return isDeletion ? body : openAiResponses.guardedAnswer(body);
  },
};

const EMPTY = Buffer.alloc(0);
const ID = /^[\w-]{1,256}$/u;

/**
 * Stage 1 of such a call: what decided the request that made the response decides this one.
 * @throws PortcullisError `authentication_failed`, `not_found`, `invalid_request`.
 */
export function acceptStored(
  arrival: Arrival,
  call: Pick<StoredCall, 'id' | 'method' | 'action'> & { readonly query: string },
  responses: StoredResponses,
  settings: GatewaySettings,
): Accepted {
  const credential = readCredential(arrival.headers, settings.keyHeaderName);
  if (credential === null) throw noKey();
  if (!ID.test(call.id))
    throw new PortcullisError('not_found', 'This is no id of a response.', { param: 'response_id' });
  const kept = responses.find(call.id);
  const stream = readStream(new URLSearchParams(call.query));
  const { request } = kept;
  return {
    arrival,
    dialect: storedResponseDialect,
    form: null,
    raw: EMPTY,
    body: {},
    request: { ...request, stream, control: { ...request.control, mockResponse: null, hasOwnFields: false } },
    stored: { id: call.id, method: call.method, action: call.action, kept },
    credential,
    tags: kept.tags,
    timeoutMs: null,
  };
}

/** A stream that begins in the middle could not be judged as a whole. */
function readStream(query: URLSearchParams): boolean {
  for (const name of query.keys()) {
    if (name !== 'stream') {
      throw new PortcullisError('invalid_request', `"${name.slice(0, 64)}" cannot be asked for here.`, {
        param: name.slice(0, 64),
      });
    }
  }
  return query.get('stream') === 'true';
}
