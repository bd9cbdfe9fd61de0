import { isObject, type ModelRequest, PortcullisError } from '@portcullis/contract';
import type { TagFact } from '@portcullis/policy';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../ports/identity.ts';
import type { Accepted } from './accept.ts';
import type { Dispatched } from './dispatch.ts';
import type { Delivered } from './output/delivered.ts';

/** What a caller may do with a response that the provider keeps. */
export interface StoredCall {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** What follows the id in the provider's path. */
  readonly action: '' | '/cancel';
  readonly kept: KeptResponse;
}

/** Everything of the request that made a response by which its plan was decided. */
export interface KeptResponse {
  readonly owner: string | null;
  readonly request: ModelRequest;
  readonly tags: readonly TagFact[];
  readonly deploymentId: string;
}

const MAX_KEPT = 20_000;
/** As long as providers keep a response. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1_000;

/**
 * What the gateway remembers of responses that a provider keeps, so that reading one later is decided by everything
 * that decided the request: its model as it was named, its tags, policies and guardrails (D-87). A response that is not
 * remembered (made elsewhere, by another replica, or before a restart) is refused, never handed out unguarded.
 */
export class StoredResponses {
  readonly #kept = new LRUCache<string, KeptResponse>({ max: MAX_KEPT, ttl: KEPT_MS, ttlResolution: 60_000 });

  /** Remembers the response of a finished call, unless the provider was told to keep nothing. */
  note({ input, deployment }: Dispatched, { answerId, status }: Delivered): void {
    const { accepted, identity } = input.planned.identified;
    const { stored, dialect, request, tags } = accepted;
    if (stored?.method === 'DELETE' && status === 200) this.#kept.delete(stored.id);
    if (answerId == null || dialect.keepsAnswers !== true || stored !== null) return;
    if (accepted.body['store'] === false) return;
    this.#kept.set(answerId, { owner: ownerOf(identity), request, tags, deploymentId: deployment.id });
  }

  /** @throws PortcullisError `not_found` for what is not remembered. */
  find(id: string): KeptResponse {
    const kept = this.#kept.get(id);
    if (kept === undefined) throw unknown(id);
    return kept;
  }
}

/** @throws PortcullisError `not_found` for a response that somebody else made, as for one that is not there. */
export function checkOwner({ stored }: Accepted, identity: Identity): void {
  if (stored !== null && stored.kept.owner !== ownerOf(identity)) throw unknown(stored.id);
}

function ownerOf({ policy }: Identity): string | null {
  return policy.key_hash;
}

function unknown(id: string): PortcullisError {
  return new PortcullisError(
    'not_found',
    `No response ${id.slice(0, 128)} of this key is known to this gateway, so that no policy can be applied to it.`,
    { param: 'response_id' },
  );
}

/** Inside a text the quotes would be escaped, so that no model can forge it. */
const ANSWER_ID = /"id"\s*:\s*"(resp_[\w-]{1,256})"/u;

/** The id of a response in the first bytes of an answer that is handed through. */
export function answerIdIn(head: Buffer): string | null {
  return ANSWER_ID.exec(head.toString('latin1'))?.[1] ?? null;
}

/** The id of a whole answer. */
export function answerIdOf(answer: unknown): string | null {
  return isObject(answer) && typeof answer['id'] === 'string' ? answer['id'] : null;
}
