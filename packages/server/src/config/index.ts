// The door of this room.
export {
  EnvironmentProblem,
  type Environment,
  isLogLevel,
  type LogLevel,
  parsePort,
  readEnvironment,
} from './env.ts';
export { type Excerpt, excerptOf } from './excerpt.ts';
export { loadConfig, type LoadOptions, readConfig } from './load.ts';
export { ConfigRefused } from './refused.ts';
export type { ConfigResult, LoadedConfig, PlacedFinding, SourcePlace } from './types.ts';
export { type ConfigWatch, type WatchOptions, watchConfig } from './watch.ts';
