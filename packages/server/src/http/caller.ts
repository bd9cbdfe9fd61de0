import { PortcullisError } from '@portcullis/contract';
import type { FastifyRequest } from 'fastify';
import type { Client } from '../control/route.ts';
import { memoryIn, sessionCookie, sessionToken } from '../control/sessions/cookie.ts';
import { isCsrfToken } from '../control/sessions/secrets.ts';
import { readCredential } from '../gateway/accept.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { findCaller } from '../gateway/identify.ts';
import type { Identity } from '../ports/identity.ts';
import type { Sessions } from '../ports/sessions.ts';

export interface Caller {
  /** Null when neither a key nor a session was sent. */
  readonly identity: Identity | null;
  readonly client: Client;
}

/** Requests that change nothing. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Who calls the control plane: by key, or else by the session in the cookie. A key that was sent is what counts, so that
 * a script in a browser gets no more than its key allows.
 *
 * @param isOpen the route needs nobody, so a session that has ended is no reason to refuse
 * @throws PortcullisError `session_expired`, `csrf_failed`, and what {@link findCaller} throws of a key.
 */
export async function callerOf(
  request: FastifyRequest,
  { gateway, sessions, isOpen }: { gateway: Gateway; sessions: Sessions; isOpen: boolean },
): Promise<Caller> {
  const settings = gateway.snapshots.current()?.settings;
  const isSecure = cameByHttps(request);
  const address = addressOf(request, settings?.useForwardedFor === true);
  const nobody: Client = {
    address,
    isSecure,
    sessionToken: null,
    ssoMemory: memoryIn(request.headers.cookie, isSecure),
    search: searchOf(request.raw.url ?? ''),
  };
  const credential = readCredential(request.headers, settings?.keyHeaderName ?? null);
  if (credential !== null) {
    const identity = await findCaller(credential, gateway.identities, gateway.clock.now());
    return { identity, client: nobody };
  }
  if (isOpen) {
    refuseOtherSites(request);
    return { identity: null, client: nobody };
  }
  const token = sessionToken(request.headers.cookie, isSecure);
  if (token === null || token === '') return { identity: null, client: nobody };
  const identity = await sessions.find(token);
  if (identity === null) {
    throw new PortcullisError('session_expired', 'Authentication Error, the session has ended.', {
      headers: { 'set-cookie': sessionCookie('', isSecure, 0) },
    });
  }
  refuseForgery(request, token);
  return { identity, client: { ...nobody, sessionToken: token } };
}

/** A write by cookie carries what only a page of this gateway can know, and comes from no other site. */
function refuseForgery(request: FastifyRequest, token: string): void {
  if (READS.has(request.method)) return;
  refuseOtherSites(request);
  if (isCsrfToken(request.headers['x-csrf-token'], token)) return;
  throw new PortcullisError(
    'csrf_failed',
    'The header x-csrf-token is missing or belongs to another session.',
  );
}

/** Browsers say which site a request comes from; nothing else sends this header. */
function refuseOtherSites(request: FastifyRequest): void {
  if (READS.has(request.method)) return;
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw new PortcullisError('csrf_failed', 'The request was sent by a page of another site.');
}

/** Whoever claims it falsely only gets a cookie that does not come back. */
export function cameByHttps(request: FastifyRequest): boolean {
  const forwarded = request.headers['x-forwarded-proto'];
  const [first] = (typeof forwarded === 'string' ? forwarded : '').split(',', 1);
  return first?.trim().toLowerCase() === 'https' || request.protocol === 'https';
}

function searchOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/** What the nearest proxy says of the client is the last entry: those before it are the client's own words. */
function addressOf(request: FastifyRequest, useForwardedFor: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  const last = typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined;
  if (useForwardedFor && last !== undefined && last !== '') return last.slice(0, 64);
  return request.socket.remoteAddress ?? '';
}
