import { PortcullisError } from '@portcullis/contract';
import { type CompileResult, type Documents, mergeObjects, type PolicyObjects } from '@portcullis/policy';
import type { Stores } from '../../ports/database.ts';
import type { ConfiguredObjects, PolicyEngine } from '../../ports/policy-engine.ts';
import type { StoredAttachment, StoredGuardrail, StoredPolicy } from '../../ports/policy-store.ts';

/** The objects of the database at one revision, by id. */
export interface StoredObjects {
  readonly policies: ReadonlyMap<string, StoredPolicy>;
  readonly attachments: ReadonlyMap<string, StoredAttachment>;
  readonly guardrails: ReadonlyMap<string, StoredGuardrail>;
}

/** The configuration in force. @throws PortcullisError `policy_not_ready` before the first one is loaded (S2). */
export function configuredOf(engine: PolicyEngine): ConfiguredObjects {
  const config = engine.configured();
  if (config === null) {
    throw new PortcullisError('policy_not_ready', 'The configuration is not loaded yet.');
  }
  return config;
}

/** The current objects, read anew. Inside a transaction that holds the head nothing can change beside it. */
export async function readObjects({ policies }: Pick<Stores, 'policies'>): Promise<StoredObjects> {
  const versions = await policies.policies({});
  const attachments = await policies.attachments({});
  const guardrails = await policies.guardrails();
  return {
    policies: new Map(versions.map((stored) => [stored.policy.policy_id, stored])),
    attachments: new Map(attachments.map((stored) => [stored.attachment.attachment_id, stored])),
    guardrails: new Map(guardrails.map((stored) => [stored.guardrail.guardrail_id, stored])),
  };
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
    models: config.modelGroups,
    model_aliases: config.modelAliases,
    settings: { unscanned: config.unscanned },
  };
}

interface Kept {
  readonly revision: number;
  readonly configDigest: string;
  readonly objects: StoredObjects;
  readonly compiled: CompileResult | null;
}

/**
 * The newest documents this process knows, so that a change need not read everything again. Whoever holds the head has
 * their revision proved: every change takes one, so equal revisions hold equal objects.
 */
export class NewestDocuments {
  #kept: Kept | null = null;

  keep(kept: Kept): void {
    if (this.#kept === null || kept.revision >= this.#kept.revision) this.#kept = kept;
  }

  /** The objects of a revision, kept or read. The caller holds the head. */
  async objectsAt(revision: number, stores: Stores): Promise<StoredObjects> {
    if (this.#kept?.revision === revision) return this.#kept.objects;
    return readObjects(stores);
  }

  /** The newest committed documents, compiled with the configuration in force: what reviews and comparisons look at. */
  async compiled(stores: Stores, engine: PolicyEngine): Promise<Kept & { readonly compiled: CompileResult }> {
    const config = configuredOf(engine);
    const { revision } = await stores.policies.head();
    const kept = this.#kept;
    if (kept?.revision === revision && kept.configDigest === config.digest && kept.compiled !== null) {
      return { ...kept, compiled: kept.compiled };
    }
    // Without the head being held a change may come in between: what is kept is then not of this revision.
    const objects = kept?.revision === revision ? kept.objects : await readObjects(stores);
    const isSettled = (await stores.policies.head()).revision === revision;
    const compiled = await engine.compile(mergedDocuments(config, objects, revision));
    const fresh = { revision, configDigest: config.digest, objects, compiled };
    if (isSettled) this.keep(fresh);
    return fresh;
  }
}
