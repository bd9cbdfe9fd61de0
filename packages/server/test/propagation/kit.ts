import { builtIns } from '@portcullis/guardrails';
import {
  attachmentDefinitionSchema,
  attachmentFromDefinition,
  type Guardrail,
  guardrailSchema,
  type Policy,
  policyDefinitionSchema,
  policyFromDefinition,
} from '@portcullis/policy';
import type { LastGood, LastGoodStore } from '../../src/ports/last-good.ts';
import type {
  PolicyHead,
  StoredAttachment,
  StoredDocuments,
  StoredGuardrail,
  StoredPolicy,
} from '../../src/ports/policy-store.ts';
import type { BuildTools, SnapshotSource } from '../../src/snapshot/build.ts';
import { ActiveSnapshots } from '../../src/snapshot/holder.ts';
import { type LoaderParts, SnapshotLoader } from '../../src/snapshot/loader.ts';
import { realClock } from '../storage/kit.ts';

const WRITTEN = { createdAtMs: 1, createdBy: 'alice', updatedAtMs: 1, updatedBy: 'alice' };

export function filter(name: string, word: string): Guardrail {
  return guardrailSchema.parse({
    guardrail_id: `id-${name}`,
    guardrail_name: name,
    litellm_params: {
      guardrail: 'litellm_content_filter',
      mode: 'pre_call',
      blocked_words: [{ keyword: word, action: 'BLOCK' }],
    },
  });
}

export function policy(name: string, guardrails: readonly string[], over: Partial<Policy> = {}): Policy {
  return { ...policyFromDefinition(name, policyDefinitionSchema.parse({ guardrails })), ...over };
}

export function storedPolicy(id: string, name: string, guardrails: readonly string[]): StoredPolicy {
  const stored = policy(name, guardrails, { policy_id: id, version_number: 1, definition_location: 'db' });
  return {
    policy: stored,
    parentVersionId: null,
    note: null,
    publishedAtMs: null,
    productionAtMs: 1,
    ...WRITTEN,
  };
}

export function storedAttachment(id: string, policyName: string): StoredAttachment {
  const attachment = attachmentFromDefinition(
    0,
    attachmentDefinitionSchema.parse({ policy: policyName, scope: '*' }),
  );
  return { attachment: { ...attachment, attachment_id: id, definition_location: 'db' }, ...WRITTEN };
}

export function storedGuardrail(guardrail: Guardrail): StoredGuardrail {
  return { guardrail: { ...guardrail, definition_location: 'db' }, ...WRITTEN };
}

/** A configuration file with two guardrails, and one of its own policies for everybody. */
export function configuration(digest: string, over: Partial<SnapshotSource> = {}): SnapshotSource {
  return {
    digest,
    policies: [policy('from-yaml', ['words-a'])],
    attachments: [
      attachmentFromDefinition(0, attachmentDefinitionSchema.parse({ policy: 'from-yaml', scope: '*' })),
    ],
    guardrails: [filter('words-a', 'alpha'), filter('words-b', 'beta')],
    modelGroups: [{ model_name: 'gpt', deployments: [{ model: 'mock/gpt', guardrails: [] }] }],
    deployedGroups: [],
    modelAliases: {},
    settings: {
      keyHeaderName: null,
      useForwardedFor: false,
      addUserAgentTags: false,
      maxRequestBytes: 1_000_000,
      guardrailBudgetMs: 10_000,
      streamBufferCharacters: 1_000_000,
      storePrompts: false,
      unscanned: null,
    },
    ...over,
  };
}

type Contents = Partial<Pick<StoredDocuments, 'policies' | 'attachments' | 'guardrails' | 'models'>>;

/** Documents in memory that can be taken away, spoilt, and changed while they are read. */
class FakeDocuments {
  readonly revisions = new Map<number, StoredDocuments>();
  headIs: PolicyHead = { revision: 0, configDigest: null };
  /** Thrown by the next questions, until it is taken away. */
  failure: Error | null = null;
  /** Thrown when this revision is read. */
  readonly spoilt = new Map<number, Error>();
  reads: number[] = [];
  /** Happens between the head and the reading. */
  meanwhile: (() => void) | null = null;

  constructor() {
    this.revisions.set(0, { ...EMPTY, revision: 0, configDigest: null });
  }

  /** A change by any replica; what is not given stays. */
  commit(contents: Contents, configDigest: string | null = this.headIs.configDigest): number {
    const revision = this.headIs.revision + 1;
    const before = this.revisions.get(this.headIs.revision) ?? EMPTY;
    this.revisions.set(revision, { ...before, ...contents, revision, configDigest });
    this.headIs = { revision, configDigest };
    return revision;
  }

  async head(): Promise<PolicyHead> {
    if (this.failure !== null) throw this.failure;
    const head = this.headIs;
    this.meanwhile?.();
    return head;
  }

  async read(revision: number): Promise<StoredDocuments> {
    if (this.failure !== null) throw this.failure;
    this.reads.push(revision);
    const spoilt = this.spoilt.get(revision);
    if (spoilt !== undefined) throw spoilt;
    const found = this.revisions.get(revision);
    if (found === undefined) throw new Error(`no revision ${revision}`);
    return found;
  }
}

const EMPTY = {
  policies: [],
  attachments: [],
  guardrails: [],
  models: [],
  revision: 0,
  configDigest: null,
};

class FakeLastGood implements LastGoodStore {
  kept: LastGood = { kind: 'none' };
  failure: Error | null = null;
  onWrite: (() => void) | null = null;

  async read(): Promise<LastGood> {
    return this.kept;
  }

  async write(documents: StoredDocuments): Promise<void> {
    this.onWrite?.();
    if (this.failure !== null) throw this.failure;
    this.kept = { kind: 'found', documents };
  }
}

const tools: BuildTools = {
  catalogue: builtIns(null),
  ports: {
    clock: realClock,
    http: { send: () => Promise.reject(new Error('no network here')) },
    hash: () => 'hash',
  },
  clock: realClock,
};

/** A loader on documents in memory: for the order of things and their failures. */
export function loaderKit(over: Partial<LoaderParts<SnapshotSource>> = {}) {
  const holder = new ActiveSnapshots();
  const documents = new FakeDocuments();
  const lastGood = new FakeLastGood();
  const refusals: string[] = [];
  const living = new Set<string>();
  const loader = new SnapshotLoader<SnapshotSource>({
    holder,
    tools,
    documents,
    lastGood,
    events: { snapshotLoaded: () => undefined, snapshotRefused: (problem) => refusals.push(problem) },
    openGuardrail: (guardrail) => guardrail,
    openModel: ({ model_name }) => {
      throw new Error(`no model ${model_name} is opened here`);
    },
    takeRevision: async (digest, base) => {
      if (documents.headIs.revision !== base || documents.headIs.configDigest === digest) return null;
      return documents.commit({}, digest);
    },
    isOrphaned: async (digest) => !living.has(digest),
    ...over,
  });
  const names = () =>
    (holder.current()?.policy.documents.policies ?? []).map(({ policy_name }) => policy_name);
  return { holder, documents, lastGood, loader, refusals, living, names };
}
