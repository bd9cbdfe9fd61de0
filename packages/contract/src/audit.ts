import { z } from 'zod';

/** Query of `GET /audit/log`: `before` is `next` of the page before. */
export const auditLogQuerySchema = z.strictObject({
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export type AuditLogQuery = z.infer<typeof auditLogQuerySchema>;
