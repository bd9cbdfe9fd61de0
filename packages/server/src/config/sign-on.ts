// `sso`: signing in with an identity provider. What the file leaves out may stand in the environment, under the names that
// the reference gives it.
import { z } from 'zod';
import type { Role } from '../ports/identity.ts';
import type { SignOnSettings } from '../ports/sso.ts';
import type { ConfigDocument } from './document.ts';
import type { Findings } from './findings.ts';

const ROLES = [
  'proxy_admin',
  'proxy_admin_viewer',
  'internal_user',
  'internal_user_viewer',
] as const satisfies readonly Role[];

const text = z.string().min(1).max(2_048);
const claim = z.string().min(1).max(256);
const domain = z
  .string()
  .regex(/^[\w-]+(?:\.[\w-]+)+$/u, 'expected a domain such as example.com')
  .transform((name) => name.toLowerCase());

const sectionSchema = z.strictObject({
  issuer: text.nullish(),
  client_id: text.nullish(),
  client_secret: text.nullish(),
  scope: text.nullish(),
  base_url: text.nullish(),
  label: z.string().min(1).max(64).nullish(),
  user_id_claim: claim.nullish(),
  email_claim: claim.nullish(),
  name_claim: claim.nullish(),
  role_claim: claim.nullish(),
  roles: z.record(z.string(), z.enum(ROLES)).nullish(),
  team_claim: claim.nullish(),
  teams: z.record(z.string(), z.string().min(1)).nullish(),
  default_role: z.enum(ROLES).nullish(),
  create_users: z.boolean('expected true or false').nullish(),
  allowed_email_domains: z.array(domain).nullish(),
});

/** Variables that the reference asks for instead of an issuer. */
const ENDPOINTS = ['GENERIC_AUTHORIZATION_ENDPOINT', 'GENERIC_TOKEN_ENDPOINT', 'GENERIC_USERINFO_ENDPOINT'];

/** The settings of single sign-on; null when there are none, or when something is wrong, which is then a finding. */
export function readSignOn(document: ConfigDocument, findings: Findings): SignOnSettings | null {
  const isThere = document.valueAt(['sso']) != null;
  const written = isThere ? findings.parse(sectionSchema, ['sso']) : {};
  if (written === null) return null;
  const variable = (name: string): string | null => {
    const value = document.peek(name);
    return value === '' ? null : value;
  };
  const issuer = written.issuer ?? variable('GENERIC_ISSUER');
  const clientId = written.client_id ?? variable('GENERIC_CLIENT_ID');
  const baseUrl = written.base_url ?? variable('PROXY_BASE_URL');
  const path = ['sso'];
  if (issuer === null && !isThere) {
    if (clientId !== null || ENDPOINTS.some((name) => variable(name) !== null)) {
      findings.withoutPlace({
        severity: 'warning',
        code: 'sso_without_issuer',
        message:
          'single sign-on is off: GENERIC_ISSUER is not set. Set it to the address under which the provider describes itself (/.well-known/openid-configuration is added); the endpoints are found there',
        path,
      });
    }
    return null;
  }
  const problem = (key: string, name: string, message: string): null => {
    if (isThere) findings.error('invalid_value', [...path, ...(key in written ? [key] : [])], message);
    else
      findings.withoutPlace({
        severity: 'error',
        code: 'invalid_value',
        message: `${name}: ${message}`,
        path,
      });
    return null;
  };
  if (issuer === null) return problem('issuer', 'GENERIC_ISSUER', 'single sign-on needs an issuer');
  const issuerProblem = problemOfIssuer(issuer);
  if (issuerProblem !== null) return problem('issuer', 'GENERIC_ISSUER', issuerProblem);
  if (clientId === null) {
    return problem(
      'client_id',
      'GENERIC_CLIENT_ID',
      'single sign-on needs a client_id, which the provider gives',
    );
  }
  const base = baseUrl === null ? null : originOf(baseUrl);
  if (base === null) {
    return problem(
      'base_url',
      'PROXY_BASE_URL',
      'single sign-on needs base_url: where browsers reach this gateway, such as https://gateway.example.com',
    );
  }
  const domains = written.allowed_email_domains ?? listOf(variable('ALLOWED_EMAIL_DOMAINS'));
  return {
    issuer,
    clientId,
    clientSecret: written.client_secret ?? variable('GENERIC_CLIENT_SECRET'),
    scope: written.scope ?? variable('GENERIC_SCOPE') ?? 'openid email profile',
    baseUrl: base,
    label: written.label ?? 'Single sign-on',
    userIdClaim: written.user_id_claim ?? variable('GENERIC_USER_ID_ATTRIBUTE') ?? 'sub',
    emailClaim: written.email_claim ?? variable('GENERIC_USER_EMAIL_ATTRIBUTE') ?? 'email',
    nameClaim: written.name_claim ?? variable('GENERIC_USER_DISPLAY_NAME_ATTRIBUTE') ?? 'name',
    roleClaim: written.role_claim ?? variable('GENERIC_USER_ROLE_ATTRIBUTE'),
    // Without a table, a value is the name of the role itself, as in the reference.
    roles: written.roles ?? Object.fromEntries(ROLES.map((role) => [role, role])),
    teamClaim: written.team_claim ?? null,
    teams: written.teams ?? {},
    defaultRole: written.default_role ?? 'internal_user_viewer',
    createUsers: written.create_users ?? domains.length > 0,
    allowedEmailDomains: domains,
  };
}

/** Only a provider on this very machine may be spoken to without encryption. */
function problemOfIssuer(issuer: string): string | null {
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  if (url === null || url.username !== '' || url.search !== '' || url.hash !== '') {
    return 'expected the address of the provider, such as https://login.example.com';
  }
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) return null;
  return 'the provider must be spoken to with https';
}

function originOf(address: string): string | null {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url !== null && /^https?:$/u.test(url.protocol) ? url.origin : null;
}

function listOf(value: string | null): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
}
