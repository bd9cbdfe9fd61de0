import type { Segment } from '@portcullis/policy';
import type { Detection, Detector, Inspection, Subject } from '../guardrail.ts';
import { isEncoded } from '../text/encoded.ts';
import { joinSegments } from '../text/segments.ts';
import type { ClassifierConfig } from './config.ts';
import { ATTACKS, type Label, LABELS } from './labels.ts';
import type { Model } from './model.ts';
import { mayAttack, scoreWhole } from './reading.ts';

/** Beyond this a subject is `too_complex`: UTF-16 units of all segments together. */
const SUBJECT_UNITS = 4 * 1024 * 1024;

/** The local model for one configuration. It judges texts as a whole, so streams are held until their end. */
export class Classifier implements Detector {
  private readonly model: Model;
  private readonly action: 'BLOCK' | 'LOG';
  /** Threshold of each label; Infinity for one that is not asked for. */
  private readonly limits: readonly number[];
  private readonly checks: number;

  constructor(config: ClassifierConfig, model: Model) {
    this.model = model;
    this.action = config.action;
    const asked = config.labels ?? LABELS;
    this.limits = LABELS.map((label) =>
      asked.includes(label)
        ? (config.thresholds[label] ?? model.threshold(label, config.false_positive_rate))
        : Infinity,
    );
    this.checks = new Set(asked).size;
  }

  inspect(subject: Subject): Inspection {
    const { segments, direction } = subject;
    const units = segments.reduce((sum, { text }) => sum + text.length, 0);
    if (units > SUBJECT_UNITS) return tooComplex();
    const unread: { segment: number; reason: string }[] = [];
    const highest = new Float64Array(LABELS.length);
    const detections: Detection[] = [];
    const look = (text: string, segment: number, attacks: boolean) => {
      const scores = new Float64Array(LABELS.length);
      scoreWhole(this.model, text, scores);
      const found = this.judge(scores, attacks, highest);
      for (const label of found) {
        const known = detections.some((one) => one.type === label && one.span?.segment === segment);
        if (!known) detections.push(this.detection(label, scores, segment, segments));
      }
    };
    segments.forEach((segment, index) => {
      if (segment.kind === 'files' && isEncoded(segment.text)) {
        unread.push({ segment: index, reason: 'encoded file content' });
      } else look(segment.text, index, mayAttack(segment.kind, direction));
    });
    for (const { members, text } of joinSegments(segments)) {
      const first = members[0] ?? 0;
      look(text, first, mayAttack(segments[first]?.kind ?? 'other', direction));
    }
    return this.answer(detections, highest, unread);
  }

  /** The labels that count, the most certain first; notes the highest scores of those that were asked for. */
  private judge(scores: Float64Array, attacks: boolean, highest: Float64Array): Label[] {
    const found: Label[] = [];
    LABELS.forEach((label, l) => {
      const limit = this.limits[l] as number;
      if (limit === Infinity || (!attacks && ATTACKS.includes(label))) return;
      const score = scores[l] as number;
      if (score > (highest[l] as number)) highest[l] = score;
      if (score >= limit) found.push(label);
    });
    return found.sort(
      (a, b) => (scores[LABELS.indexOf(b)] as number) - (scores[LABELS.indexOf(a)] as number),
    );
  }

  private detection(
    label: Label,
    scores: Float64Array,
    segment: number,
    segments: readonly Segment[],
  ): Detection {
    return {
      type: label,
      span: { segment, start: 0, end: segments[segment]?.text.length ?? 0 },
      action: this.action,
      method: 'model',
      score: rounded(scores[LABELS.indexOf(label)] as number),
      category: label,
      severity: null,
      hash: null,
    };
  }

  private answer(
    detections: readonly Detection[],
    highest: Float64Array,
    unread: Inspection['unread'],
  ): Inspection {
    const scores: Record<string, number> = {};
    LABELS.forEach((label, l) => {
      if (this.limits[l] !== Infinity) scores[label] = rounded(highest[l] as number);
    });
    const confidence = Math.max(0, ...Object.values(scores));
    const first = detections[0] ?? null;
    const message = first === null ? '' : `Content blocked: ${first.type} detected by the local model`;
    const blocks = first !== null && this.action === 'BLOCK';
    return {
      outcome:
        first === null
          ? { outcome: 'clean' }
          : { outcome: 'flagged', action: blocks ? 'block' : 'log', message },
      edits: [],
      detections,
      unread,
      trace: {
        patterns_checked: this.checks,
        confidence_score: confidence,
        risk_score: riskScore(confidence, first !== null, blocks),
        guardrail_response: { scores },
        ...(blocks ? { provider_fields: { error: message, category: first.type, score: first.score } } : {}),
      },
    };
  }
}

/** Risk on the scale 0 to 10: 10 when blocked, 7 when reported, else in proportion to the highest score, at most 4. */
function riskScore(confidence: number, found: boolean, blocks: boolean): number {
  if (blocks) return 10;
  return found ? 7 : Math.round(confidence * 40) / 10;
}

function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}

function tooComplex(): Inspection {
  return {
    outcome: { outcome: 'error', error_class: 'too_complex', reason: 'the text is too long' },
    edits: [],
    detections: [],
    unread: [],
    trace: {},
  };
}
