export { catalogue } from './catalogue.ts';
export * from './guardrail.ts';
export type * from './hook.ts';
export { createRuntime, type Runtime, type RuntimeResult } from './runtime.ts';
