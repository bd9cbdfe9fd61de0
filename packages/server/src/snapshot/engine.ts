import { createRuntime } from '@portcullis/guardrails';
import { compileSteps, type DetectorLookup, type Guardrail } from '@portcullis/policy';
import { SecretProblem } from '../ports/guardrail-secrets.ts';
import type { ConfiguredObjects, PolicyEngine } from '../ports/policy-engine.ts';
import { type BuildTools, inSlices } from './build.ts';
import type { ActiveSnapshots } from './holder.ts';

export interface EngineParts {
  readonly holder: ActiveSnapshots;
  readonly tools: BuildTools;
  /** The configuration in force, or null before one is loaded. */
  readonly configured: () => ConfiguredObjects | null;
  readonly reach: (revision: number) => Promise<void>;
  /** The guardrail with open secrets. @throws when one cannot be opened. */
  readonly openGuardrail: (guardrail: Guardrail) => Guardrail;
}

/** The engine as the management routes use it: the snapshot in force, and the compiler that makes the next one. */
export function createPolicyEngine(parts: EngineParts): PolicyEngine {
  const { holder, tools, configured, reach } = parts;
  const lookup = lookupOf(tools);
  return {
    configured,
    reach,
    current: () => holder.current()?.policy ?? null,
    compile: (documents) => {
      const guardrails = documents.guardrails.map((guardrail) => opened(guardrail, parts.openGuardrail));
      return inSlices(compileSteps({ ...documents, guardrails }, lookup), tools.clock);
    },
  };
}

/** One that cannot be opened is checked as it is: a change of something else must not wait for its repair. */
function opened(guardrail: Guardrail, open: EngineParts['openGuardrail']): Guardrail {
  if (guardrail.definition_location === 'config') return guardrail;
  try {
    return open(guardrail);
  } catch (error) {
    if (error instanceof SecretProblem) return guardrail;
    throw error;
  }
}

/** What the detectors of the catalogue can do, for any guardrail: a runtime of none answers as well as one of many. */
function lookupOf({ catalogue, ports }: BuildTools): DetectorLookup {
  const made = createRuntime([], catalogue, ports);
  if (!made.ok) throw new Error('a runtime without guardrails cannot be at fault');
  return made.runtime.lookup;
}
