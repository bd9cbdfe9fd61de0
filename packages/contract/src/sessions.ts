import { z } from 'zod';
import { passwordSchema } from './users.ts';
import { textSchema } from './protection.ts';

/** A password as somebody types it to get in: what it must look like is nobody's business here. */
const typedSchema = z.string().min(1).max(1_024);

/**
 * Body of `POST /login`: the admin key alone, or the address of a user with the password. `username` is the word of the
 * reference for the address; with `admin` the password is the admin key, as there.
 */
export const loginSchema = z
  .strictObject({
    key: typedSchema.optional(),
    username: typedSchema.optional(),
    user_email: typedSchema.optional(),
    password: typedSchema.optional(),
  })
  .refine(
    ({ key, username, user_email, password }) =>
      key === undefined
        ? (username === undefined) !== (user_email === undefined) && password !== undefined
        : username === undefined && user_email === undefined && password === undefined,
    { path: ['key'], message: 'give the admin key as key, or else user_email (or username) and password' },
  );
export type Login = z.infer<typeof loginSchema>;

/** Query of `GET /sso/key/generate`: the page of this gateway to come back to. */
export const ssoStartSchema = z.strictObject({ return_to: z.string().max(2_048).optional() });
export type SsoStart = z.infer<typeof ssoStartSchema>;

/** Body of `POST /logout`; `everywhere` ends all sessions of the caller. */
export const logoutSchema = z.strictObject({ everywhere: z.boolean().default(false) }).default({
  everywhere: false,
});
export type Logout = z.infer<typeof logoutSchema>;

/** Body of `POST /user/password`: the own password; every other session of the caller ends. */
export const ownPasswordSchema = z.strictObject({
  current_password: typedSchema,
  new_password: passwordSchema,
});
export type OwnPassword = z.infer<typeof ownPasswordSchema>;

/** Body of `POST /invitation/new`. */
export const newInvitationSchema = z.strictObject({ user_id: textSchema });
export type NewInvitation = z.infer<typeof newInvitationSchema>;

/** Query of `GET /invitation/info`. */
export const invitationQuerySchema = z.strictObject({ invitation_id: textSchema });
export type InvitationQuery = z.infer<typeof invitationQuerySchema>;

/** Body of `POST /invitation/delete`. */
export const deleteInvitationSchema = z.strictObject({ invitation_id: textSchema });
export type DeleteInvitation = z.infer<typeof deleteInvitationSchema>;

/** Query of `GET /onboarding/get_token`. */
export const onboardingQuerySchema = z.strictObject({ invite_link: typedSchema });
export type OnboardingQuery = z.infer<typeof onboardingQuerySchema>;

/** Body of `POST /onboarding/claim_token`: the first password of an invited user. */
export const claimInvitationSchema = z.strictObject({
  invitation_link: typedSchema,
  user_id: textSchema.optional(),
  password: passwordSchema,
});
export type ClaimInvitation = z.infer<typeof claimInvitationSchema>;
