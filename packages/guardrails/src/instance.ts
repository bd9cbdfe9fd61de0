import type { CommonParams, ContentKind, DetectorFacts, ErrorClass, Guardrail } from '@portcullis/policy';
import type { Detector, DetectorDefinition } from './guardrail.ts';

/** One configured guardrail with its detector. */
export interface Instance {
  readonly guardrail: Guardrail;
  readonly definition: DetectorDefinition;
  readonly params: CommonParams;
  readonly facts: DetectorFacts;
  readonly detector: Detector;
  /** The kinds it looks at: what it can read, narrowed by its `scan` list (E9). */
  readonly scan: ReadonlySet<ContentKind>;
  /** The classes of error it lets through outside pipelines (E1). */
  readonly allowedErrors: ReadonlySet<ErrorClass>;
  readonly timeoutMs: number;
  /** SHA-256 of everything that its verdicts depend on besides the content (E6). */
  readonly digest: () => string;
}

/** The guardrails of one name. They take turns in proportion to their weights, without chance. */
export class Group {
  readonly instances: readonly [Instance, ...Instance[]];
  readonly #credit: number[];
  readonly #total: number;

  constructor(instances: readonly [Instance, ...Instance[]]) {
    this.instances = instances;
    this.#credit = instances.map(() => 0);
    this.#total = instances.reduce((sum, instance) => sum + instance.params.weight, 0);
  }

  /** The one every question about the configuration is put to. */
  get first(): Instance {
    return this.instances[0];
  }

  /** Whether any of them can change content. */
  get masks(): boolean {
    return this.instances.some((instance) => instance.facts.masks);
  }

  /**
   * The next one in turn: everyone gains its weight, the richest is taken and pays the total. One whose service rests is
   * passed over as long as another one can be asked.
   */
  pick(): Instance {
    if (this.instances.length === 1) return this.instances[0];
    const turn = this.#turn();
    if (turn.detector.available?.() !== false) return turn;
    return this.instances.find(({ detector }) => detector.available?.() !== false) ?? turn;
  }

  #turn(): Instance {
    let best = 0;
    for (const [index, instance] of this.instances.entries()) {
      const credit = (this.#credit[index] ?? 0) + instance.params.weight;
      this.#credit[index] = credit;
      if (credit > (this.#credit[best] ?? 0)) best = index;
    }
    this.#credit[best] = (this.#credit[best] ?? 0) - this.#total;
    return this.instances[best] ?? this.instances[0];
  }
}

export type Groups = ReadonlyMap<string, Group>;
