/** Short forms of documents and contexts for tests. */
import {
  ANONYMOUS,
  type Attachment,
  attachmentSchema,
  type Context,
  compile,
  type DetectorFacts,
  type Documents,
  decide,
  type Finding,
  type Guardrail,
  guardrailSchema,
  HOOKS,
  type ModelGroup,
  modelGroupSchema,
  type Planned,
  type Policy,
  type Principal,
  policySchema,
  type ProtectionSettings,
  type Snapshot,
  type TagFact,
} from '../src/index.ts';

export const ANY_DETECTOR: DetectorFacts = { hooks: HOOKS, masks: false };

export function guardrail(name: string, params: object = {}): Guardrail {
  const litellm_params = { guardrail: 'any', mode: 'pre_call', ...params };
  return guardrailSchema.parse({ guardrail_id: name, guardrail_name: name, litellm_params });
}

export function policy(name: string, fields: object = {}): Policy {
  return policySchema.parse({ policy_id: `id-${name}`, policy_name: name, ...fields });
}

export function attachment(id: string, policyName: string, fields: object): Attachment {
  return attachmentSchema.parse({ attachment_id: id, policy_name: policyName, ...fields });
}

export function group(name: string, ...models: string[]): ModelGroup {
  return modelGroupSchema.parse({ model_name: name, deployments: models.map((model) => ({ model })) });
}

/** Documents with the guardrails `pii`, `inj`, `tox` unless others are given. */
export function documents(given: Partial<Documents>): Documents {
  return {
    revision: 1,
    policies: [],
    attachments: [],
    guardrails: [guardrail('pii'), guardrail('inj'), guardrail('tox')],
    models: [],
    model_aliases: {},
    settings: { unscanned: null },
    ...given,
  };
}

export function snapshotOf(given: Partial<Documents>): Snapshot {
  const result = compile(documents(given), () => ANY_DETECTOR);
  if (!result.ok) throw new Error(result.findings.map(({ message }) => message).join('\n'));
  return result.snapshot;
}

export function findingsOf(
  given: Partial<Documents>,
  detector: DetectorFacts | null = ANY_DETECTOR,
): readonly Finding[] {
  const result = compile(documents(given), () => detector);
  return result.ok ? result.warnings : result.findings;
}

export const trusted = (value: string): TagFact => ({ value, trusted: true, source: 'key' });
export const byCaller = (value: string): TagFact => ({ value, trusted: false, source: 'request' });

export function settings(given: Partial<ProtectionSettings>): ProtectionSettings {
  return {
    source: 'key',
    policies: [],
    guardrails: [],
    opted_out_global_guardrails: [],
    disable_global_guardrails: false,
    client_guardrails: true,
    client_policies: true,
    ...given,
  };
}

export function context(principal: Partial<Principal> = {}, request: Partial<Context> = {}): Context {
  return {
    principal: { ...ANONYMOUS, ...principal },
    model: null,
    tags: [],
    guardrails: [],
    policies: [],
    ...request,
  };
}

export function plannedBy(snapshot: Snapshot, asked: Context): Planned {
  const decision = decide(snapshot, asked);
  if (decision.kind === 'refused') throw new Error(JSON.stringify(decision.refusals));
  return decision;
}

/** The names of one hook's runs, in order. */
export function runsOf(
  snapshot: Snapshot,
  asked: Context,
  hook: keyof Planned['plan']['hooks'] = 'pre_call',
): string[] {
  return plannedBy(snapshot, asked).plan.hooks[hook].map(({ name }) => name);
}
