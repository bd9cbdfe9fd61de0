import { type ErrorBody, isObject, PortcullisError } from '@portcullis/contract';
import type { Segment } from '@portcullis/policy';
import type { UpstreamReply } from '../upstreams/upstream.ts';
import { gather } from './gather.ts';

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE_CHARACTERS = 4_000;

/** An error of the provider in the OpenAI shape. */
export interface Rejection {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}

/** Statuses that mean the same to our caller. 401 and 403 do not: they are about our key at the provider. */
function passesOn(status: number): boolean {
  return status >= 500 || [400, 404, 408, 409, 413, 422, 429].includes(status);
}

/** Reads an error answer. What the provider said is kept, unless it would look like a fault of the caller's key. */
export async function readRejection(reply: UpstreamReply): Promise<Rejection> {
  const { status } = reply;
  const said = saidBy(await gather(reply, MAX_ERROR_BYTES).catch(() => Buffer.alloc(0)));
  if (passesOn(status)) {
    return {
      status,
      message: said.message ?? `The provider answered with status ${status}.`,
      type: said.type ?? 'upstream_error',
      param: said.param,
      code: said.code ?? String(status),
    };
  }
  return {
    status: 502,
    message: `The provider refused the call with status ${status}${said.message === null ? '.' : `: ${said.message}`}`,
    type: 'upstream_error',
    param: null,
    code: '502',
  };
}

interface Said {
  readonly message: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

function saidBy(bytes: Buffer): Said {
  const nothing: Said = { message: null, type: null, param: null, code: null };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    return nothing; // Pages of proxies and load balancers tell a caller nothing.
  }
  if (!isObject(body)) return nothing;
  const error = isObject(body['error']) ? body['error'] : body;
  const text = (value: unknown): string | null =>
    typeof value === 'string' && value !== '' ? value.slice(0, MAX_MESSAGE_CHARACTERS) : null;
  const code = error['code'];
  return {
    message: text(error['message']) ?? text(error['detail']) ?? text(body['error']),
    type: text(error['type']),
    param: text(error['param']),
    code: typeof code === 'number' ? String(code) : text(code),
  };
}

/** The provider's words as content: they may quote the prompt, so post_call guardrails read them, too (E4). */
export function rejectionSegments(rejection: Rejection): Segment[] {
  const segments: Segment[] = [];
  for (const field of ['message', 'type', 'param', 'code'] as const) {
    const text = rejection[field];
    if (text === null || text === '') continue;
    segments.push({ path: `/error/${field}`, kind: 'other', role: null, text, join: null, leaf: 'string' });
  }
  return segments;
}

/** The rejection with its texts replaced by those of the judged segments. */
export function withRejectionSegments(rejection: Rejection, segments: readonly Segment[]): Rejection {
  const changed: Record<string, string> = {};
  for (const { path, text } of segments) changed[path.slice('/error/'.length)] = text;
  return { ...rejection, ...changed };
}

export function rejectionBody(rejection: Rejection): ErrorBody {
  const { message, type, param, code } = rejection;
  return { error: { message, type, param, code, portcullis_code: 'upstream_rejected' } };
}

/** The rejection as the record knows it: without the provider's words, which may quote the prompt. */
export function rejectionError(status: number): PortcullisError {
  return new PortcullisError('upstream_rejected', `The provider answered with status ${status}.`);
}
