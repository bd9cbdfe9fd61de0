import type { UserRecord } from '../../ports/users.ts';
import { limitsShown, type Seen } from '../limits.ts';

/** Where a user's spending is kept. */
export function accountOfUser({ userId }: Pick<UserRecord, 'userId'>): string {
  return `user:${userId}`;
}

/** A user as every route shows it: everything but the password. */
export function userRow(user: UserRecord, seen: Seen | null = null): Readonly<Record<string, unknown>> {
  return {
    user_id: user.userId,
    user_email: user.email,
    user_alias: user.alias,
    user_role: user.role,
    models: user.models,
    metadata: user.metadata,
    has_password: user.hasPassword,
    ...limitsShown(user.limits, accountOfUser(user), seen),
    created_at: new Date(user.createdAtMs).toISOString(),
    created_by: user.createdBy,
    updated_at: new Date(user.updatedAtMs).toISOString(),
    updated_by: user.updatedBy,
  };
}
