/** The session's cookie. Over https its name forbids other hosts of the domain to set it. */
const NAME = 'portcullis_session';
const SECURE_NAME = `__Host-${NAME}`;

interface CookieOptions {
  readonly name: string;
  /** The browser came by https. */
  readonly isSecure: boolean;
  readonly sameSite: 'Strict' | 'Lax';
  readonly maxAgeMs: number;
}

/** The name under which a cookie of ours goes. */
function cookieName(name: string, isSecure: boolean): string {
  return isSecure ? `__Host-${name}` : name;
}

function setCookie(value: string, { name, isSecure, sameSite, maxAgeMs }: CookieOptions): string {
  const seconds = Math.max(0, Math.floor(maxAgeMs / 1000));
  const secure = isSecure ? '; Secure' : '';
  return `${cookieName(name, isSecure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=${sameSite}${secure}`;
}

/** Gives the browser its session; an empty token takes it away. */
export function sessionCookie(token: string, isSecure: boolean, maxAgeMs: number): string {
  return setCookie(token, { name: NAME, isSecure, sameSite: 'Strict', maxAgeMs });
}

/** What a sign-in elsewhere has to bring back. It comes by a link of another site, to which Strict cookies stay home. */
const SSO_NAME = 'portcullis_sso';

export function memoryCookie(memory: string, isSecure: boolean, maxAgeMs: number): string {
  return setCookie(memory, { name: SSO_NAME, isSecure, sameSite: 'Lax', maxAgeMs });
}

export function memoryIn(header: string | undefined, isSecure: boolean): string | null {
  return cookieValue(header, cookieName(SSO_NAME, isSecure));
}

/** The session's token in a `cookie` header, or null. */
export function sessionToken(header: string | undefined, isSecure: boolean): string | null {
  return cookieValue(header, isSecure ? SECURE_NAME : NAME);
}

/** The value of a cookie, or null. Of two with one name the first counts, which is the one with the longer path. */
function cookieValue(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}
