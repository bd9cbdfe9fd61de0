/** The door of the guardrails: detectors, and the runner that turns their answers into outcomes. */
export { builtIns, catalogue } from './catalogue.ts';
export { type WordsFolder } from './content-filter/index.ts';
export * from './guardrail.ts';
export type * from './hook.ts';
export { createHttp, type HttpClient, type HttpOptions } from './http.ts';
export { MONITOR_LIMITS, type MonitorLimits, MonitorQueue } from './monitor.ts';
export { createRuntime, type Runtime, type RuntimeOptions, type RuntimeResult } from './runtime.ts';
export { STREAM_LIMITS } from './stream/gate.ts';
