// The door of this room.
export { compileConfig } from './check.ts';
export { detectorsFor, parseYaml } from './detectors.ts';
export {
  EnvironmentProblem,
  type Environment,
  isLogLevel,
  type LogLevel,
  parsePort,
  readEnvironment,
} from './env.ts';
export { excerptsOf } from './excerpt.ts';
export { loadConfig } from './load.ts';
export { ConfigRefused } from './refused.ts';
export { adminKey, saltKeys } from './secrets.ts';
export { readStoredModel } from './stored-models.ts';
export type { ConfigResult, LoadedConfig, PlacedFinding, SourcePlace } from './types.ts';
export { watchConfig } from './watch.ts';
