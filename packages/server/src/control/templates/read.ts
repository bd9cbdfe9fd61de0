import type { Route } from '../route.ts';
import { templates } from './catalogue.ts';

/** `GET /policy/templates`: those of this version of the program, without a network (D-64). */
export function listTemplatesRoute(): Route {
  return {
    method: 'GET',
    path: '/policy/templates',
    permission: 'admin_viewer',
    handler: () => Promise.resolve({ body: templates() }),
  };
}
