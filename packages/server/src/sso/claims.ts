import type { Role } from '../ports/identity.ts';
import { type SignedOn, SignOnProblem, type SignOnSettings } from '../ports/sso.ts';

/** The strongest first: of several that somebody has, the first counts. */
const BY_STRENGTH: readonly Role[] = [
  'proxy_admin',
  'proxy_admin_viewer',
  'internal_user',
  'internal_user_viewer',
];
const LONGEST = 256;

/**
 * What the provider's claims make of somebody.
 * @throws SignOnProblem `denied` when the settings let this person not in, `invalid` when a needed claim is missing.
 */
export function personOf(claims: Readonly<Record<string, unknown>>, settings: SignOnSettings): SignedOn {
  const { issuer, allowedEmailDomains } = settings;
  const subject = textOf(claims['sub']);
  const userId = textOf(valueAt(claims, settings.userIdClaim));
  if (subject === null || userId === null) {
    throw new SignOnProblem('invalid', `The identity provider sent no claim ${settings.userIdClaim}.`);
  }
  const email = verifiedEmail(claims, settings.emailClaim);
  if (allowedEmailDomains.length > 0) {
    const domain = email?.slice(email.lastIndexOf('@') + 1);
    if (domain === undefined || !allowedEmailDomains.includes(domain)) {
      throw new SignOnProblem('denied', 'Your address is unverified, or in no domain that may sign in here.');
    }
  }
  return {
    subject: `${issuer} ${subject}`,
    userId,
    email,
    name: textOf(valueAt(claims, settings.nameClaim)),
    role: settings.roleClaim === null ? null : roleOf(valueAt(claims, settings.roleClaim), settings),
    teamIds:
      settings.teamClaim === null ? null : teamsOf(valueAt(claims, settings.teamClaim), settings.teams),
  };
}

/** An address that anybody can claim is nobody's. */
function verifiedEmail(claims: Readonly<Record<string, unknown>>, claim: string): string | null {
  const email = textOf(valueAt(claims, claim));
  if (email === null || !/^[^\s@]+@[^\s@]+$/u.test(email)) return null;
  return claims['email_verified'] === true ? email.toLowerCase() : null;
}

function roleOf(value: unknown, { roles, defaultRole }: SignOnSettings): Role {
  const has = new Set(textsOf(value).flatMap((text) => (Object.hasOwn(roles, text) ? [roles[text]] : [])));
  return BY_STRENGTH.find((role) => has.has(role)) ?? defaultRole;
}

function teamsOf(value: unknown, teams: Readonly<Record<string, string>>): readonly string[] {
  const named = textsOf(value);
  const ids =
    Object.keys(teams).length === 0
      ? named
      : named.flatMap((text) => (Object.hasOwn(teams, text) ? [teams[text] ?? ''] : []));
  return [...new Set(ids)].filter((id) => id !== '');
}

/** A claim by its name, or by the dotted path of what is inside others. */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split('.').reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Readonly<Record<string, unknown>>)[step];
  }, claims);
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((item): item is string => typeof item === 'string');
  return typeof value === 'string' ? [value] : [];
}

function textOf(value: unknown): string | null {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' || text.length > LONGEST ? null : text;
}
