import type { ErrorClass } from '@portcullis/policy';
import type { Frame } from './frame.ts';
import { type Detector, HttpFailure, type Inspection, type Subject } from './guardrail.ts';
import type { MaybePromise } from './hook.ts';
import type { Instance } from './instance.ts';
import { isPromise } from './maybe.ts';

/** An inspection without a verdict (E1). */
export function failed(errorClass: ErrorClass, reason: string): Inspection {
  return {
    outcome: { outcome: 'error', error_class: errorClass, reason },
    edits: [],
    detections: [],
    unread: [],
    trace: {},
  };
}

/**
 * What an exception means (E1). The text of an exception we did not write may quote the content, so that only its kind
 * is kept.
 */
export function failureOf(error: unknown): Inspection {
  if (error instanceof HttpFailure) return failed(error.errorClass, error.message);
  return failed('fault', `the detector failed (${error instanceof Error ? error.name : typeof error})`);
}

/**
 * One inspection, bounded by the guardrail's timeout and the budget of the hook. Never throws, never rejects; answers
 * without a promise when the detector does. A local detector is always asked, because it cannot be waited for: a slow
 * service before it must not switch it off.
 */
export function inspect(frame: Frame, instance: Instance, subject: Subject): MaybePromise<Inspection> {
  if (frame.forced !== null) return frame.forced;
  const { signal } = frame.input;
  if (signal.aborted) return GONE;
  if (instance.definition.remote !== true) {
    const answer = ask(instance.detector, subject, signal);
    return isPromise(answer) ? bounded(frame, answer, new AbortController(), instance.timeoutMs) : answer;
  }
  const leftMs = frame.endsAtMs - frame.ports.clock.monotonic();
  if (leftMs <= 0) return failed('unreachable', 'the time budget of the request is used up');
  const controller = new AbortController();
  const answer = ask(instance.detector, subject, controller.signal);
  return isPromise(answer)
    ? bounded(frame, answer, controller, Math.min(leftMs, instance.timeoutMs))
    : answer;
}

const GONE = failed('undeliverable', 'the caller is gone');

function ask(detector: Detector, subject: Subject, signal: AbortSignal): MaybePromise<Inspection> {
  try {
    const answer = detector.inspect(subject, signal);
    return isPromise(answer) ? answer : inShape(answer);
  } catch (error) {
    return failureOf(error);
  }
}

function bounded(
  frame: Frame,
  answer: Promise<Inspection>,
  controller: AbortController,
  timeoutMs: number,
): Promise<Inspection> {
  return new Promise((resolve) => {
    const end = (inspection: Inspection) => {
      clearTimeout(timer);
      frame.input.signal.removeEventListener('abort', onGone);
      controller.signal.removeEventListener('abort', onStopped);
      frame.waiting.delete(controller);
      resolve(inspection);
    };
    const onGone = () => {
      end(GONE);
      controller.abort();
    };
    const onStopped = () => end(failed('unreachable', 'stopped'));
    const timer = setTimeout(() => {
      end(failed('unreachable', `no answer within ${Math.round(timeoutMs)} ms`));
      controller.abort();
    }, timeoutMs);
    frame.input.signal.addEventListener('abort', onGone);
    controller.signal.addEventListener('abort', onStopped);
    frame.waiting.add(controller);
    answer.then(
      (inspection) => end(inShape(inspection)),
      (error: unknown) => end(failureOf(error)),
    );
  });
}

const OUTCOMES: ReadonlySet<unknown> = new Set(['clean', 'masked', 'flagged', 'error']);

/** Not every detector is checked by a compiler: an answer of another shape is a fault, not a verdict. */
function inShape(inspection: Inspection): Inspection {
  const answer: Partial<Inspection> | null | undefined = inspection;
  const fits =
    OUTCOMES.has(answer?.outcome?.outcome) &&
    Array.isArray(answer?.edits) &&
    Array.isArray(answer.detections) &&
    Array.isArray(answer.unread) &&
    typeof answer.trace === 'object';
  return fits ? inspection : failed('fault', 'the detector gave no inspection');
}
