import type { z } from 'zod';
import type { Identity } from '../ports/identity.ts';

/**
 * Who may call a route, with a key or with a session. What a caller may do with which object is decided by the handler.
 * - `admin`: a proxy_admin; `admin_viewer`: a proxy_admin_viewer too.
 * - `any_key`: everybody known reads; viewers do not write.
 * - `self`: everybody known, viewers included: what it changes concerns the caller alone.
 * - `open`: everybody.
 */
export type Permission = 'admin' | 'admin_viewer' | 'any_key' | 'self' | 'open';

/** Where a request comes from. */
export interface Client {
  /** The address of the connection, or what a proxy that is trusted says. */
  readonly address: string;
  /** The browser speaks https with us, or with the proxy before us. */
  readonly isSecure: boolean;
  /** The token of the session that the caller came with; null for a key. */
  readonly sessionToken: string | null;
  /** What a sign-in elsewhere has left in the browser, and the query as it was sent, with its `?`. */
  readonly ssoMemory: string | null;
  readonly search: string;
}

export interface RouteInput<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  readonly params: Readonly<Record<string, string>>;
  readonly identity: Identity;
  readonly callId: string;
  readonly conditions: WriteConditions;
  readonly client: Client;
}

/** What the headers of a write ask for (V7). */
export interface WriteConditions {
  /** `If-Match`: the revision that the caller has seen; null when any will do. */
  readonly ifMatch: number | null;
  /** `Idempotency-Key`: a retry with the same key gets the same answer. */
  readonly idempotencyKey: string | null;
}

export interface Refusal {
  readonly identity: Identity;
  readonly callId: string;
  readonly reason: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteAnswer {
  /** 200 when it is not given. */
  readonly status?: number;
  readonly body: unknown;
  /** Headers of this answer, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/**
 * One management route, free of any HTTP framework. The adapter mounts `path` (parameters as `:name`), and answers with
 * what `callRoute` returns.
 */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly permission: Permission;
  readonly body?: z.ZodType<Body>;
  readonly query?: z.ZodType<Query>;
  /** The body holds texts that are only looked at, so that those are taken too which no database can hold. */
  readonly takesAnyText?: true;
  handler(input: RouteInput<Body, Query>): Promise<RouteAnswer>;
  /** What a role that may not call it is told (403), when the reference has words of its own for it. */
  readonly roleRefusal?: string;
  /** Every refused attempt is part of the audit log (V10), not only those that the role does not allow. */
  readonly recordsEveryRefusal?: true;
  /** Told when somebody was refused what the role does not allow (403), or anything at all. Never fails. */
  refused?(refusal: Refusal): Promise<void>;
}

/** What the adapter knows of a request. `identity` is null only when no key was sent, which `open` routes allow. */
export interface RawRouteInput {
  /** The parsed JSON body, or `undefined` when there is none. */
  readonly body: unknown;
  /** The decoded query: a name given twice is a list. */
  readonly query: unknown;
  readonly params: Readonly<Record<string, string>>;
  readonly identity: Identity | null;
  readonly callId: string;
  /** By their names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Nobody in particular when it is not given. */
  readonly client?: Client;
}
