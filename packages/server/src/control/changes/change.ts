import { PortcullisError } from '@portcullis/contract';
import type { CompileResult, Finding } from '@portcullis/policy';
import type { AuditObject } from '../../ports/audit.ts';
import type { Stores } from '../../ports/database.ts';
import type { ConfiguredObjects } from '../../ports/policy-engine.ts';
import type {
  StoredAttachment,
  StoredGuardrail,
  StoredModel,
  StoredPolicy,
} from '../../ports/policy-store.ts';
import type { Protection } from '../../ports/protection.ts';
import type { Actor } from '../context.ts';
import type { StoredObjects } from './documents.ts';
import type { Subject } from './findings.ts';
import { attachmentRow, policyRow } from './rows.ts';

/** Gives the names of policies on a key or team after a change. */
export type RewriteNames = (policies: readonly string[]) => readonly string[];

/** What the audit log is told of a guardrail before and after: no secret is ever part of it. */
export type GuardrailRows = (
  before: StoredGuardrail | null,
  after: StoredGuardrail | null,
) => Pick<AuditRecord, 'before' | 'after'>;

/** The same of a model. */
export type ModelRows = (
  before: StoredModel | null,
  after: StoredModel | null,
) => Pick<AuditRecord, 'before' | 'after'>;

interface AuditRecord {
  readonly object: { readonly type: AuditObject; readonly id: string };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/**
 * One change of policies, attachments and guardrails while it is being made: handlers look at the objects as they would
 * be and say what becomes of them. Nothing is written before the whole has been compiled.
 */
export class PolicyChange {
  readonly stores: Stores;
  readonly configured: ConfiguredObjects;
  readonly actor: Actor;
  readonly nowMs: number;
  /** The revision that this change takes. */
  readonly revision: number;
  readonly #guardrailRows: GuardrailRows;
  readonly #before: StoredObjects;
  readonly #policies: Map<string, StoredPolicy>;
  readonly #attachments: Map<string, StoredAttachment>;
  readonly #guardrails: Map<string, StoredGuardrail>;
  readonly #models: Map<string, StoredModel>;
  readonly #modelRows: ModelRows;
  readonly #keys = new Map<string, RewriteNames>();
  readonly #teams = new Map<string, RewriteNames>();
  readonly #touched = {
    policies: new Set<string>(),
    attachments: new Set<string>(),
    guardrails: new Set<string>(),
    models: new Set<string>(),
  };
  /** What the body is about, so that findings are told by the fields of the body. */
  subject: Subject | null = null;
  /** Nothing is to be written: the answer only says what would be. */
  isTrial = false;

  constructor(parts: {
    readonly stores: Stores;
    readonly configured: ConfiguredObjects;
    readonly before: StoredObjects;
    readonly actor: Actor;
    readonly nowMs: number;
    readonly revision: number;
    readonly guardrailRows: GuardrailRows;
    readonly modelRows: ModelRows;
  }) {
    this.stores = parts.stores;
    this.configured = parts.configured;
    this.actor = parts.actor;
    this.nowMs = parts.nowMs;
    this.revision = parts.revision;
    this.#guardrailRows = parts.guardrailRows;
    this.#before = parts.before;
    this.#policies = new Map(parts.before.policies);
    this.#attachments = new Map(parts.before.attachments);
    this.#guardrails = new Map(parts.before.guardrails);
    this.#models = new Map(parts.before.models);
    this.#modelRows = parts.modelRows;
  }

  /** The objects as they would be. */
  get objects(): StoredObjects {
    return {
      policies: this.#policies,
      attachments: this.#attachments,
      guardrails: this.#guardrails,
      models: this.#models,
    };
  }

  get isEmpty(): boolean {
    const sets = [...Object.values(this.#touched), this.#keys, this.#teams];
    return sets.every(({ size }) => size === 0);
  }

  policy(policyId: string): StoredPolicy | null {
    return this.#policies.get(policyId) ?? null;
  }

  /** The versions of a name in the database, newest first. */
  versions(policyName: string): readonly StoredPolicy[] {
    return [...this.#policies.values()]
      .filter(({ policy }) => policy.policy_name === policyName)
      .sort((a, b) => b.policy.version_number - a.policy.version_number);
  }

  /** The version of a name that the database has in production. */
  production(policyName: string): StoredPolicy | null {
    return this.versions(policyName).find(({ policy }) => policy.version_status === 'production') ?? null;
  }

  /** Whether a name is in production, in the database or in the configuration file. */
  isInProduction(policyName: string): boolean {
    return this.isConfigured(policyName) || this.production(policyName) !== null;
  }

  isConfigured(policyName: string): boolean {
    return this.configured.policies.some(({ policy_name }) => policy_name === policyName);
  }

  attachment(attachmentId: string): StoredAttachment | null {
    return this.#attachments.get(attachmentId) ?? null;
  }

  attachmentsOf(policyName: string): readonly StoredAttachment[] {
    return [...this.#attachments.values()].filter(({ attachment }) => attachment.policy_name === policyName);
  }

  putPolicy(stored: StoredPolicy): void {
    this.#policies.set(stored.policy.policy_id, stored);
    this.#touched.policies.add(stored.policy.policy_id);
  }

  deletePolicy(policyId: string): void {
    this.#policies.delete(policyId);
    this.#touched.policies.add(policyId);
  }

  putAttachment(stored: StoredAttachment): void {
    this.#attachments.set(stored.attachment.attachment_id, stored);
    this.#touched.attachments.add(stored.attachment.attachment_id);
  }

  deleteAttachment(attachmentId: string): void {
    this.#attachments.delete(attachmentId);
    this.#touched.attachments.add(attachmentId);
  }

  putGuardrail(stored: StoredGuardrail): void {
    this.#guardrails.set(stored.guardrail.guardrail_id, stored);
    this.#touched.guardrails.add(stored.guardrail.guardrail_id);
  }

  deleteGuardrail(guardrailId: string): void {
    this.#guardrails.delete(guardrailId);
    this.#touched.guardrails.add(guardrailId);
  }

  model(modelId: string): StoredModel | null {
    return this.#models.get(modelId) ?? null;
  }

  putModel(stored: StoredModel): void {
    this.#models.set(stored.model.model_id, stored);
    this.#touched.models.add(stored.model.model_id);
  }

  deleteModel(modelId: string): void {
    this.#models.delete(modelId);
    this.#touched.models.add(modelId);
  }

  /** Changes which policies a key names; applied to the row as it is when it is written. */
  renameOnKey(tokenHash: string, rewrite: RewriteNames): void {
    this.#keys.set(tokenHash, after(this.#keys.get(tokenHash), rewrite));
  }

  renameOnTeam(teamId: string, rewrite: RewriteNames): void {
    this.#teams.set(teamId, after(this.#teams.get(teamId), rewrite));
  }

  /** The doubts about what this change has touched. */
  doubts(result: CompileResult): readonly Finding[] {
    if (!result.ok) return [];
    const named = new Set<unknown>(this.#touched.attachments);
    for (const id of this.#touched.policies) named.add(this.#policies.get(id)?.policy.policy_name);
    for (const id of this.#touched.models) named.add(this.#models.get(id)?.model.model_name);
    for (const id of this.#touched.guardrails) named.add(this.#guardrails.get(id)?.guardrail.guardrail_name);
    return result.warnings.filter(({ path }) => named.has(path[1]));
  }

  /**
   * Writes everything in an order that no constraint minds, and gives what the audit log is told. The revision must have
   * been taken.
   */
  async write(): Promise<readonly AuditRecord[]> {
    const records: AuditRecord[] = [];
    await this.#writePolicies(records);
    await this.#writeAttachments(records);
    await this.#writeGuardrails(records);
    await this.#writeModels(records);
    // In one order everywhere, so that two changes never wait for each other's rows.
    for (const hash of [...this.#keys.keys()].sort()) await this.#writeKey(hash, records);
    for (const id of [...this.#teams.keys()].sort()) await this.#writeTeam(id, records);
    return records;
  }

  async #writePolicies(records: AuditRecord[]): Promise<void> {
    const { policies } = this.stores;
    const touched = [...this.#touched.policies];
    for (const id of touched) {
      if (!this.#policies.has(id) && this.#before.policies.has(id))
        await policies.deletePolicy(this.revision, id);
    }
    // The version that leaves production before the one that enters it: there are never two (V2).
    const kept = touched.flatMap((id) => this.#policies.get(id) ?? []);
    const entersLast = (stored: StoredPolicy) => (stored.policy.version_status === 'production' ? 1 : 0);
    for (const stored of kept.toSorted((a, b) => entersLast(a) - entersLast(b))) {
      await policies.putPolicy(this.revision, stored);
    }
    for (const id of touched) {
      const [old, fresh] = [this.#before.policies.get(id), this.#policies.get(id)];
      if (old === undefined && fresh === undefined) continue;
      records.push({
        object: { type: 'policy', id },
        before: old === undefined ? null : policyRow(old),
        after: fresh === undefined ? null : policyRow(fresh),
      });
    }
  }

  async #writeAttachments(records: AuditRecord[]): Promise<void> {
    const { policies } = this.stores;
    for (const id of this.#touched.attachments) {
      const [old, fresh] = [this.#before.attachments.get(id), this.#attachments.get(id)];
      if (fresh !== undefined) await policies.putAttachment(this.revision, fresh);
      else if (old !== undefined) await policies.deleteAttachment(this.revision, id);
      else continue;
      records.push({
        object: { type: 'attachment', id },
        before: old === undefined ? null : attachmentRow(old),
        after: fresh === undefined ? null : attachmentRow(fresh),
      });
    }
  }

  async #writeGuardrails(records: AuditRecord[]): Promise<void> {
    const { policies } = this.stores;
    for (const id of this.#touched.guardrails) {
      const [old, fresh] = [this.#before.guardrails.get(id), this.#guardrails.get(id)];
      if (fresh !== undefined) await policies.putGuardrail(this.revision, fresh);
      else if (old !== undefined) await policies.deleteGuardrail(this.revision, id);
      else continue;
      records.push({ object: { type: 'guardrail', id }, ...this.#guardrailRows(old ?? null, fresh ?? null) });
    }
  }

  async #writeModels(records: AuditRecord[]): Promise<void> {
    const { policies } = this.stores;
    for (const id of this.#touched.models) {
      const [old, fresh] = [this.#before.models.get(id), this.#models.get(id)];
      if (fresh !== undefined) await policies.putModel(this.revision, fresh);
      else if (old !== undefined) await policies.deleteModel(this.revision, id);
      else continue;
      records.push({ object: { type: 'model', id }, ...this.#modelRows(old ?? null, fresh ?? null) });
    }
  }

  async #writeKey(tokenHash: string, records: AuditRecord[]): Promise<void> {
    const { keys } = this.stores;
    const rewrite = this.#keys.get(tokenHash);
    const key = await keys.findForUpdate(tokenHash);
    if (key === null || rewrite === undefined) return;
    const protection = rewritten(key.protection, rewrite);
    await keys.update(tokenHash, { protection, updatedAtMs: this.nowMs, updatedBy: this.actor.by });
    records.push(namesRecord({ type: 'key', id: tokenHash }, key.protection, protection));
  }

  async #writeTeam(teamId: string, records: AuditRecord[]): Promise<void> {
    const { teams } = this.stores;
    const rewrite = this.#teams.get(teamId);
    const team = await teams.findForUpdate(teamId);
    if (team === null || rewrite === undefined) return;
    const protection = rewritten(team.protection, rewrite);
    await teams.update(teamId, { protection, updatedAtMs: this.nowMs, updatedBy: this.actor.by });
    records.push(namesRecord({ type: 'team', id: teamId }, team.protection, protection));
  }
}

function after(first: RewriteNames | undefined, second: RewriteNames): RewriteNames {
  return first === undefined ? second : (names) => second(first(names));
}

/** The same provenance: the name that was trusted stays trusted, and the one that was not does not become it (M7). */
function rewritten(protection: Protection, rewrite: RewriteNames): Protection {
  const { policies, ...rest } = protection;
  if (policies === undefined) return protection;
  const names = [...new Set(rewrite(policies.value))];
  return names.length === 0 ? rest : { ...rest, policies: { ...policies, value: names } };
}

function namesRecord(object: AuditRecord['object'], before: Protection, after: Protection): AuditRecord {
  return {
    object,
    before: { policies: before.policies?.value ?? [] },
    after: { policies: after.policies?.value ?? [] },
  };
}

/** An object of the configuration file can be changed in the file alone (S7). */
export function definedInConfig(
  what: 'Policy' | 'Attachment',
  id: string,
  verb: 'changed' | 'removed',
): PortcullisError {
  return new PortcullisError(
    'defined_in_config',
    `${what} '${id}' is defined in config.yaml and can only be ${verb} there`,
  );
}
