import { type Detection, HttpFailure, type Inspection } from '../../guardrail.ts';
import type { OnViolation } from './settings.ts';
import { TooMuch } from './documents.ts';

export const CLEAN: Inspection = {
  outcome: { outcome: 'clean' },
  edits: [],
  detections: [],
  unread: [],
  trace: {},
};

/** Something a service found. */
export function finding(
  type: string,
  action: Detection['action'],
  more: Partial<Pick<Detection, 'span' | 'score' | 'category' | 'severity' | 'hash' | 'method'>> = {},
): Detection {
  return {
    type,
    action,
    span: null,
    method: 'service',
    score: null,
    category: null,
    severity: null,
    hash: null,
    ...more,
  };
}

/** What a detection says it asks for under a setting. */
export const actionOf = (setting: OnViolation): 'BLOCK' | 'LOG' => (setting === 'monitor' ? 'LOG' : 'BLOCK');

/** An inspection of flagged content, for what the guardrail's setting makes of it. */
export function flagged(
  setting: OnViolation,
  message: string,
  detections: readonly Detection[],
  trace: Inspection['trace'] = {},
): Inspection {
  const action = setting === 'monitor' ? 'log' : setting;
  return { ...CLEAN, outcome: { outcome: 'flagged', action, message }, detections, trace };
}

/** An inspection whose content cannot be put before the service (E1). */
export function tooComplex(reason: string): Inspection {
  return { ...CLEAN, outcome: { outcome: 'error', error_class: 'too_complex', reason } };
}

/** Does it, and turns content that is too much for the service into its outcome. */
export async function orTooComplex(work: () => Promise<Inspection>): Promise<Inspection> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TooMuch) return tooComplex('the content is too long to be put before the service');
    throw error;
  }
}

/**
 * Answers of several questions that were put together, in their order. The first failure stops the others.
 * @throws what the first failing one threw
 */
export async function together<T, R>(
  list: readonly T[],
  signal: AbortSignal,
  ask: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await Promise.all(list.map((item) => ask(item, controller.signal)));
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export const fault = (reason: string): HttpFailure => new HttpFailure('fault', reason);
