// This product's own subject: `guardrails`, `policies`, `policy_attachments`. Strict to the last key.
import {
  type Attachment,
  attachmentDefinitionSchema,
  attachmentFromDefinition,
  type FindingPath,
  type Guardrail,
  guardrailSchema,
  LIMITS,
  nameProblem,
  type Policy,
  type PolicyDefinition,
  policyDefinitionSchema,
  policyFromDefinition,
} from '@portcullis/policy';
import type { DetectorDefinition } from '@portcullis/guardrails';
import { z } from 'zod';
import type { ConfigDocument } from './document.ts';
import type { Findings } from './findings.ts';
import { didYouMean } from './suggest.ts';

/** Guardrails and where they are written. */
export interface ReadGuardrails {
  readonly guardrails: readonly Guardrail[];
  /** Path in the file by `guardrail_id`. */
  readonly paths: ReadonlyMap<string, FindingPath>;
  /** Names of entries that are refused: what refers to them is not wrong for that reason. */
  readonly refused: ReadonlySet<string>;
  /** An entry whose name cannot be told is refused, so any unknown name may be its. */
  readonly namesUnknown: boolean;
}

const guardrailEntrySchema = guardrailSchema
  .pick({ guardrail_name: true, litellm_params: true, guardrail_info: true, policy_template: true })
  .extend({ guardrail_id: z.string().min(1).nullish() });

/** Reads `guardrails`, and `litellm_settings.guardrails` where old files have them. */
export function readGuardrails(
  document: ConfigDocument,
  findings: Findings,
  detectors: readonly DetectorDefinition[],
): ReadGuardrails {
  const guardrails: Guardrail[] = [];
  const paths = new Map<string, FindingPath>();
  const refused = new Set<string>();
  let namesUnknown = false;
  for (const base of [['guardrails'], ['litellm_settings', 'guardrails']]) {
    const entries = findings.parse(z.array(z.unknown()).nullish(), base) ?? [];
    for (const [index, written] of entries.entries()) {
      const path = [...base, index];
      // An entry that was already explained as a whole.
      if (written === null && document.nodeAt(path)?.kind === 'map') {
        namesUnknown = true;
        continue;
      }
      const fits = fitsDetector(document, findings, path, detectors);
      const entry = findings.parse(guardrailEntrySchema, path);
      if (entry === null || !fits) {
        const name = document.valueAt([...path, 'guardrail_name']);
        if (typeof name === 'string') refused.add(name);
        else namesUnknown = true;
        continue;
      }
      const { guardrail_id, ...rest } = entry;
      if (guardrail_id && paths.has(guardrail_id)) {
        findings.error(
          'duplicate_name',
          [...path, 'guardrail_id'],
          'another guardrail already has this guardrail_id: ids must be unique, so change or remove one',
        );
        continue;
      }
      const id = guardrail_id ?? freeId(entry.guardrail_name, paths);
      paths.set(id, path);
      guardrails.push({ ...rest, guardrail_id: id, definition_location: 'config' });
    }
    namesUnknown ||= findings.failedAt(base);
  }
  return { guardrails, paths, refused, namesUnknown };
}

/** Whether the detector exists and its own strict schema accepts the parameters. */
function fitsDetector(
  document: ConfigDocument,
  findings: Findings,
  path: FindingPath,
  detectors: readonly DetectorDefinition[],
): boolean {
  const paramsPath = [...path, 'litellm_params'];
  const provider = document.valueAt([...paramsPath, 'guardrail']);
  if (typeof provider !== 'string' || provider === '') return true; // the common schema says so
  const detector = detectors.find(({ ids }) => ids.includes(provider));
  if (detector !== undefined) return findings.parse(detector.configSchema, paramsPath) !== null;
  const ids = detectors.flatMap((one) => one.ids);
  // `my_module.MyClass`: the reference loads a Python class by this name.
  const isClass = /^[A-Za-z_]\w*\.[A-Z]\w*$/u.test(provider);
  const hint = isClass
    ? '; Python classes of LiteLLM cannot run here, so put it behind HTTP and use generic_guardrail_api'
    : didYouMean(provider, ids) || `; available: ${ids.toSorted().join(', ')}`;
  findings.error(
    'unknown_detector',
    [...paramsPath, 'guardrail'],
    `there is no guardrail provider "${provider}" here${hint}`,
  );
  return false;
}

/** Several entries may share a name (load balancing), so the name alone is an id only for the first. */
function freeId(name: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name}.${number}`)) number += 1;
  return `${name}.${number}`;
}

/** Policies, and the names of those that were refused in part. */
export interface ReadPolicies {
  readonly policies: readonly Policy[];
  readonly refused: ReadonlySet<string>;
}

/** Reads `policies`: a map of name to definition. */
export function readPolicies(document: ConfigDocument, findings: Findings): ReadPolicies {
  const map = findings.parse(z.record(z.string(), z.unknown()).nullish(), ['policies']) ?? {};
  const policies: Policy[] = [];
  const refused = new Set<string>();
  for (const name of Object.keys(map)) {
    const path = ['policies', name];
    const problem = nameProblem(name);
    if (problem !== null) findings.error('invalid_name', path, problem, 'key');
    const empty = map[name] === null;
    if (empty) {
      findings.error(
        'empty_policy',
        path,
        `the policy "${name}" has no content and would protect nothing: give it guardrails, inherit or a pipeline, or remove it`,
        'key',
      );
    }
    const definition = empty ? null : findings.parse(policyDefinitionSchema, path);
    if (definition === null || findings.failedBelow(path)) refused.add(name);
    const usable = definition ?? usableParts(document.valueAt(path));
    if (problem === null) policies.push(policyFromDefinition(name, usable));
  }
  return { policies, refused };
}

/** What can be read of a refused policy, so that what refers to it can still be checked. It never leaves the reader. */
function usableParts(value: unknown): PolicyDefinition {
  const written = typeof value === 'object' && value !== null ? value : {};
  const parts = Object.entries(written as Record<string, unknown>).filter(
    ([key, part]) => policyDefinitionSchema.safeParse({ [key]: part }).success,
  );
  return policyDefinitionSchema.parse(Object.fromEntries(parts));
}

/** Reads `policy_attachments`: a list. The index of an entry is part of its id, also when an entry before it is broken. */
export function readAttachments(findings: Findings): readonly Attachment[] {
  const list = findings.parse(z.array(z.unknown()).nullish(), ['policy_attachments']) ?? [];
  if (list.length > LIMITS.attachments) {
    findings.error(
      'too_many',
      ['policy_attachments'],
      `${list.length} attachments: at most ${LIMITS.attachments} are possible`,
      'key',
    );
    return [];
  }
  const attachments: Attachment[] = [];
  for (const index of list.keys()) {
    const definition = findings.parse(attachmentDefinitionSchema, ['policy_attachments', index]);
    if (definition !== null) attachments.push(attachmentFromDefinition(index, definition));
  }
  return attachments;
}
