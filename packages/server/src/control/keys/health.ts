import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** `POST /key/health`: whether the caller's own key works, which it shows by being answered. */
export function keyHealthRoute(_context: ControlContext): Route {
  return {
    method: 'POST',
    path: '/key/health',
    permission: 'any_key',
    async handler() {
      // Keys have no callbacks of their own here.
      return { body: { key: 'healthy', logging_callbacks: null } };
    },
  };
}
