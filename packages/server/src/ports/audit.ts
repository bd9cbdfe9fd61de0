import type { Role } from './identity.ts';

/** What a change can be about. */
export const AUDIT_OBJECTS = [
  'key',
  'team',
  'route',
  'policy',
  'attachment',
  'guardrail',
  'model',
  'user',
  'tag',
  'session',
  'invitation',
] as const;
export type AuditObject = (typeof AUDIT_OBJECTS)[number];

/** One change, or one refused attempt (V10). No secret is ever part of `before` or `after`. */
export interface AuditEntry {
  readonly atMs: number;
  readonly actor: { readonly by: string; readonly role: Role };
  /** For example `key.generate`. */
  readonly action: string;
  readonly object: { readonly type: AuditObject; readonly id: string };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  /** Why it was refused; `null` for a change that was made. */
  readonly refused: string | null;
  /** The revision that the change took; absent for what is no part of a snapshot. */
  readonly revision?: number;
  readonly callId: string;
}

export interface StoredAuditEntry extends AuditEntry {
  /** Gapless, from 1. */
  readonly number: number;
  readonly previousHash: string;
  readonly hash: string;
}

/** An append-only log in which each row holds the hash of the one before (V10). */
export interface AuditLog {
  /** Writes in the transaction of the change itself. */
  append(entry: AuditEntry): Promise<void>;
  /** Newest first; `before` is a number to go on from. */
  list(page: { readonly before?: number; readonly limit: number }): Promise<readonly StoredAuditEntry[]>;
  /** Reads everything; says the first number that does not fit, or how many rows are whole and the hash of the last. */
  verify(): Promise<
    | { readonly ok: true; readonly count: number; readonly head: string }
    | { readonly ok: false; readonly number: number; readonly reason: string }
  >;
}
