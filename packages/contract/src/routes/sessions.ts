import { z } from 'zod';
import * as wire from '../sessions.ts';
import { momentAnswer, momentOrNull, type RouteContract } from './route.ts';

const whoShape = {
  user_id: z.string(),
  user_email: z.string().nullable(),
  user_role: z.string(),
  login_method: z.string(),
};

/** The session itself is in a cookie that no script reads. */
const openedSchema = z.object({
  ...whoShape,
  /** What writes carry in the header `x-csrf-token`. */
  csrf_token: z.string(),
  expires_at: momentAnswer,
  redirect_url: z.string(),
});

const invitationSchema = z.object({
  /** The secret in the answer that makes it, its hash in every other. */
  id: z.string(),
  user_id: z.string(),
  is_accepted: z.boolean(),
  accepted_at: momentOrNull,
  expires_at: momentAnswer,
  created_at: momentAnswer,
  created_by: z.string(),
});

/** Signing in and out, and choosing passwords. */
export const sessionRoutes = {
  'POST /login': { body: wire.loginSchema, answer: openedSchema },
  'POST /v2/login': { body: wire.loginSchema, answer: openedSchema },
  'GET /login/options': {
    answer: z.object({
      admin_key: z.boolean(),
      password: z.boolean(),
      /** The button for it; null without an identity provider. */
      sso: z.object({ label: z.string(), url: z.string() }).nullable(),
    }),
  },
  /** Also the header `location`. */
  'GET /sso/key/generate': { query: wire.ssoStartSchema, answer: z.object({ redirect_url: z.string() }) },
  'GET /sso/callback': { answer: openedSchema },
  'POST /logout': { body: wire.logoutSchema, answer: z.object({ logged_out: z.literal(true) }) },
  'GET /session': {
    answer: z.object({
      ...whoShape,
      user_id: z.string().nullable(),
      teams: z.array(
        z.object({
          team_id: z.string(),
          team_alias: z.string().nullable(),
          role: z.enum(['admin', 'user']),
        }),
      ),
      /** Null for a caller with a key. */
      csrf_token: z.string().nullable(),
      expires_at: momentOrNull,
    }),
  },
  'POST /user/password': {
    body: wire.ownPasswordSchema,
    /** With a key there is no session that begins anew. */
    answer: z.union([openedSchema, z.object({ user_id: z.string() })]),
  },
  'POST /invitation/new': {
    body: wire.newInvitationSchema,
    answer: invitationSchema.extend({ link: z.string() }),
  },
  'GET /invitation/info': { query: wire.invitationQuerySchema, answer: invitationSchema },
  'POST /invitation/delete': { body: wire.deleteInvitationSchema, answer: invitationSchema },
  'GET /onboarding/get_token': {
    query: wire.onboardingQuerySchema,
    answer: z.object({ user_id: z.string(), user_email: z.string().nullable(), expires_at: momentAnswer }),
  },
  'POST /onboarding/claim_token': { body: wire.claimInvitationSchema, answer: openedSchema },
} as const satisfies Record<string, RouteContract>;
