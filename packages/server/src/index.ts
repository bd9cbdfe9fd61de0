// The door of the server. What the configuration reader offers stays cheap to import: `portcullis validate` needs no
// HTTP framework and no database.
export {
  ConfigRefused,
  type ConfigResult,
  EnvironmentProblem,
  type Environment,
  excerptOf,
  isLogLevel,
  type LoadedConfig,
  loadConfig,
  type LogLevel,
  parsePort,
  type PlacedFinding,
  readEnvironment,
  type SourcePlace,
} from './config/index.ts';
