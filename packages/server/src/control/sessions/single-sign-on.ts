import { PortcullisError, type SsoStart, ssoStartSchema } from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import {
  MEMORY_MS,
  type SignedOn,
  SignOnProblem,
  type SignOnSettings,
  type SingleSignOn,
} from '../../ports/sso.ts';
import type { UserRecord } from '../../ports/users.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { Route, RouteAnswer } from '../route.ts';
import { isTeamMember } from '../teams/access.ts';
import { join, leave } from '../users/membership.ts';
import { userRow } from '../users/shape.ts';
import { memoryCookie } from './cookie.ts';
import type { LoginGuard } from './guard.ts';
import { type Opened, openedAnswer, openSession } from './open.ts';

/** `GET /sso/key/generate`, under the name of the reference: sends the browser to the identity provider. */
export function ssoStartRoute({ signIn }: ControlContext): Route<unknown, SsoStart> {
  return {
    method: 'GET',
    path: '/sso/key/generate',
    permission: 'open',
    query: ssoStartSchema,
    async handler({ query, client }) {
      const sso = required(signIn.sso);
      const { url, memory } = await begun(sso, returnPath(query.return_to));
      return {
        status: 302,
        body: { redirect_url: url },
        headers: { location: url, 'set-cookie': memoryCookie(memory, client.isSecure, MEMORY_MS) },
      };
    },
  };
}

/** `GET /sso/callback`: the browser comes back from the provider, and gets its session. */
export function ssoCallbackRoute(context: ControlContext, guard: LoginGuard): Route {
  const { signIn, clock, database } = context;
  return {
    method: 'GET',
    path: '/sso/callback',
    permission: 'open',
    async handler({ client, callId }) {
      const sso = required(signIn.sso);
      const forget = memoryCookie('', client.isSecure, 0);
      try {
        await guard.countReturn(client.address);
        const { person, returnTo } = await sso.finish(client.search, client.ssoMemory);
        const about: About = {
          nowMs: clock.now(),
          callId,
          // Whoever runs the provider was given this power by the configuration.
          actor: { by: `sso ${sso.settings.issuer}`, role: 'proxy_admin' },
        };
        const opened = await database.transaction((stores) => admit(stores, person, sso.settings, about));
        return landing(opened, returnTo, client.isSecure, forget);
      } catch (error) {
        if (!(error instanceof SignOnProblem)) throw error;
        throw refusal(error, { 'set-cookie': forget });
      }
    },
  };
}

async function begun(sso: SingleSignOn, returnTo: string): ReturnType<SingleSignOn['begin']> {
  try {
    return await sso.begin(returnTo);
  } catch (error) {
    throw error instanceof SignOnProblem ? refusal(error, {}) : error;
  }
}

interface About {
  readonly nowMs: number;
  readonly callId: string;
  readonly actor: Actor;
}

/** Back to the page that was asked for, with the session. */
function landing(opened: Opened, returnTo: string, isSecure: boolean, forget: string): RouteAnswer {
  const { body, headers } = openedAnswer(opened, 'sso', isSecure);
  const session = headers?.['set-cookie'];
  return {
    status: 303,
    body,
    headers: {
      location: returnTo,
      'set-cookie': [...(typeof session === 'string' ? [session] : (session ?? [])), forget],
    },
  };
}

/** The user whom the provider means: known already, or of the same verified address, or new where that is allowed. */
async function admit(
  stores: Stores,
  person: SignedOn,
  settings: SignOnSettings,
  about: About,
): Promise<Opened> {
  const known = await stores.users.findBySubject(person.subject);
  const found =
    known ?? (await linked(stores, person, about)) ?? (await created(stores, person, settings, about));
  const user = await withRole(stores, found, person, about);
  if (person.teamIds !== null) await syncTeams(stores, user, person.teamIds, settings, about);
  return openSession(stores, { method: 'sso', user, credential: null }, about);
}

/** A user with this address whom no other identity has. The provider has verified the address, or it would be null. */
async function linked(stores: Stores, person: SignedOn, about: About): Promise<UserRecord | null> {
  const { email, subject } = person;
  const user = email === null ? null : await stores.users.findByEmail(email);
  if (user === null) return null;
  const locked = await stores.users.findForUpdate(user.userId);
  if (locked === null || (locked.ssoSubject ?? null) !== null) {
    throw new SignOnProblem('denied', 'The user of this address signs in with another identity.');
  }
  await stores.users.update(user.userId, { ssoSubject: subject, ...written(about) });
  await record(stores, 'user.sso_link', user.userId, locked, { ...locked, ssoSubject: subject }, about);
  return { ...locked, ssoSubject: subject };
}

async function created(
  stores: Stores,
  person: SignedOn,
  { createUsers, defaultRole }: SignOnSettings,
  about: About,
): Promise<UserRecord> {
  if (!createUsers) {
    throw new SignOnProblem(
      'denied',
      'You are no user of this gateway: ask an administrator to make you one.',
    );
  }
  const fresh = {
    userId: person.userId,
    email: person.email,
    alias: person.name,
    role: person.role ?? defaultRole,
    passwordHash: null,
    ssoSubject: person.subject,
    models: [],
    metadata: {},
    limits: {},
    createdAtMs: about.nowMs,
    createdBy: about.actor.by,
    updatedAtMs: about.nowMs,
    updatedBy: about.actor.by,
  };
  if ((await stores.users.insert(fresh)) !== 'inserted') {
    // Who has the same name at the provider is not thereby the same person.
    throw new SignOnProblem(
      'denied',
      `There is a user ${person.userId} already, who is not linked to this identity: an administrator can give that user your verified address.`,
    );
  }
  const { passwordHash, ...rest } = fresh;
  const user: UserRecord = { ...rest, hasPassword: passwordHash !== null };
  await record(stores, 'user.new', user.userId, null, user, about);
  return user;
}

/** With a role claim the provider says each time what somebody may; older sessions must not know better. */
async function withRole(
  stores: Stores,
  user: UserRecord,
  { role }: SignedOn,
  about: About,
): Promise<UserRecord> {
  if (role === null || role === user.role) return user;
  await stores.users.update(user.userId, { role, ...written(about) });
  await stores.sessions.deleteOf([user.userId]);
  const after = { ...user, role };
  await record(stores, 'user.update', user.userId, user, after, about);
  return after;
}

/** Into the teams that are claimed; out of those that the table knows and that are claimed no longer. */
async function syncTeams(
  stores: Stores,
  user: UserRecord,
  teamIds: readonly string[],
  { teams }: SignOnSettings,
  about: About,
): Promise<void> {
  const managed = new Set(Object.values(teams));
  // In one order everywhere, so that two logins never wait for each other's rows.
  for (const teamId of [...new Set([...teamIds, ...managed])].sort()) {
    const team = await stores.teams.find(teamId);
    if (team === null) continue;
    const isMember = isTeamMember(team, user.userId);
    if (teamIds.includes(teamId) && !isMember) await join(stores, teamId, 'user', user, about);
    if (!teamIds.includes(teamId) && isMember) await leave(stores, teamId, user.userId, about);
  }
}

function written({ nowMs, actor }: About): { readonly updatedAtMs: number; readonly updatedBy: string } {
  return { updatedAtMs: nowMs, updatedBy: actor.by };
}

async function record(
  { audit }: Stores,
  action: string,
  userId: string,
  before: UserRecord | null,
  after: UserRecord,
  { nowMs, actor, callId }: About,
): Promise<void> {
  await audit.append({
    atMs: nowMs,
    actor,
    action,
    object: { type: 'user', id: userId },
    before: before === null ? null : userRow(before),
    after: userRow(after),
    refused: null,
    callId,
  });
}

function required(sso: SingleSignOn | null): SingleSignOn {
  if (sso !== null) return sso;
  throw new PortcullisError('sso_not_configured', 'This gateway has no single sign-on.');
}

function refusal(problem: SignOnProblem, headers: Readonly<Record<string, string>>): PortcullisError {
  const codes = { denied: 'sso_failed', invalid: 'sso_invalid', away: 'sso_unavailable' } as const;
  return new PortcullisError(codes[problem.kind], problem.message, { cause: problem, headers });
}

const HOME = '/ui';

/** A page of this gateway, whatever was asked for: never an address elsewhere. */
function returnPath(wanted: string | undefined): string {
  if (wanted === undefined || !wanted.startsWith('/') || !URL.canParse(wanted, 'http://here.invalid'))
    return HOME;
  const url = new URL(wanted, 'http://here.invalid');
  const isHere =
    url.origin === 'http://here.invalid' && (url.pathname === HOME || url.pathname.startsWith(`${HOME}/`));
  return isHere ? url.pathname + url.search + url.hash : HOME;
}
