import type { Pipeline, PipelineStep } from '@portcullis/policy';
import { useCallback, useState } from 'react';

/** A step while it is edited: it has an identity of its own, so that moving it keeps the focus. */
export interface DraftStep extends PipelineStep {
  readonly id: string;
}

export interface FlowDraft {
  readonly mode: Pipeline['mode'];
  readonly steps: readonly DraftStep[];
}

let counter = 0;

export function newStep(step: Partial<PipelineStep> = {}): DraftStep {
  counter += 1;
  return {
    guardrail: '',
    on_pass: 'next',
    on_fail: 'block',
    on_error: null,
    pass_data: false,
    modify_response_message: null,
    ...step,
    id: `step-${counter}`,
  };
}

export function draftOf(pipeline: Pipeline | null): FlowDraft {
  return { mode: pipeline?.mode ?? 'pre_call', steps: (pipeline?.steps ?? []).map((step) => newStep(step)) };
}

/** Null for a pipeline without steps, which is none. */
export function pipelineOf({ mode, steps }: FlowDraft): Pipeline | null {
  if (steps.length === 0) return null;
  return { mode, steps: steps.map(withoutId) };
}

/** What a step says, for the pipeline or for a copy of it. */
export function withoutId(draft: DraftStep): PipelineStep {
  const { id: _, ...step } = draft;
  return step;
}

const REMEMBERED = 100;

/** A value with its past and its future. Changes of the same kind in a row are one step back. */
export function useHistory<Value>(initial: Value) {
  const [{ past, now, future }, setState] = useState<{
    readonly past: readonly Value[];
    readonly now: Value;
    readonly future: readonly Value[];
    readonly kind: string | null;
  }>({ past: [], now: initial, future: [], kind: null });
  const change = useCallback((next: Value, of: string | null = null) => {
    setState((state) => ({
      past: of !== null && of === state.kind ? state.past : [...state.past.slice(-REMEMBERED), state.now],
      now: next,
      future: [],
      kind: of,
    }));
  }, []);
  const undo = useCallback(() => {
    setState((state) => {
      const before = state.past.at(-1);
      if (before === undefined) return state;
      return { past: state.past.slice(0, -1), now: before, future: [state.now, ...state.future], kind: null };
    });
  }, []);
  const redo = useCallback(() => {
    setState((state) => {
      const [after, ...rest] = state.future;
      if (after === undefined) return state;
      return { past: [...state.past, state.now], now: after, future: rest, kind: null };
    });
  }, []);
  return { now, change, undo, redo, canUndo: past.length > 0, canRedo: future.length > 0 };
}
