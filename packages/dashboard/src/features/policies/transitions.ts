import { TRANSITIONS, type VersionStatus } from '@portcullis/policy';
import type { PolicyRow } from '../../api/policies.ts';

export type StatusChange = 'publish' | 'promote' | 'demote';

/** What may become of a version now, by the engine's own table (V1). One of the file can only be read (S7). */
export function changesOf(
  row: PolicyRow,
): readonly { readonly change: StatusChange; readonly to: VersionStatus }[] {
  if (row.definition_location === 'config') return [];
  return Object.values(TRANSITIONS[row.version_status]).flatMap((step) =>
    step.allowed ? [{ change: step.change, to: step.to }] : [],
  );
}

export const CHANGE_WORDS: Readonly<
  Record<StatusChange, { readonly action: string; readonly done: string; readonly explains: string }>
> = {
  publish: {
    action: 'Publish',
    done: 'is published',
    explains: 'A published version can never be edited again; it runs only where a request names it exactly.',
  },
  promote: {
    action: 'Promote to production',
    done: 'is in production',
    explains:
      'From this moment every request the policy applies to gets this version. The one before stays published.',
  },
  demote: {
    action: 'Demote',
    done: 'is no longer in production',
    explains:
      'The policy then has no version in production, and its attachments have no effect until one is promoted.',
  },
};
