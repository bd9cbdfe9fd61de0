import type { HookTrial } from '../../ports/guardrail-tools.ts';
import type { Principal } from '@portcullis/policy';

/** What guardrails and their services are told of a trial. Its call id says that it is one (D-77). */
export function trialFacts(
  callId: string,
  { key_hash, key_alias, team_id, team_alias, user_id }: Principal,
  model: string | null,
  body: unknown,
): HookTrial['facts'] {
  return {
    callId: `test-${callId}`,
    model,
    keyHash: key_hash,
    keyAlias: key_alias?.value ?? null,
    userId: user_id,
    userEmail: null,
    teamId: team_id,
    teamAlias: team_alias,
    endUserId: null,
    organizationId: null,
    headers: {},
    body,
  };
}
