import { resolve } from 'node:path';
import type { Output } from '../output.ts';
import { CliProblem } from '../problem.ts';

export interface MigrateCommandOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

const DEFAULT_DATA_DIR = '.portcullis';

/**
 * Brings the database that `serve` would use to this version: the one of the configuration file, else of DATABASE_URL,
 * else the built-in one of the data directory. Gives the exit code.
 */
export async function migrate(options: MigrateCommandOptions, output: Output): Promise<number> {
  const server = await import('@portcullis/server');
  const env = server.readEnvironment();
  const dataDir = resolve(options.dataDir ?? env.dataDir ?? DEFAULT_DATA_DIR);
  const file = options.config ?? env.configFile;
  let url = env.databaseUrl;
  if (file !== null) {
    const loaded = await server.loadConfig(file, env);
    if (!loaded.ok) throw new CliProblem(`${file} is refused: portcullis validate ${file} says why`);
    url = loaded.config.settings.databaseUrl;
  }
  const place = url === null ? dataDir : 'PostgreSQL';
  try {
    const { database, applied } = await server.migrateDatabase({ dataDir, url });
    if (options.json === true) output.line(JSON.stringify({ database, place, applied }, null, 2));
    else {
      for (const name of applied) output.line(`applied ${name}`);
      output.line(`${place} is at this version${applied.length === 0 ? ' already' : ''}`);
    }
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliProblem(`${place} was not migrated: ${reason}`, { cause: error });
  }
}
