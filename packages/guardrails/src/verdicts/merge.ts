import type { Inspection } from '../guardrail.ts';
import { failed } from '../inspect.ts';

/** An inspection of some of the segments, beginning at `from`. */
export interface Part {
  readonly from: number;
  readonly inspection: Inspection;
}

/** Things found in one content at most; beyond, it is `too_complex`. */
const MAX_DETECTIONS = 20_000;
const TOO_MANY = failed('too_complex', 'the text has too many matches');

/**
 * The inspection of a whole content from those of its parts, in their order. The outcome is the first of the gravest: a
 * block, then no answer, a soft block, a mask, a report. Kinds of detectors judged part by part promise that this is what
 * they would have said of the whole.
 */
export function mergeParts(parts: readonly Part[], clean: Inspection): Inspection {
  const [first] = parts;
  if (first === undefined) return clean;
  let decides = first.inspection;
  let found = 0;
  let speaking = 0;
  for (const { inspection } of parts) {
    found += inspection.detections.length;
    if (gravity(inspection) > gravity(decides)) decides = inspection;
    if (!isSilent(inspection)) speaking++;
  }
  if (found > MAX_DETECTIONS) return TOO_MANY;
  if (speaking === 0) return (parts.find(({ inspection }) => inspection !== clean) ?? first).inspection;
  const moved = parts.filter(({ inspection }) => !isSilent(inspection)).map(movedPart);
  const [only] = moved;
  if (moved.length === 1 && only !== undefined) return only;
  const stops = decides.outcome.outcome === 'error';
  const responses = moved.flatMap(({ trace }) =>
    Array.isArray(trace.guardrail_response) ? (trace.guardrail_response as unknown[]) : [],
  );
  return {
    outcome: decides.outcome,
    edits: stops ? [] : moved.flatMap(({ edits }) => edits),
    detections: moved.flatMap(({ detections }) => detections),
    unread: moved.flatMap(({ unread }) => unread),
    trace: responses.length === 0 ? decides.trace : { ...decides.trace, guardrail_response: responses },
  };
}

const GRAVITY = { clean: 0, log: 1, masked: 2, respond: 3, error: 4, block: 5 } as const;

const gravity = ({ outcome }: Inspection): number =>
  GRAVITY[outcome.outcome === 'flagged' ? outcome.action : outcome.outcome];

const isSilent = ({ outcome, detections, unread }: Inspection): boolean =>
  outcome.outcome === 'clean' && detections.length === 0 && unread.length === 0;

/** The same inspection with the places of the whole content. */
function movedPart({ from, inspection }: Part): Inspection {
  if (from === 0) return inspection;
  return {
    ...inspection,
    edits: inspection.edits.map((edit) => ({ ...edit, segment: edit.segment + from })),
    detections: inspection.detections.map((detection) =>
      detection.span === null
        ? detection
        : { ...detection, span: { ...detection.span, segment: detection.span.segment + from } },
    ),
    unread: inspection.unread.map((item) => ({ ...item, segment: item.segment + from })),
  };
}
