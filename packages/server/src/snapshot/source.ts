import { type Guardrail, mergeObjects } from '@portcullis/policy';
import type { StoredDocuments } from '../ports/policy-store.ts';
import type { SnapshotSource } from './build.ts';

/**
 * What a snapshot is made of: the configuration and the documents of the database at one revision, with open secrets (S7).
 * @throws SecretProblem naming the guardrail whose secret cannot be opened.
 */
export function mergedSource(
  config: SnapshotSource,
  stored: Pick<StoredDocuments, 'policies' | 'attachments' | 'guardrails'>,
  open: (guardrail: Guardrail) => Guardrail,
): SnapshotSource {
  const { policies, attachments, guardrails } = mergeObjects(config, {
    policies: stored.policies.map(({ policy }) => policy),
    attachments: stored.attachments.map(({ attachment }) => attachment),
    guardrails: stored.guardrails.map(({ guardrail }) => open(guardrail)),
  });
  return { ...config, policies, attachments, guardrails };
}
