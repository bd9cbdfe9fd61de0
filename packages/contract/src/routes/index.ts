import { attachmentRoutes } from './attachments.ts';
import { guardrailRoutes } from './guardrails.ts';
import { modelRoutes } from './models.ts';
import { policyRoutes } from './policies.ts';
import { principalRoutes } from './principals.ts';
import { recordRoutes } from './records.ts';
import { sessionRoutes } from './sessions.ts';
import { templateRoutes } from './templates.ts';

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
  ...templateRoutes,
  ...modelRoutes,
} as const;

export type RouteTable = typeof ROUTES;
/** The routes that answer one JSON value, which is what the client reads. */
export type RouteName = {
  [Name in keyof RouteTable]: RouteTable[Name] extends { readonly isEventStream: true } ? never : Name;
}[keyof RouteTable];
