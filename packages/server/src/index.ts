// The door of the server. What the configuration reader offers stays cheap to import: `portcullis validate` needs no
// HTTP framework and no database.
export {
  compileConfig,
  ConfigRefused,
  detectorsFor,
  type ConfigResult,
  EnvironmentProblem,
  type Environment,
  excerptsOf,
  isLogLevel,
  type LoadedConfig,
  loadConfig,
  type LogLevel,
  parsePort,
  type PlacedFinding,
  readEnvironment,
  type SourcePlace,
} from './config/index.ts';
import type { MigrateOptions, Migrated, RunningServer, StartOptions } from './compose.ts';

export type { MigrateOptions, Migrated, RunningServer, StartBanner, StartOptions } from './compose.ts';

/**
 * Starts the gateway; see `compose.ts`. Everything it needs is imported by the call.
 * @throws ConfigRefused for a configuration with errors, and what listening or opening the data throws.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const compose = await import('./compose.ts');
  return compose.startServer(options);
}

/**
 * Brings a database to this version without starting the gateway; see `compose.ts`.
 * @throws Error that says why it cannot be used or reached.
 */
export async function migrateDatabase(options: MigrateOptions): Promise<Migrated> {
  const compose = await import('./compose.ts');
  return compose.migrateDatabase(options);
}
