/** Collects what is wrong or doubtful in the documents: all of it at once, in document order. */
import type { Finding, FindingPath } from './schema/documents.ts';

/**
 * Every code a finding can have. Codes are stable: tools and translations rely on them. Errors keep documents out of a
 * snapshot; warnings are lint.
 */
export const FINDING_CODES = [
  // errors
  'duplicate_policy_id',
  'duplicate_policy_version',
  'duplicate_production_version',
  'duplicate_attachment_id',
  'duplicate_guardrail_id',
  'duplicate_model_group',
  'invalid_name',
  'invalid_pattern',
  'invalid_selectors',
  'invalid_condition',
  'limit_exceeded',
  'missing_parent',
  'inheritance_cycle',
  'chain_too_deep',
  'unknown_guardrail',
  'unknown_policy',
  'unknown_detector',
  'unsupported_hook',
  'mask_in_during_call',
  'guardrails_disagree',
  'removes_locked_guardrail',
  'lock_not_in_list',
  'lock_and_remove',
  'step_not_in_list',
  'step_hook_unsupported',
  // warnings
  'attachment_without_effect',
  'condition_matches_no_model',
  'kept_pipeline_runs_removed_guardrail',
  'remove_without_effect',
  'policy_without_guardrails',
  'unreachable_step',
  'pass_ends_pipeline',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export class Findings {
  readonly list: Finding[] = [];

  error(code: FindingCode, path: FindingPath, message: string): void {
    this.list.push({ severity: 'error', code, path, message });
  }

  warning(code: FindingCode, path: FindingPath, message: string): void {
    this.list.push({ severity: 'warning', code, path, message });
  }

  get hasErrors(): boolean {
    return this.list.some(({ severity }) => severity === 'error');
  }

  get warnings(): Finding[] {
    return this.list.filter(({ severity }) => severity === 'warning');
  }
}
