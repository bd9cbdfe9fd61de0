import {
  type ClaimInvitation,
  claimInvitationSchema,
  type DeleteInvitation,
  deleteInvitationSchema,
  type InvitationQuery,
  invitationQuerySchema,
  type NewInvitation,
  newInvitationSchema,
  type OnboardingQuery,
  onboardingQuerySchema,
  PortcullisError,
} from '@portcullis/contract';
import type { Stores } from '../../ports/database.ts';
import type { InvitationRecord } from '../../ports/sessions.ts';
import { actorOf, type ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { hashPassword } from '../users/password.ts';
import { userNotFound } from '../users/read.ts';
import type { LoginGuard } from './guard.ts';
import { openedAnswer, openSession } from './open.ts';
import { newToken, tokenHash } from './secrets.ts';

/** As in the reference. */
const INVITATION_MS = 7 * 86_400_000;

/** `POST /invitation/new`: a link with which a user chooses a password. The only answer that shows its secret. */
export function newInvitationRoute({ database, clock }: ControlContext): Route<NewInvitation> {
  return {
    method: 'POST',
    path: '/invitation/new',
    permission: 'admin',
    body: newInvitationSchema,
    async handler({ body, identity, callId }) {
      const secret = newToken();
      const nowMs = clock.now();
      const { by, role } = actorOf(identity);
      const invitation: InvitationRecord = {
        hash: tokenHash(secret),
        userId: body.user_id,
        createdAtMs: nowMs,
        createdBy: by,
        expiresAtMs: nowMs + INVITATION_MS,
        acceptedAtMs: null,
      };
      await database.transaction(async (stores) => {
        if ((await stores.users.findForUpdate(body.user_id)) === null) throw userNotFound(body.user_id);
        await stores.invitations.insert(invitation);
        await stores.audit.append({
          atMs: nowMs,
          actor: { by, role },
          action: 'invitation.new',
          object: { type: 'invitation', id: invitation.hash },
          before: null,
          after: invitationRow(invitation, invitation.hash),
          refused: null,
          callId,
        });
      });
      return {
        body: { ...invitationRow(invitation, secret), link: `/ui?invitation_id=${secret}` },
      };
    },
  };
}

/** `GET /invitation/info`: by its secret, or by the hash that the audit log names. */
export function invitationInfoRoute({ database }: ControlContext): Route<unknown, InvitationQuery> {
  return {
    method: 'GET',
    path: '/invitation/info',
    permission: 'admin_viewer',
    query: invitationQuerySchema,
    async handler({ query }) {
      const found = await database.stores.invitations.find(hashOf(query.invitation_id));
      if (found === null) throw notFound();
      return { body: invitationRow(found, found.hash) };
    },
  };
}

/** `POST /invitation/delete`. */
export function deleteInvitationRoute({ database, clock }: ControlContext): Route<DeleteInvitation> {
  return {
    method: 'POST',
    path: '/invitation/delete',
    permission: 'admin',
    body: deleteInvitationSchema,
    async handler({ body, identity, callId }) {
      const hash = hashOf(body.invitation_id);
      const row = await database.transaction(async (stores) => {
        const found = await stores.invitations.findForUpdate(hash);
        if (found === null) throw notFound();
        await stores.invitations.delete(hash);
        const before = invitationRow(found, hash);
        await stores.audit.append({
          atMs: clock.now(),
          actor: actorOf(identity),
          action: 'invitation.delete',
          object: { type: 'invitation', id: hash },
          before,
          after: null,
          refused: null,
          callId,
        });
        return before;
      });
      return { body: row };
    },
  };
}

/** `GET /onboarding/get_token`: whom a link is for, so that its page can say so. */
export function onboardingRoute({ database, clock }: ControlContext): Route<unknown, OnboardingQuery> {
  return {
    method: 'GET',
    path: '/onboarding/get_token',
    permission: 'open',
    query: onboardingQuerySchema,
    async handler({ query }) {
      const { stores } = database;
      const found = await stores.invitations.find(tokenHash(query.invite_link));
      const invitation = openInvitation(found, clock.now());
      const user = await stores.users.find(invitation.userId);
      return {
        body: {
          user_id: invitation.userId,
          user_email: user?.email ?? null,
          expires_at: new Date(invitation.expiresAtMs).toISOString(),
        },
      };
    },
  };
}

/** `POST /onboarding/claim_token`: takes an invitation, sets the password, and signs in. */
export function claimInvitationRoute(
  { database, clock }: ControlContext,
  guard: LoginGuard,
): Route<ClaimInvitation> {
  return {
    method: 'POST',
    path: '/onboarding/claim_token',
    permission: 'open',
    body: claimInvitationSchema,
    async handler({ body, client, callId }) {
      const hash = tokenHash(body.invitation_link);
      const nowMs = clock.now();
      const passwordHash = await guard.attempt(client.address, null, async () => {
        // Asked before the work of a hash is done for nothing.
        openInvitation(await database.stores.invitations.find(hash), nowMs);
        return hashPassword(body.password);
      });
      const opened = await database.transaction(async (stores) => {
        const { userId } = openInvitation(await stores.invitations.findForUpdate(hash), nowMs);
        const user = await stores.users.findForUpdate(userId);
        if (user === null || (body.user_id !== undefined && body.user_id !== userId)) throw invalid();
        await stores.invitations.accept(hash, nowMs);
        await stores.users.update(userId, { passwordHash, updatedAtMs: nowMs, updatedBy: userId });
        await stores.sessions.deleteOf([userId]);
        await recordClaim(stores, hash, { userId, role: user.role }, { nowMs, callId });
        return openSession(stores, { method: 'password', user, credential: null }, { nowMs, callId });
      });
      return openedAnswer(opened, 'password', client.isSecure);
    },
  };
}

async function recordClaim(
  { audit }: Stores,
  hash: string,
  {
    userId,
    role,
  }: { readonly userId: string; readonly role: Parameters<typeof audit.append>[0]['actor']['role'] },
  { nowMs, callId }: { readonly nowMs: number; readonly callId: string },
): Promise<void> {
  await audit.append({
    atMs: nowMs,
    actor: { by: userId, role },
    action: 'invitation.claim',
    object: { type: 'invitation', id: hash },
    before: null,
    after: { user_id: userId },
    refused: null,
    callId,
  });
}

function openInvitation(found: InvitationRecord | null, nowMs: number): InvitationRecord {
  // One answer for all of them: whoever guesses learns nothing.
  if (found === null || found.acceptedAtMs !== null || found.expiresAtMs <= nowMs) throw invalid();
  return found;
}

function invalid(): PortcullisError {
  return new PortcullisError(
    'invitation_invalid',
    'This invitation does not exist, has been taken already or has expired.',
  );
}

function notFound(): PortcullisError {
  return new PortcullisError('not_found', 'There is no such invitation.', { param: 'invitation_id' });
}

function hashOf(reference: string): string {
  return /^[0-9a-f]{64}$/u.test(reference) ? reference : tokenHash(reference);
}

function invitationRow(invitation: InvitationRecord, id: string): Readonly<Record<string, unknown>> {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id,
    user_id: invitation.userId,
    is_accepted: invitation.acceptedAtMs !== null,
    accepted_at: iso(invitation.acceptedAtMs),
    expires_at: iso(invitation.expiresAtMs),
    created_at: iso(invitation.createdAtMs),
    created_by: invitation.createdBy,
  };
}
