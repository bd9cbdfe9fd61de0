import type { ControlContext } from './context.ts';
import { deleteKeysRoute } from './keys/delete.ts';
import { generateKeyRoute, serviceAccountKeyRoute } from './keys/generate.ts';
import { keyHealthRoute } from './keys/health.ts';
import { keyInfoRoute, keyListRoute } from './keys/read.ts';
import { regenerateKeyRoute } from './keys/regenerate.ts';
import { blockKeyRoute, updateKeyRoute } from './keys/update.ts';
import { deleteTagRoute, newTagRoute, tagInfoRoute, tagListRoute, updateTagRoute } from './tags/routes.ts';
import { deleteTeamsRoute } from './teams/delete.ts';
import { addMembersRoute, deleteMemberRoute, teamModelsRoute, updateMemberRoute } from './teams/members.ts';
import { teamPoliciesRoute } from './teams/policies.ts';
import { teamInfoRoute, teamListRoute, teamPageRoute } from './teams/read.ts';
import { blockTeamRoute, newTeamRoute, patchTeamRoute, updateTeamRoute } from './teams/write.ts';
import { availableRolesRoute, userInfoRoute, userListRoute } from './users/read.ts';
import { deleteUsersRoute, newUserRoute, updateUserRoute } from './users/write.ts';
import type { Route } from './route.ts';

/** Keys, teams, users and tags. */
export function principalRoutes(context: ControlContext): readonly Route[] {
  return [
    generateKeyRoute(context),
    serviceAccountKeyRoute(context),
    regenerateKeyRoute(context, '/key/regenerate'),
    regenerateKeyRoute(context, '/key/:key/regenerate'),
    keyHealthRoute(context),
    keyInfoRoute(context),
    keyListRoute(context),
    updateKeyRoute(context),
    deleteKeysRoute(context),
    blockKeyRoute(context, true),
    blockKeyRoute(context, false),
    newTeamRoute(context),
    teamInfoRoute(context),
    teamPoliciesRoute(context),
    teamListRoute(context),
    updateTeamRoute(context),
    blockTeamRoute(context, true),
    blockTeamRoute(context, false),
    patchTeamRoute(context),
    deleteTeamsRoute(context),
    teamPageRoute(context),
    addMembersRoute(context),
    updateMemberRoute(context),
    deleteMemberRoute(context),
    teamModelsRoute(context, true),
    teamModelsRoute(context, false),
    newUserRoute(context),
    userInfoRoute(context),
    userListRoute(context),
    updateUserRoute(context),
    deleteUsersRoute(context),
    availableRolesRoute(context),
    newTagRoute(context),
    updateTagRoute(context),
    tagInfoRoute(context),
    tagListRoute(context),
    deleteTagRoute(context),
  ];
}
