import { describe, expect, test } from 'vitest';
import { mergeObjects, type PolicyObjects } from './merge.ts';
import { attachmentSchema } from './schema/attachment.ts';
import { policySchema, type VersionStatus } from './schema/policy.ts';

const policy = (name: string, id = name, status: VersionStatus = 'production') =>
  policySchema.parse({
    policy_id: id,
    policy_name: name,
    version_status: status,
    definition_location: id === name ? 'config' : 'db',
  });
const attachment = (id: string) =>
  attachmentSchema.parse({ attachment_id: id, policy_name: 'p', scope: '*' });
const objects = (over: Partial<PolicyObjects> = {}): PolicyObjects => ({
  policies: [],
  attachments: [],
  guardrails: [],
  ...over,
});

describe('the configuration and the database together', () => {
  test('a production policy of the database wins over the configuration policy of its name, and says so (S7)', () => {
    const config = objects({ policies: [policy('p'), policy('q')] });
    const merged = mergeObjects(config, objects({ policies: [policy('p', 'db-1')] }));
    expect(merged.policies.map(({ policy_id }) => policy_id)).toEqual(['q', 'db-1']);
    expect(merged.shadowed).toEqual(new Map([['p', 'db-1']]));
  });

  test.each(['draft', 'published'] as const)(
    'a %s version of the database hides nothing (S7, D-78)',
    (status) => {
      const merged = mergeObjects(
        objects({ policies: [policy('p')] }),
        objects({ policies: [policy('p', 'db-1', status)] }),
      );
      expect(merged.policies.map(({ policy_id }) => policy_id)).toEqual(['p', 'db-1']);
      expect(merged.shadowed.size).toBe(0);
    },
  );

  test('attachments of both places count, those of the configuration first (D-78, H2)', () => {
    const merged = mergeObjects(
      objects({ attachments: [attachment('config-0')] }),
      objects({ attachments: [attachment('db')] }),
    );
    expect(merged.attachments.map(({ attachment_id }) => attachment_id)).toEqual(['config-0', 'db']);
  });
});
