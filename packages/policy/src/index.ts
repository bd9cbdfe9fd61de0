/** The door of the policy engine: everything other packages may use. */

export {
  appliedGuardrailsHeader,
  appliedPoliciesHeader,
  policySourcesHeader,
} from './attribution.ts';
export { canonicalJson } from './canonical.ts';
export {
  combineVerdicts,
  type EndOfPipeline,
  type OutcomeSettings,
  pipelineEnd,
  resultOf,
  settleOutcome,
  settleUnscanned,
  type StepResult,
  stepAction,
} from './combine.ts';
export { type Comparison, comparePolicies, type FieldDiff, resolvedGuardrails } from './compare.ts';
export { type CompileResult, compile, compileSteps } from './compile.ts';
export { conditionProblem } from './condition.ts';
export { decide } from './decide.ts';
export {
  type AttachmentReport,
  type DimensionReport,
  type Explanation,
  explain,
  explainSteps,
  type MatchedPolicy,
} from './explain.ts';
export { FINDING_CODES, type FindingCode } from './findings.ts';
export { checkVersion } from './check-version.ts';
export {
  allowsModel,
  type Caller,
  ModelReach,
  plannedGuardrails,
  type PrincipalSelectors,
  principalSelectors,
} from './impact.ts';
export {
  EDIT_REFUSED,
  editProblem,
  TRANSITIONS,
  type Transition,
  transition,
} from './lifecycle.ts';
export { LIMITS } from './limits.ts';
export { type MergedObjects, mergeObjects, type PolicyObjects } from './merge.ts';
export { expandModel } from './models.ts';
export { hasIdForm, matchesPattern, type Pattern, parsePattern, patternProblem } from './pattern.ts';
export { contextOfQuestion } from './question.ts';
export * from './schema/attachment.ts';
export * from './schema/content.ts';
export * from './schema/context.ts';
export * from './schema/decision.ts';
export * from './schema/documents.ts';
export * from './schema/guardrail.ts';
export * from './schema/model.ts';
export * from './schema/name.ts';
export * from './schema/outcome.ts';
export * from './schema/policy.ts';
export * from './schema/record.ts';
export type { CompiledGuardrail, Snapshot } from './snapshot.ts';
