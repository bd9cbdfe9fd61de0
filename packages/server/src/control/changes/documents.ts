import { PortcullisError } from '@portcullis/contract';
import {
  type CompileResult,
  type Documents,
  mergeObjects,
  type ModelGroup,
  type PolicyObjects,
} from '@portcullis/policy';
import type { Stores } from '../../ports/database.ts';
import type { ConfiguredObjects, PolicyEngine } from '../../ports/policy-engine.ts';
import type {
  DocumentSource,
  StoredAttachment,
  StoredDelta,
  StoredGuardrail,
  StoredModel,
  StoredPolicy,
} from '../../ports/policy-store.ts';

/** The objects of the database at one revision, by id. */
export interface StoredObjects {
  readonly policies: ReadonlyMap<string, StoredPolicy>;
  readonly attachments: ReadonlyMap<string, StoredAttachment>;
  readonly guardrails: ReadonlyMap<string, StoredGuardrail>;
  readonly models: ReadonlyMap<string, StoredModel>;
}

/** The configuration in force. @throws PortcullisError `policy_not_ready` before the first one is loaded (S2). */
export function configuredOf(engine: PolicyEngine): ConfiguredObjects {
  const config = engine.configured();
  if (config === null) {
    throw new PortcullisError('policy_not_ready', 'The configuration is not loaded yet.');
  }
  return config;
}

/** The objects of one revision, with others at work in between: there may be hundreds of thousands (S8). */
async function readObjects(source: DocumentSource, revision: number): Promise<StoredObjects> {
  const { policies, attachments, guardrails, models } = await source.read(revision);
  return withDelta(NOTHING, { policies, attachments, guardrails, models, gone: [] });
}

const NOTHING: StoredObjects = {
  policies: new Map(),
  attachments: new Map(),
  guardrails: new Map(),
  models: new Map(),
};

function withDelta(objects: StoredObjects, delta: StoredDelta): StoredObjects {
  const next = {
    policies: new Map(objects.policies),
    attachments: new Map(objects.attachments),
    guardrails: new Map(objects.guardrails),
    models: new Map(objects.models),
  };
  for (const stored of delta.policies) next.policies.set(stored.policy.policy_id, stored);
  for (const stored of delta.attachments) next.attachments.set(stored.attachment.attachment_id, stored);
  for (const stored of delta.guardrails) next.guardrails.set(stored.guardrail.guardrail_id, stored);
  for (const stored of delta.models) next.models.set(stored.model.model_id, stored);
  for (const { object, id } of delta.gone) {
    switch (object) {
      case 'policy':
        next.policies.delete(id);
        break;
      case 'attachment':
        next.attachments.delete(id);
        break;
      case 'guardrail':
        next.guardrails.delete(id);
        break;
      case 'model':
        next.models.delete(id);
        break;
    }
  }
  return next;
}

/** The objects as the engine takes them. */
function policyObjects({ policies, attachments, guardrails }: StoredObjects): PolicyObjects {
  return {
    policies: [...policies.values()].map(({ policy }) => policy),
    attachments: [...attachments.values()].map(({ attachment }) => attachment),
    guardrails: [...guardrails.values()].map(({ guardrail }) => guardrail),
  };
}

/** Configuration and database as one set of documents (S7). */
export function mergedDocuments(
  config: ConfiguredObjects,
  objects: StoredObjects,
  revision: number,
): Documents {
  const { policies, attachments, guardrails } = mergeObjects(config, policyObjects(objects));
  return {
    revision,
    policies,
    attachments,
    guardrails,
    models: modelGroupsOf(config, objects),
    model_aliases: config.modelAliases,
    settings: { unscanned: config.unscanned },
  };
}

/** The model groups of both: the deployments of the database join the group of their name. */
export function modelGroupsOf(
  { modelGroups }: Pick<ConfiguredObjects, 'modelGroups'>,
  { models }: Pick<StoredObjects, 'models'>,
): readonly ModelGroup[] {
  if (models.size === 0) return modelGroups;
  const groups = new Map(modelGroups.map((group) => [group.model_name, group]));
  for (const { model } of models.values()) {
    const group = groups.get(model.model_name) ?? { model_name: model.model_name, deployments: [] };
    const added = { model: model.provider_model, guardrails: [...model.guardrails] };
    groups.set(model.model_name, { ...group, deployments: [...group.deployments, added] });
  }
  return [...groups.values()];
}

interface Kept {
  readonly revision: number;
  readonly objects: StoredObjects;
  /** What it was compiled with, if it was. */
  readonly configDigest: string | null;
  readonly compiled: CompileResult | null;
}

export interface Compiled {
  readonly revision: number;
  readonly objects: StoredObjects;
  readonly compiled: CompileResult;
}

/**
 * The newest documents this process knows, so that a change need not read everything again. Every change takes a
 * revision, so equal revisions hold equal objects, and the way from an older one to the current one is short.
 */
export class NewestDocuments {
  readonly #source: DocumentSource;
  #kept: Kept | null = null;
  #reading: Promise<void> | null = null;

  constructor(source: DocumentSource) {
    this.#source = source;
  }

  keep(kept: Kept): void {
    if (this.#kept === null || kept.revision >= this.#kept.revision) this.#kept = kept;
  }

  /** Reads everything once, before a change holds the head and with it every other change. */
  async warm(): Promise<void> {
    if (this.#kept !== null) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { revision } = await this.#source.head();
    const objects = await readObjects(this.#source, revision);
    this.keep({ revision, configDigest: null, objects, compiled: null });
  }

  /** The objects of the head that the caller holds: what is kept, and what was changed since. */
  async objectsAt(revision: number, { policies }: Stores): Promise<StoredObjects> {
    const kept = this.#kept;
    // A head before what is kept is a database that was put back to an older state.
    if (kept === null || kept.revision > revision) return withDelta(NOTHING, await policies.deltaSince(-1));
    if (kept.revision === revision) return kept.objects;
    return withDelta(kept.objects, await policies.deltaSince(kept.revision));
  }

  /** The newest committed documents, compiled with the configuration in force: what reviews and comparisons look at. */
  async compiled(engine: PolicyEngine): Promise<Compiled> {
    const config = configuredOf(engine);
    const { revision } = await this.#source.head();
    const kept = this.#kept?.revision === revision ? this.#kept : null;
    if (kept !== null && kept.configDigest === config.digest && kept.compiled !== null) {
      return { revision, objects: kept.objects, compiled: kept.compiled };
    }
    const objects = kept?.objects ?? (await readObjects(this.#source, revision));
    const compiled = await engine.compile(mergedDocuments(config, objects, revision));
    this.keep({ revision, configDigest: config.digest, objects, compiled });
    return { revision, objects, compiled };
  }
}
