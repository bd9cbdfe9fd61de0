import {
  allowedErrors,
  type CommonParams,
  type Finding,
  type FindingPath,
  type Guardrail,
  streamingModeOf,
} from '@portcullis/policy';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ConfigProblem, type DetectorDefinition, type Ports } from './guardrail.ts';
import { digestOf } from './verdicts/keyed-hash.ts';
import { Group, type Groups, type Instance } from './instance.ts';

/** Finds the definition that answers to a provider id; null when none does. */
export function definitionOf(
  catalogue: readonly DetectorDefinition[],
  guardrail: Guardrail,
): DetectorDefinition | null {
  const id = guardrail.litellm_params.guardrail;
  return catalogue.find((definition) => definition.ids.includes(id)) ?? null;
}

/** Makes the detectors of all guardrails, or says everything that is wrong with them; never half. */
export function configure(
  guardrails: readonly Guardrail[],
  catalogue: readonly DetectorDefinition[],
  ports: Ports,
): { readonly groups: Groups; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const byName = new Map<string, [Instance, ...Instance[]]>();
  for (const guardrail of guardrails) {
    const made = makeInstance(guardrail, catalogue, ports);
    if (!('detector' in made)) {
      findings.push(...made);
      continue;
    }
    const list = byName.get(guardrail.guardrail_name);
    if (list === undefined) byName.set(guardrail.guardrail_name, [made]);
    else list.push(made);
  }
  const groups = new Map<string, Group>();
  for (const [name, instances] of byName) groups.set(name, new Group(instances));
  if (findings.length > 0) {
    disposeAll(groups);
    return { groups: new Map(), findings };
  }
  return { groups, findings };
}

export function disposeAll(groups: Groups): void {
  for (const group of groups.values()) {
    for (const { detector } of group.instances) detector.dispose?.();
  }
}

function makeInstance(
  guardrail: Guardrail,
  catalogue: readonly DetectorDefinition[],
  ports: Ports,
): Instance | readonly Finding[] {
  const path: FindingPath = ['guardrails', guardrail.guardrail_name, 'litellm_params'];
  const definition = definitionOf(catalogue, guardrail);
  if (definition === null) return [unknownProvider(guardrail, catalogue, path)];
  const parsed = definition.configSchema.safeParse(guardrail.litellm_params);
  if (!parsed.success) {
    return parsed.error.issues.flatMap((issue) => issueFindings(issue, path, definition.configSchema));
  }
  const params = parsed.data;
  const unreadable = (params.scan ?? []).filter((kind) => !definition.reads(params).has(kind));
  if (unreadable.length > 0) {
    const message = `${definition.title} cannot read ${unreadable.join(', ')}; remove it from "scan"`;
    return [finding('unreadable_kind', message, [...path, 'scan'])];
  }
  try {
    const detector = definition.create(params, ports, guardrail.guardrail_name);
    if (streamingModeOf(params) === 'window' && detector.openChannel === undefined) {
      detector.dispose?.();
      const message = `${definition.title} looks at whole answers only: "streaming_mode" can be "buffer" or "audit"`;
      return [finding('streaming_mode', message, [...path, 'streaming_mode'])];
    }
    return {
      guardrail,
      definition,
      params,
      facts: definition.facts(params),
      detector,
      scan: params.scan === null ? definition.reads(params) : new Set(params.scan),
      allowedErrors: allowedErrors(params),
      timeoutMs: params.timeout === null ? definition.timeoutMs : params.timeout * 1000,
      digest: onceAsked(() => configurationDigest(guardrail, definition, params)),
    };
  } catch (error) {
    if (error instanceof ConfigProblem) {
      return [finding('detector_config', error.message, [...path, ...error.path])];
    }
    // A detector that cannot be made must not take the process with it, and must not be left out either.
    const message = `${definition.title} cannot be set up: ${error instanceof Error ? error.message : 'unknown fault'}`;
    return [finding('detector_fault', message, path)];
  }
}

/**
 * Names the configuration, and the data behind it when the detector names those. Data that nobody names may be others
 * after the next load: then the name is of this one instance. The code needs no name, because verdicts die with the
 * process.
 */
function configurationDigest(
  { guardrail_id, litellm_params }: Guardrail,
  definition: DetectorDefinition,
  params: CommonParams,
): string {
  const data = definition.dataDigest?.(params) ?? randomUUID();
  return digestOf(JSON.stringify([definition.ids[0], guardrail_id, litellm_params, data]));
}

function onceAsked<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function finding(code: string, message: string, path: FindingPath): Finding {
  return { severity: 'error', code, message, path };
}

function unknownProvider(
  guardrail: Guardrail,
  catalogue: readonly DetectorDefinition[],
  path: FindingPath,
): Finding {
  const id = guardrail.litellm_params.guardrail;
  const known = catalogue.flatMap((definition) => [...definition.ids]).sort();
  const near = nearest(id, known);
  const hint = near === null ? '' : `did you mean "${near}"? `;
  const message = `unknown guardrail provider "${id}": ${hint}known are ${known.join(', ')}`;
  return finding('unknown_detector', message, [...path, 'guardrail']);
}

function issueFindings(
  issue: z.core.$ZodIssue,
  path: FindingPath,
  schema: z.ZodType<CommonParams>,
): readonly Finding[] {
  const at = [...path, ...issue.path.filter((part) => typeof part !== 'symbol')];
  if (issue.code !== 'unrecognized_keys') return [finding('invalid_value', issue.message, at)];
  const known = issue.path.length === 0 ? keysOf(schema) : [];
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const hint = near === null ? '' : `; did you mean "${near}"?`;
    return finding('unknown_key', `unknown setting "${key}"${hint}`, [...at, key]);
  });
}

function keysOf(schema: z.ZodType): readonly string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape)
    : [];
}

/** The known name most like a mistyped one, or null when none is close: at most a third of its letters differ. */
function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.floor(Math.max(name.length, 3) / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}
