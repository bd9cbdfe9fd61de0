import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';
import { loginGuard } from './guard.ts';
import {
  claimInvitationRoute,
  deleteInvitationRoute,
  invitationInfoRoute,
  newInvitationRoute,
  onboardingRoute,
} from './invitations.ts';
import { loginOptionsRoute, loginRoute } from './login.ts';
import { ssoCallbackRoute, ssoStartRoute } from './single-sign-on.ts';
import { logoutRoute, ownPasswordRoute, sessionRoute } from './own.ts';

/** Signing in and out, and choosing passwords. */
export function sessionRoutes(context: ControlContext): readonly Route[] {
  const guard = loginGuard(context.signIn.attempts);
  return [
    loginRoute(context, guard, '/login'),
    loginRoute(context, guard, '/v2/login'),
    loginOptionsRoute(context),
    ssoStartRoute(context),
    ssoCallbackRoute(context, guard),
    logoutRoute(context),
    sessionRoute(context),
    ownPasswordRoute(context, guard),
    newInvitationRoute(context),
    invitationInfoRoute(context),
    deleteInvitationRoute(context),
    onboardingRoute(context),
    claimInvitationRoute(context, guard),
  ];
}
