import { createHmac, hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto';

/** 32 random bytes in base 64 for addresses: a session's token, or the secret of an invitation. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a token. It is random, so a plain digest gives nothing away. */
export function tokenHash(token: string): string {
  return digestOf('sha256', token);
}

/** What a page of this gateway sends with every write, made of the session's token, which no other page can read. */
export function csrfToken(token: string): string {
  return createHmac('sha256', token).update('portcullis csrf').digest('base64url');
}

/** Whether a header holds the CSRF token of a session. */
export function isCsrfToken(header: unknown, token: string): boolean {
  const expected = Buffer.from(csrfToken(token), 'latin1');
  const given = typeof header === 'string' ? Buffer.from(header, 'utf8') : Buffer.alloc(0);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
