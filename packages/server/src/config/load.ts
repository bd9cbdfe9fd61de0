// Reads a LiteLLM-shaped configuration file: everything that is wrong with it at once, each with its place.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DetectorDefinition } from '@portcullis/guardrails';
import type { Documents, Finding, FindingPath } from '@portcullis/policy';
import { checkConfig } from './check.ts';
import { detectorsFor } from './detectors.ts';
import { ConfigDocument } from './document.ts';
import type { Environment } from './env.ts';
import { Findings } from './findings.ts';
import { explainLegacyForms } from './legacy.ts';
import { readAliases, readModels } from './models.ts';
import { placeInFile } from './paths.ts';
import { readSettings } from './settings.ts';
import { readAttachments, readGuardrails, readPolicies } from './subject.ts';
import { nearestName } from './suggest.ts';
import type { ConfigResult, LoadedConfig, PlacedFinding } from './types.ts';

export interface LoadOptions {
  /** The detectors that `litellm_params.guardrail` may name; the built-in ones by default. */
  readonly detectors?: readonly DetectorDefinition[];
}

/** Sections of the file that are read. */
const SECTIONS = [
  'model_list',
  'guardrails',
  'policies',
  'policy_attachments',
  'general_settings',
  'litellm_settings',
  'router_settings',
  'environment_variables',
  'policy_engine',
  'sso',
];

/** Sections of the reference that this product does not have. */
const IGNORED_SECTIONS = new Set([
  'agent_list',
  'assistant_settings',
  'cache_settings',
  'callback_settings',
  'credential_list',
  'files_settings',
  'finetune_settings',
  'mcp_aliases',
  'mcp_servers',
  'mcp_tools',
  'pass_through_endpoints',
  'prompts',
  'search_tools',
  'vector_store_registry',
  'worker_registry',
]);

/** Findings of the compiler that say nothing when a guardrail of unknown name is refused. */
const ABOUT_UNKNOWN_GUARDRAILS = new Set(['unknown_guardrail', 'step_not_in_list', 'lock_not_in_list']);

/** Reads and checks a file. Never throws for anything that a file can hold. */
export async function loadConfig(
  file: string,
  environment: Environment,
  options: LoadOptions = {},
): Promise<ConfigResult> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    return refused('file_unreadable', `${file}: ${reason}; check the path and its permissions`);
  }
  return readConfig(file, bytes, environment, options);
}

/** Checks a configuration that is already in memory. `file` is only the name that findings carry. */
export async function readConfig(
  file: string,
  bytes: Uint8Array,
  environment: Environment,
  options: LoadOptions = {},
): Promise<ConfigResult> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('file_unreadable', `${file}: the file is not UTF-8 text; save it as UTF-8`);
  }
  const document = new ConfigDocument({ file, text, variables: environment.variables });
  const findings = new Findings(document);
  for (const problem of document.problems) {
    findings.errorAt(problem.code, problem.path, problem.message, problem.offset);
  }
  // A file that YAML cannot read would only give follow-up errors.
  if (document.problems.some(({ code }) => code === 'yaml_syntax')) {
    return { ok: false, findings: findings.list() };
  }
  if (document.root.kind !== 'map') {
    findings.error(
      'empty_file',
      [],
      'the file holds no sections: begin with model_list, guardrails or policies',
    );
    return { ok: false, findings: findings.list() };
  }
  return readSections(document, findings, environment, options, bytes);
}

async function readSections(
  document: ConfigDocument,
  findings: Findings,
  environment: Environment,
  options: LoadOptions,
  bytes: Uint8Array,
): Promise<ConfigResult> {
  const texts = new Set<string>();
  const detectors = options.detectors ?? detectorsFor(document.file, (text) => texts.add(text));
  const ignored = new Set<string>();
  explainLegacyForms(document, findings);
  reportMissingVariables(document, findings);
  reportUnknownSections(document, findings, ignored);
  const { settings, modelDefaults } = readSettings(document, findings, environment, ignored);
  const models = readModels(document, findings, modelDefaults, ignored);
  const modelAliases = readAliases(findings, ['router_settings', 'model_group_alias'], models.modelGroups);
  const read = readGuardrails(document, findings, detectors);
  const { guardrails } = read;
  const { policies, refused: refusedPolicies } = readPolicies(document, findings);
  const attachments = readAttachments(findings);

  const documents: Documents = {
    revision: 0,
    policies,
    attachments,
    guardrails,
    models: models.modelGroups,
    model_aliases: modelAliases,
    settings: { unscanned: settings.unscanned },
  };
  const broken = findings.failed;
  const checked = await checkConfig(documents, read.refused, detectors);
  // With an error about, a doubt may only be a doubt about what is missing because of it.
  const refusedAnyway = broken || checked.some(({ severity }) => severity === 'error');
  for (const finding of checked) {
    if (refusedAnyway && finding.severity === 'warning') continue;
    if (read.namesUnknown && ABOUT_UNKNOWN_GUARDRAILS.has(finding.code)) continue;
    if (finding.code === 'unknown_policy' && findings.failedAt(['policies'])) continue;
    if (broken && dependsOn(finding, policies, refusedPolicies)) continue;
    const path = placeInFile(finding.path, document, { guardrails: read.paths, models: models.indices });
    if (finding.code === 'step_not_in_list' && findings.failedAt(path)) continue;
    if (finding.severity === 'error') findings.error(finding.code, path, finding.message);
    else findings.warning(finding.code, path, finding.message);
  }
  if (!findings.failed) warnAboutGaps(findings, documents);

  if (findings.failed) return { ok: false, findings: findings.list() };
  const config: LoadedConfig = {
    file: document.file,
    digest: digestOf(bytes, document.usedVariables, texts),
    policies,
    attachments,
    guardrails,
    modelGroups: models.modelGroups,
    deployedGroups: models.deployedGroups,
    modelAliases,
    modelDefaults,
    settings,
    ignoredSettings: [...ignored].toSorted(),
    warnings: findings.list(),
  };
  return { ok: true, config };
}

/** A file that is right and still does not do what files are written for. */
function warnAboutGaps(findings: Findings, documents: Documents): void {
  if (documents.models.length === 0) {
    const message = 'no models: every request is refused with "model not found" until model_list names one';
    findings.warning('no_models', ['model_list'], message, 'key');
  }
  if (documents.policies.length > 0 && documents.attachments.length === 0) {
    const message =
      'there are policies but no policy_attachments: a policy then applies only where a key, a team or a request names it';
    findings.warning('no_attachments', ['policies'], message, 'key');
  }
}

/** Every `os.environ/NAME` must be set, except the key of a model, which `models.ts` judges. */
function reportMissingVariables(document: ConfigDocument, findings: Findings): void {
  for (const { path, name } of document.missing) {
    if (path[0] === 'model_list' && path.at(-1) === 'api_key') continue;
    findings.error(
      'missing_variable',
      path,
      `the environment variable ${name} is not set: set it before the start, or write it under environment_variables`,
    );
    findings.spoil(path);
  }
}

function reportUnknownSections(document: ConfigDocument, findings: Findings, ignored: Set<string>): void {
  for (const name of document.root.children.keys()) {
    const key = String(name);
    if (SECTIONS.includes(key) || document.valueAt([key]) === undefined) continue;
    if (!IGNORED_SECTIONS.has(key) && !key.startsWith('x-') && nearestName(key, SECTIONS) !== null) {
      findings.unknownKey([key], SECTIONS);
      continue;
    }
    ignored.add(key);
    if (IGNORED_SECTIONS.has(key) || key.startsWith('x-')) continue;
    findings.warning(
      'unknown_section',
      [key],
      `"${key}" is no section of this file and has no effect; known: ${SECTIONS.join(', ')}`,
      'key',
    );
  }
}

/** Whether a finding is about a policy that inherits, however far, from one that is refused itself. */
function dependsOn(
  finding: Finding,
  policies: Documents['policies'],
  refusedPolicies: ReadonlySet<string>,
): boolean {
  const [section, start] = finding.path;
  if (section !== 'policies' || refusedPolicies.size === 0) return false;
  const parents = new Map(policies.map(({ policy_name, inherit }) => [policy_name, inherit]));
  const seen = new Set<string>();
  for (let name: string | null = String(start); name !== null && !seen.has(name); ) {
    if (refusedPolicies.has(name)) return true;
    seen.add(name);
    name = parents.get(name) ?? null;
  }
  return false;
}

/** Two replicas with one digest read the same (S9), the files that the configuration names included. */
function digestOf(
  bytes: Uint8Array,
  variables: ReadonlyMap<string, string | null>,
  texts: ReadonlySet<string>,
): string {
  const used = [...variables].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const digest = createHash('sha256').update(bytes).update('\0').update(JSON.stringify(used));
  if (texts.size > 0) digest.update('\0').update(JSON.stringify([...texts].toSorted()));
  return digest.digest('hex');
}

function refused(code: string, message: string): ConfigResult {
  const path: FindingPath = [];
  const finding: PlacedFinding = { severity: 'error', code, message, path, place: null };
  return { ok: false, findings: [finding] };
}
