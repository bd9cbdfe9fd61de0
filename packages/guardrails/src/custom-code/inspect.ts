import { BINARY_KINDS, type ErrorClass } from '@portcullis/policy';
import { z } from 'zod';
import type { Inspection, Subject } from '../guardrail.ts';
import { NOTHING_STRUCTURED, requestData, structuredOf } from '../remote/generic/wire.ts';
import { CLEAN, finding, flagged } from '../remote/service/inspection.ts';
import { runInSandbox, type SandboxResult, type SandboxRun } from './sandbox.ts';

/** The largest content that is handed to code, in UTF-16 code units of its JSON. */
const MAX_INPUT = 4 * 1024 * 1024;
const MAX_REASON = 2_000;

/** What a function of a guardrail may answer. */
export const verdictSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('allow') }),
  z.object({ action: z.literal('block'), reason: z.string().nullish() }),
  z.object({
    action: z.literal('modify'),
    texts: z.array(z.string()).nullish(),
    images: z.array(z.string()).nullish(),
    tool_calls: z.array(z.unknown()).nullish(),
  }),
]);
export type CodeVerdict = z.infer<typeof verdictSchema>;

/** Runs the code of a guardrail on a subject. */
export async function inspectWith(
  code: Pick<SandboxRun, 'source' | 'limits' | 'request'>,
  subject: Subject,
  signal: AbortSignal,
): Promise<Inspection> {
  const { segments, request: facts } = subject;
  const places: number[] = [];
  const texts: string[] = [];
  const images: string[] = [];
  for (const [place, { kind, text }] of segments.entries()) {
    if (BINARY_KINDS.has(kind)) images.push(text);
    else {
      places.push(place);
      texts.push(text);
    }
  }
  // Beside masked texts the whole body would show what they hide.
  const masked = segments.some((segment, place) => segment.text !== subject.original[place]?.text);
  const structured = masked ? NOTHING_STRUCTURED : structuredOf(subject.direction, facts.body);
  const inputs = JSON.stringify({ texts, images, ...structured, model: facts.model });
  if (inputs.length > MAX_INPUT)
    return failed('too_complex', 'the content is too long to be handed to the code');
  const data = {
    model: facts.model,
    user_id: facts.userId,
    team_id: facts.teamId,
    end_user_id: facts.endUserId,
    call_id: facts.callId,
    metadata: requestData(facts),
  };
  const result = await runInSandbox(
    { ...code, inputs, requestData: JSON.stringify(data), inputType: subject.direction },
    signal,
  );
  if (!result.ok) return failed(CLASSES[result.type], REASONS[result.type]);
  const verdict = verdictSchema.safeParse(result.value);
  if (!verdict.success) return failed('fault', 'the code did not answer with allow(), block() or modify()');
  return inspectionOf(verdict.data, subject, places, images);
}

const CLASSES: Readonly<Record<Exclude<SandboxResult, { ok: true }>['type'], ErrorClass>> = {
  compilation: 'fault',
  execution: 'fault',
  // Content can be made to meet a limit, so that a guardrail which lets faults pass does not let this pass.
  limit: 'too_complex',
  stopped: 'unreachable',
};

/** What code says of its own failure may quote the content, and so stays out of records. */
const REASONS = {
  compilation: 'the code does not compile',
  execution: 'the code failed',
  limit: 'the code met its limit of time or memory',
  stopped: 'the code was stopped',
} as const;

const failed = (errorClass: ErrorClass, reason: string): Inspection => ({
  ...CLEAN,
  outcome: { outcome: 'error', error_class: errorClass, reason },
});

function inspectionOf(
  verdict: CodeVerdict,
  subject: Subject,
  places: readonly number[],
  images: readonly string[],
): Inspection {
  const trace = { guardrail_response: { action: verdict.action } };
  switch (verdict.action) {
    case 'allow':
      return { ...CLEAN, trace };
    case 'block': {
      const reason = verdict.reason?.slice(0, MAX_REASON) || 'Content blocked by guardrail';
      const rule = finding('custom_code', 'BLOCK', { method: 'rule' });
      return flagged('block', reason, [rule], { ...trace, reason: 'blocked by the code' });
    }
    case 'modify':
      return modified(verdict, subject, places, images, trace);
  }
}

function modified(
  { texts, images, tool_calls: calls }: Extract<CodeVerdict, { action: 'modify' }>,
  subject: Subject,
  places: readonly number[],
  before: readonly string[],
  trace: Inspection['trace'],
): Inspection {
  const otherImages = images != null && JSON.stringify(images) !== JSON.stringify(before);
  if (otherImages || calls != null) {
    return failed('undeliverable', 'the code changed something else than texts');
  }
  if (texts == null) return { ...CLEAN, trace };
  if (texts.length !== places.length) {
    return failed('fault', `the code gave ${texts.length} texts for ${places.length}`);
  }
  const edits = places.flatMap((segment, index) => {
    const text = subject.segments[segment]?.text ?? '';
    const replacement = texts[index] ?? '';
    return replacement === text ? [] : [{ segment, start: 0, end: text.length, replacement }];
  });
  if (edits.length === 0) return { ...CLEAN, trace };
  return {
    ...CLEAN,
    outcome: { outcome: 'masked' },
    edits,
    detections: edits.map(({ segment, end }) =>
      finding('custom_code', 'MASK', { method: 'rule', span: { segment, start: 0, end } }),
    ),
    trace,
  };
}
