// What only the guardrails and the policy compiler can see: the same functions that build the gateway's snapshot.
import { setImmediate } from 'node:timers/promises';
import { createRuntime, type DetectorDefinition, type Ports } from '@portcullis/guardrails';
import {
  compileSteps,
  type DetectorLookup,
  type Documents,
  type Finding,
  type Guardrail,
  HOOKS,
  type Snapshot,
} from '@portcullis/policy';
import { detectorsFor } from './detectors.ts';
import type { LoadedConfig } from './types.ts';

/** A reload happens while requests are served, so the compiler yields this often (S8). */
const STEPS_BETWEEN_YIELDS = 10;

/**
 * Makes every guardrail and compiles every policy, throws both away, and gives what was found. Reaches nothing outside.
 * `refusedGuardrails` are names whose entries are already reported: they count as present and able to do anything.
 */
export async function checkConfig(
  documents: Documents,
  refusedGuardrails: ReadonlySet<string>,
  detectors: readonly DetectorDefinition[],
): Promise<readonly Finding[]> {
  const result = createRuntime(documents.guardrails, detectors, INERT_PORTS);
  const fromRuntime = result.ok ? [] : documents.guardrails.flatMap((one) => faultsOf(one, detectors));
  const known = new Set(documents.guardrails.map(({ guardrail_name }) => guardrail_name));
  const standIns = [...refusedGuardrails].filter((name) => !known.has(name)).map((name) => standIn(name));
  const able: DetectorLookup = () => ({ hooks: HOOKS, masks: false });
  const lookup: DetectorLookup = result.ok
    ? (guardrail) => (standIns.includes(guardrail) ? able(guardrail) : result.runtime.lookup(guardrail))
    : able;
  try {
    const examined = await examine(
      { ...documents, guardrails: [...documents.guardrails, ...standIns] },
      lookup,
    );
    return [...fromRuntime, ...examined];
  } finally {
    if (result.ok) result.runtime.dispose();
  }
}

/**
 * The policies of a configuration that was read without errors, compiled as the gateway does, for questions that need no
 * gateway. Reaches nothing outside.
 */
export async function compileConfig(config: LoadedConfig): Promise<Snapshot> {
  const { policies, attachments, guardrails, modelGroups, modelAliases, settings } = config;
  const made = createRuntime(guardrails, detectorsFor(config.file), INERT_PORTS);
  if (!made.ok) throw new Error(`${config.file} was read, but its guardrails cannot be made`);
  try {
    const steps = compileSteps(
      {
        revision: 0,
        policies,
        attachments,
        guardrails,
        models: modelGroups,
        model_aliases: modelAliases,
        settings: { unscanned: settings.unscanned },
      },
      made.runtime.lookup,
    );
    for (let count = 1; ; count += 1) {
      const step = steps.next();
      if (step.done === true && step.value.ok) return step.value.snapshot;
      if (step.done === true) throw new Error(`${config.file} was read, but its policies do not compile`);
      if (count % STEPS_BETWEEN_YIELDS === 0) await setImmediate();
    }
  } finally {
    made.runtime.dispose();
  }
}

/** Everything the policy compiler finds in the documents, warnings included. */
async function examine(documents: Documents, lookup: DetectorLookup): Promise<readonly Finding[]> {
  const steps = compileSteps(documents, lookup);
  for (let count = 1; ; count += 1) {
    const step = steps.next();
    if (step.done === true) return step.value.ok ? step.value.warnings : step.value.findings;
    if (count % STEPS_BETWEEN_YIELDS === 0) await setImmediate();
  }
}

/** What is wrong with one guardrail, by its id: entries may share a name, and then only the id tells the line. */
function faultsOf(guardrail: Guardrail, detectors: readonly DetectorDefinition[]): readonly Finding[] {
  const result = createRuntime([guardrail], detectors, INERT_PORTS);
  if (result.ok) {
    result.runtime.dispose();
    return [];
  }
  return result.findings.map((finding) => ({
    ...finding,
    path: ['guardrails', guardrail.guardrail_id, ...finding.path.slice(2)],
  }));
}

function standIn(name: string): Guardrail {
  return {
    guardrail_id: `refused:${name}`,
    guardrail_name: name,
    litellm_params: {
      guardrail: 'refused',
      mode: [...HOOKS],
      default_on: false,
      opt_out: true,
      enforcement: 'enforce',
      priority: null,
      weight: 1,
      scan: null,
      unscanned: null,
      request_params: [],
      timeout: null,
      on_error: null,
      fail_on_error: null,
      unreachable_fallback: null,
      streaming_mode: null,
      alert_recipients: [],
    },
    guardrail_info: {},
    policy_template: null,
    definition_location: 'config',
  };
}

/** Checking a file must reach nothing: a detector that tries to while it is made is at fault. */
const INERT_PORTS: Ports = {
  clock: { now: () => 0, monotonic: () => 0 },
  http: {
    send: async () => {
      throw new Error('a guardrail must not use the network while it is made');
    },
  },
  hash: () => '',
};
