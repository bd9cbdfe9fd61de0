import { ATTACKS, LABELS } from '../classifier/labels.ts';
import type { Model } from '../classifier/model.ts';
import { mayAttack, scoreWhole } from '../classifier/reading.ts';
import type { Segment } from '@portcullis/policy';
import type { Cluster } from './overlaps.ts';
import { reaches } from './categories/spec.ts';
import type { CategoryRule } from './rule.ts';

/** What the local model adds to the words of categories: a finding without a place, for a whole text. */
export class CategoryModel {
  private readonly model: Model;
  private readonly rules: readonly CategoryRule[];
  private readonly scores = new Float64Array(LABELS.length);

  /** @param rules Categories that ask the model; at least one. */
  constructor(model: Model, rules: readonly CategoryRule[]) {
    this.model = model;
    this.rules = rules;
  }

  /**
   * One cluster over the whole text for each category that has a label in it, the most certain one. A score that 0.1 % of
   * ordinary texts exceed has the severity high, one that 1 % exceed low. Requests alone are looked at: an answer that
   * streams cannot be judged as a whole, and must be treated like one that does not.
   */
  findings(text: string, kind: Segment['kind'], direction: 'request' | 'response'): Cluster[] {
    if (direction !== 'request' || text.length === 0) return [];
    const attacks = mayAttack(kind, direction);
    this.scores.fill(0);
    scoreWhole(this.model, text, this.scores);
    return this.rules.flatMap((rule) => {
      const found = this.judge(rule, attacks);
      if (found === null) return [];
      // Without a place there is nothing to mask.
      const action = rule.action === 'MASK' ? 'BLOCK' : rule.action;
      const match = {
        rule: { ...rule, ...found, action } as const,
        start: 0,
        end: text.length,
        value: '',
        strength: 0,
      };
      return [
        { start: 0, end: text.length, matches: [match], edits: [], block: action === 'BLOCK' ? match : null },
      ];
    });
  }

  private judge(
    rule: CategoryRule,
    attacks: boolean,
  ): Pick<CategoryRule, 'name' | 'severity' | 'score'> | null {
    let best: Pick<CategoryRule, 'name' | 'severity' | 'score'> | null = null;
    for (const label of rule.labels) {
      if (!attacks && ATTACKS.includes(label)) continue;
      const score = this.scores[LABELS.indexOf(label)] as number;
      const severity = score >= this.model.threshold(label, 0.001) ? 'high' : 'low';
      if (score < this.model.threshold(label, 0.01) || !reaches(severity, rule.threshold)) continue;
      if (best === null || score > (best.score ?? 0))
        best = { name: `local model: ${label}`, severity, score };
    }
    return best;
  }
}
