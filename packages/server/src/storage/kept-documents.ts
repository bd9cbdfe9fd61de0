import { createHash } from 'node:crypto';
import type { StoredDelta, StoredObjectType } from '../ports/policy-store.ts';

type Objects = Pick<StoredDelta, 'policies' | 'attachments' | 'guardrails' | 'models'>;

/** Tells whether two sets of documents are the same ones at the same revisions: their number, and a sum of hashes. */
export interface DocumentsMark {
  readonly count: number;
  readonly sum: number;
}

export const documentKey = ({ object, id }: StoredDelta['gone'][number]): string => `${object} ${id}`;

/** 32 bits for one document as it is since one revision; 200,000 of them add up exactly. */
function hashOf(key: string, from: number): number {
  return createHash('md5').update(`${key} ${from}`).digest().readUInt32BE(0);
}

/** The documents of one revision, each with the revision since which it is as it is. Never changes. */
export class KeptDocuments {
  readonly revision: number;
  readonly #policies: ReadonlyMap<string, Objects['policies'][number]>;
  readonly #attachments: ReadonlyMap<string, Objects['attachments'][number]>;
  readonly #guardrails: ReadonlyMap<string, Objects['guardrails'][number]>;
  readonly #models: ReadonlyMap<string, Objects['models'][number]>;
  readonly #froms: ReadonlyMap<string, number>;
  readonly #sum: number;

  private constructor(
    revision: number,
    objects: {
      readonly policies: ReadonlyMap<string, Objects['policies'][number]>;
      readonly attachments: ReadonlyMap<string, Objects['attachments'][number]>;
      readonly guardrails: ReadonlyMap<string, Objects['guardrails'][number]>;
      readonly models: ReadonlyMap<string, Objects['models'][number]>;
    },
    froms: ReadonlyMap<string, number>,
    sum: number,
  ) {
    this.revision = revision;
    this.#policies = objects.policies;
    this.#attachments = objects.attachments;
    this.#guardrails = objects.guardrails;
    this.#models = objects.models;
    this.#froms = froms;
    this.#sum = sum;
  }

  static of(revision: number, objects: Objects, froms: ReadonlyMap<string, number>): KeptDocuments {
    const nothing = { policies: new Map(), attachments: new Map(), guardrails: new Map(), models: new Map() };
    return new KeptDocuments(revision, nothing, new Map(), 0).advanced(revision, objects, froms, []);
  }

  /** What is left after `gone`, with what is new or different. */
  advanced(
    revision: number,
    fresh: Objects,
    froms: ReadonlyMap<string, number>,
    ended: StoredDelta['gone'],
  ): KeptDocuments {
    const maps = {
      policy: new Map(this.#policies),
      attachment: new Map(this.#attachments),
      guardrail: new Map(this.#guardrails),
      model: new Map(this.#models),
    } satisfies Record<StoredObjectType, unknown>;
    const all = new Map(this.#froms);
    let sum = this.#sum;
    const drop = (key: string): void => {
      const from = all.get(key);
      if (from === undefined) return;
      sum -= hashOf(key, from);
      all.delete(key);
    };
    // What ended and is there again is among the fresh ones, which come after.
    for (const gone of ended) {
      maps[gone.object].delete(gone.id);
      drop(documentKey(gone));
    }
    for (const stored of fresh.policies) maps.policy.set(stored.policy.policy_id, stored);
    for (const stored of fresh.attachments) maps.attachment.set(stored.attachment.attachment_id, stored);
    for (const stored of fresh.guardrails) maps.guardrail.set(stored.guardrail.guardrail_id, stored);
    for (const stored of fresh.models) maps.model.set(stored.model.model_id, stored);
    for (const [key, from] of froms) {
      drop(key);
      all.set(key, from);
      sum += hashOf(key, from);
    }
    const { policy: policies, attachment: attachments, guardrail: guardrails, model: models } = maps;
    return new KeptDocuments(revision, { policies, attachments, guardrails, models }, all, sum);
  }

  matches({ count, sum }: DocumentsMark): boolean {
    return this.#froms.size === count && this.#sum === sum;
  }

  /** In the order of their ids, however they were read. */
  objects(): Objects {
    return {
      policies: inOrder(this.#policies),
      attachments: inOrder(this.#attachments),
      guardrails: inOrder(this.#guardrails),
      models: inOrder(this.#models),
    };
  }
}

function inOrder<T>(objects: ReadonlyMap<string, T>): readonly T[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}
