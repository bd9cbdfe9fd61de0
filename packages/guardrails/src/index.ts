/** The door of the guardrails: detectors, and the runner that turns their answers into outcomes. */
export { builtIns, catalogue } from './catalogue.ts';
export { type WordsFolder } from './content-filter/index.ts';
export { CATEGORIES as SHIPPED_CATEGORIES } from './content-filter/categories/index.ts';
export { categoryYaml } from './content-filter/categories/yaml.ts';
export { PATTERNS as PREBUILT_PATTERNS } from './content-filter/patterns/index.ts';
export { describeDetector, type DetectorDescription, type SettingDescription } from './describe.ts';
export * from './guardrail.ts';
export type * from './hook.ts';
export { createHttp, type HttpClient, type HttpOptions } from './http.ts';
export { MONITOR_LIMITS, type MonitorLimits, MonitorQueue } from './monitor.ts';
export type { RestoredText, Restorer } from './restore/restorer.ts';
export { RestoringStream } from './restore/stream.ts';
export { PlaceholderVault, VAULT_LIMITS, type VaultLimits } from './restore/vault.ts';
export { createRuntime, type Runtime, type RuntimeOptions, type RuntimeResult } from './runtime.ts';
export { secretPaths } from './secrets.ts';
export { STREAM_LIMITS } from './stream/gate.ts';
