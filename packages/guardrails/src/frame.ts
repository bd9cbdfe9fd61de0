import type { Inspection, Ports } from './guardrail.ts';
import type { HookInput } from './hook.ts';
import type { Groups } from './instance.ts';

/** What all runs of one hook share. */
export interface Frame {
  readonly input: HookInput;
  readonly groups: Groups;
  readonly ports: Ports;
  /** On the monotonic clock: when waiting for remote detectors ends. */
  readonly endsAtMs: number;
  /** Inspections under way, so that a block can stop those after it. */
  readonly waiting: Set<AbortController>;
  /** Every inspection answers this instead of being made, such as `too_complex` for an answer that outgrew its buffer. */
  readonly forced: Inspection | null;
}

export function makeFrame(
  input: HookInput,
  groups: Groups,
  ports: Ports,
  forced: Inspection | null = null,
): Frame {
  return {
    input,
    groups,
    ports,
    endsAtMs: ports.clock.monotonic() + input.budgetMs,
    waiting: new Set(),
    forced,
  };
}

/** Stops what is still under way after a block. Its outcome no longer matters. */
export function stopWaiting(frame: Frame): void {
  for (const controller of frame.waiting) controller.abort();
  frame.waiting.clear();
}
