/** Checks the configured guardrails and gathers them by name (P7, section 14). */
import { canonicalJson } from './canonical.ts';
import type { Findings } from './findings.ts';
import { nameProblem } from './schema/name.ts';
import type { Hook } from './schema/content.ts';
import type { DetectorLookup, FindingPath } from './schema/documents.ts';
import type { DetectorFacts, Guardrail, Mode } from './schema/guardrail.ts';
import { Suggester } from './suggest.ts';

/** The configurations of one name with what their detectors can do. */
export interface GuardrailEntry {
  readonly name: string;
  readonly configurations: readonly Guardrail[];
  /** Hooks that every configuration's detector can serve. */
  readonly servedHooks: ReadonlySet<Hook>;
}

export type GuardrailTable = Map<string, GuardrailEntry>;

/** Facts that a plan depends on; configurations of one name are balanced by weight, so they must agree on them. */
const SHARED_FACTS = ['mode', 'default_on', 'opt_out', 'enforcement', 'priority', 'request_params'] as const;

export function* checkGuardrails(
  guardrails: readonly Guardrail[],
  detectors: DetectorLookup,
  findings: Findings,
): Generator<void, GuardrailTable> {
  const table: GuardrailTable = new Map();
  const ids = new Set<string>();
  for (const guardrail of guardrails) {
    yield;
    const path = ['guardrails', guardrail.guardrail_name];
    if (ids.has(guardrail.guardrail_id)) {
      findings.error(
        'duplicate_guardrail_id',
        path,
        `two guardrails have the id "${guardrail.guardrail_id}"; give one of them another id`,
      );
    }
    ids.add(guardrail.guardrail_id);
    const problem = nameProblem(guardrail.guardrail_name);
    if (problem !== null) findings.error('invalid_name', path, problem);
    const facts = detectors(guardrail);
    checkDetector(guardrail, facts, path, findings);
    const known = table.get(guardrail.guardrail_name);
    if (known?.configurations[0] !== undefined)
      checkAgreement(known.configurations[0], guardrail, path, findings);
    table.set(guardrail.guardrail_name, withConfiguration(known, guardrail, facts));
  }
  return table;
}

function withConfiguration(
  known: GuardrailEntry | undefined,
  guardrail: Guardrail,
  facts: DetectorFacts | null,
): GuardrailEntry {
  const served = facts?.hooks ?? [];
  return {
    name: guardrail.guardrail_name,
    configurations: [...(known?.configurations ?? []), guardrail],
    servedHooks: new Set(known === undefined ? served : served.filter((hook) => known.servedHooks.has(hook))),
  };
}

function checkDetector(
  guardrail: Guardrail,
  facts: DetectorFacts | null,
  path: FindingPath,
  findings: Findings,
): void {
  const { litellm_params: params } = guardrail;
  if (facts === null) {
    const at = [...path, 'litellm_params', 'guardrail'];
    findings.error(
      'unknown_detector',
      at,
      `there is no detector "${params.guardrail}"; name one of the catalogue`,
    );
    return;
  }
  const hooks = modeHooks(params.mode);
  for (const hook of hooks) {
    if (facts.hooks.includes(hook)) continue;
    const able = facts.hooks.length === 0 ? 'none' : facts.hooks.join(', ');
    findings.error(
      'unsupported_hook',
      [...path, 'litellm_params', 'mode'],
      `the detector "${params.guardrail}" cannot run in ${hook}; it can run in: ${able}`,
    );
  }
  if (facts.masks && hooks.has('during_call')) {
    findings.error(
      'mask_in_during_call',
      [...path, 'litellm_params', 'mode'],
      'a masking guardrail cannot run in during_call, where the content is already on its way; use pre_call, or block instead of masking',
    );
  }
}

function checkAgreement(first: Guardrail, guardrail: Guardrail, path: FindingPath, findings: Findings): void {
  for (const fact of SHARED_FACTS) {
    if (sharedFact(first, fact) === sharedFact(guardrail, fact)) continue;
    findings.error(
      'guardrails_disagree',
      [...path, 'litellm_params', fact],
      `the guardrails named "${guardrail.guardrail_name}" are balanced by weight and must agree on ${fact}; make it the same, or give one of them another name`,
    );
  }
}

function sharedFact({ litellm_params }: Guardrail, fact: (typeof SHARED_FACTS)[number]): string {
  const value = litellm_params[fact];
  return canonicalJson(fact === 'request_params' ? [...litellm_params.request_params].sort() : value);
}

/** Every hook that a mode can select. */
function modeHooks(mode: Mode): ReadonlySet<Hook> {
  if (Array.isArray(mode)) return new Set(mode);
  return new Set([...mode.default, ...Object.values(mode.tags).flat()]);
}

export function guardrailSuggester(table: GuardrailTable): Suggester {
  return new Suggester(table.keys());
}
