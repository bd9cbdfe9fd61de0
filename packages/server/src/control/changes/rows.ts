import type { Attachment, Policy } from '@portcullis/policy';
import type { StoredAttachment, StoredPolicy } from '../../ports/policy-store.ts';

type Row = Readonly<Record<string, unknown>>;

/** A version in the words of the reference. What only a list of all versions can tell is added by the routes. */
export function policyRow(stored: StoredPolicy): Row {
  return {
    ...policyFields(stored.policy),
    parent_version_id: stored.parentVersionId,
    published_at: isoOf(stored.publishedAtMs),
    production_at: isoOf(stored.productionAtMs),
    created_at: isoOf(stored.createdAtMs),
    created_by: stored.createdBy,
    updated_at: isoOf(stored.updatedAtMs),
    updated_by: stored.updatedBy,
    note: stored.note,
  };
}

/** A policy of the configuration file in the same words: its id is its name, and nobody is known to have written it. */
export function configPolicyRow(policy: Policy, shadowedBy: string | null): Row {
  return {
    ...policyFields(policy),
    parent_version_id: null,
    published_at: null,
    production_at: null,
    created_at: null,
    created_by: null,
    updated_at: null,
    updated_by: null,
    note: null,
    is_latest: true,
    ...(shadowedBy === null ? {} : { shadowed_by: shadowedBy }),
  };
}

function policyFields(policy: Policy): Row {
  return { ...policy };
}

/** An attachment in the words of the reference; `tags` in the form in which it was written (M5). */
export function attachmentRow(stored: StoredAttachment): Row {
  return {
    ...stored.attachment,
    created_at: isoOf(stored.createdAtMs),
    created_by: stored.createdBy,
    updated_at: isoOf(stored.updatedAtMs),
    updated_by: stored.updatedBy,
  };
}

/** An attachment of the configuration file. */
export function configAttachmentRow(attachment: Attachment): Row {
  return { ...attachment, created_at: null, created_by: null, updated_at: null, updated_by: null };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
