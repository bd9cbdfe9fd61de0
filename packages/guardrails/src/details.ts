import type { Demand, Hook } from '@portcullis/policy';
import type { BlockDetails, PipelineContext } from './hook.ts';
import type { RunResult } from './run.ts';

/** The policy a caller is told about: the first that demanded the run. */
export const policyOf = (demands: readonly Demand[]): string | null =>
  demands.find((demand) => demand.policy_name !== undefined)?.policy_name ?? null;

/** What a caller is told when this run blocks (E7). */
export function blockDetails(
  hook: Hook,
  result: RunResult,
  policy: string | null,
  pipeline: PipelineContext | null,
): BlockDetails {
  const { type, message, fields } = explain(result);
  const base = { guardrail_name: result.guardrail, guardrail_mode: hook, policy };
  return {
    type,
    message,
    ...base,
    provider_specific_fields: { ...fields, ...base },
    ...(pipeline === null ? {} : { pipeline_context: pipeline }),
  };
}

/** What a caller is told when a pipeline blocks and no step of it does. */
export function pipelineBlockDetails(hook: Hook, context: PipelineContext): BlockDetails {
  const base = { guardrail_name: null, guardrail_mode: hook, policy: context.policy };
  return {
    type: 'guardrail_pipeline_error',
    message: `Content blocked by guardrail pipeline '${context.policy}'`,
    ...base,
    provider_specific_fields: base,
    pipeline_context: context,
  };
}

function explain(result: RunResult): Pick<BlockDetails, 'type' | 'message'> & {
  readonly fields: Readonly<Record<string, unknown>>;
} {
  const { outcome } = result;
  if (outcome.outcome === 'flagged' && outcome.action !== 'log') {
    return {
      type: 'guardrail_violation',
      message: outcome.message,
      fields: result.trace.provider_fields ?? {},
    };
  }
  if (outcome.outcome === 'error' && !result.failedOpen) {
    return {
      type: 'guardrail_error',
      message: `Guardrail '${result.guardrail}' gave no verdict: ${outcome.reason}`,
      fields: { error_class: outcome.error_class, reason: outcome.reason },
    };
  }
  const refusing = result.unscanned.filter((item) => item.setting === 'block');
  const kinds = [...new Set(refusing.map((item) => item.kind))];
  return {
    type: 'guardrail_violation',
    message: `Guardrail '${result.guardrail}' does not scan content of kind ${kinds.join(', ')}, which is refused`,
    fields: { error: 'unscanned_content', kinds },
  };
}
