import { attachmentRoutes } from './attachments.ts';
import { guardrailRoutes } from './guardrails.ts';
import { policyRoutes } from './policies.ts';
import { principalRoutes } from './principals.ts';
import { recordRoutes } from './records.ts';
import { sessionRoutes } from './sessions.ts';

/**
 * Every management route by method and path: what it takes and what it answers. The description of the gateway
 * (`/openapi.json`) and the typed client are both made from this table, and the routes are checked against it.
 */
export const ROUTES = {
  ...policyRoutes,
  ...attachmentRoutes,
  ...guardrailRoutes,
  ...principalRoutes,
  ...recordRoutes,
  ...sessionRoutes,
} as const;

export type RouteTable = typeof ROUTES;
export type RouteName = keyof RouteTable;
