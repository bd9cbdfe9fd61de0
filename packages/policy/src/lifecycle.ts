/** The life of a policy version: one transition table for code, docs, errors and tests (V1, V4). */
import { VERSION_STATUSES, type VersionStatus } from './schema/policy.ts';

/** What a status change means, or why it is refused. */
export type Transition =
  | { readonly allowed: true; readonly to: VersionStatus; readonly change: 'publish' | 'promote' | 'demote' }
  | { readonly allowed: false; readonly message: string };

const allowed = (to: VersionStatus, change: 'publish' | 'promote' | 'demote'): Transition => ({
  allowed: true,
  to,
  change,
});
const refused = (message: string): Transition => ({ allowed: false, message });
const invalidStatus = (status: string) =>
  refused(`Invalid status '${status}'. Use 'published' or 'production'.`);

/** Every pair of states. Promotion demotes the version of that name which was in production. */
export const TRANSITIONS: Readonly<Record<VersionStatus, Readonly<Record<VersionStatus, Transition>>>> = {
  draft: {
    draft: invalidStatus('draft'),
    published: allowed('published', 'publish'),
    production: refused('Cannot promote draft directly to production. Publish the version first.'),
  },
  published: {
    draft: invalidStatus('draft'),
    published: refused("Only draft versions can be published. Current status: 'published'."),
    production: allowed('production', 'promote'),
  },
  production: {
    draft: invalidStatus('draft'),
    published: allowed('published', 'demote'),
    production: refused(
      "Only draft or published versions can be promoted to production. Current: 'production'.",
    ),
  },
};

/** What happens when a version is given a status, for any text that a client may send. */
export function transition(from: VersionStatus, to: string): Transition {
  const status = VERSION_STATUSES.find((known) => known === to);
  return status === undefined ? invalidStatus(to) : TRANSITIONS[from][status];
}

export const EDIT_REFUSED =
  'Only draft versions can be updated. Publish or create a new version to change published/production.';

/** Why a version of this status cannot be edited, or `null` (V4). */
export function editProblem(status: VersionStatus): string | null {
  return status === 'draft' ? null : EDIT_REFUSED;
}
