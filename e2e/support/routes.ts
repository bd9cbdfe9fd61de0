import type { ControlContext } from '../../packages/server/src/control/context.ts';
import { controlRoutes } from '../../packages/server/src/control/routes.ts';

/** Routes are declared before anything is asked of a context. */
const nothing = new Proxy(() => nothing, { get: () => nothing }) as unknown as ControlContext;

/** The declarations of all management routes; their handlers do nothing. */
export const declaredRoutes = controlRoutes(nothing);
