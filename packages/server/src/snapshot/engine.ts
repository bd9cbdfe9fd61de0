import { createRuntime } from '@portcullis/guardrails';
import { compileSteps, type DetectorLookup } from '@portcullis/policy';
import type { ConfiguredObjects, PolicyEngine } from '../ports/policy-engine.ts';
import { type BuildTools, inSlices } from './build.ts';
import type { ActiveSnapshots } from './holder.ts';

export interface EngineParts {
  readonly holder: ActiveSnapshots;
  readonly tools: BuildTools;
  /** The configuration in force, or null before one is loaded. */
  readonly configured: () => ConfiguredObjects | null;
  readonly reach: (revision: number) => Promise<void>;
}

/** The engine as the management routes use it: the snapshot in force, and the compiler that makes the next one. */
export function createPolicyEngine({ holder, tools, configured, reach }: EngineParts): PolicyEngine {
  const lookup = lookupOf(tools);
  return {
    configured,
    reach,
    current: () => holder.current()?.policy ?? null,
    compile: (documents) => inSlices(compileSteps(documents, lookup), tools.clock),
  };
}

/** What the detectors of the catalogue can do, for any guardrail: a runtime of none answers as well as one of many. */
function lookupOf({ catalogue, ports }: BuildTools): DetectorLookup {
  const made = createRuntime([], catalogue, ports);
  if (!made.ok) throw new Error('a runtime without guardrails cannot be at fault');
  return made.runtime.lookup;
}
