/** Checks one policy version by itself, with the rules the compiler uses at load (I4, I5). */
import { checkPolicy } from './check-policies.ts';
import { Findings } from './findings.ts';
import type { Finding } from './schema/documents.ts';
import type { Policy } from './schema/policy.ts';
import type { Snapshot } from './snapshot.ts';
import { Suggester } from './suggest.ts';

/**
 * All findings of one version against the guardrails and production versions of a snapshot, without compiling anything
 * else: quick enough to answer while somebody types.
 */
export function checkVersion(snapshot: Snapshot, policy: Policy): readonly Finding[] {
  const production = new Map([...snapshot.production].map(([name, { policy: row }]) => [name, row]));
  const findings = new Findings();
  checkPolicy(
    policy,
    {
      production,
      guardrails: snapshot.guardrailEntries,
      guardrailNames: new Suggester(snapshot.guardrailEntries.keys()),
      policyNames: new Suggester(production.keys()),
      conditionNumber: () => 0,
    },
    findings,
  );
  return findings.list;
}
