/** A variable of the environment that cannot be used. The message names it and the next step, never its value. */
export class EnvironmentProblem extends Error {
  override readonly name = 'EnvironmentProblem';
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether a text is a log level. */
export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

/** The environment of the process, read once at start. Nothing else reads `process.env`. */
export interface Environment {
  /** Every variable that is set and not empty, for `os.environ/NAME` in the configuration file. */
  readonly variables: Readonly<Record<string, string>>;
  /** `CONFIG_FILE_PATH`: the configuration file when the command line names none. */
  readonly configFile: string | null;
  /** `HOST` and `PORT`: where to listen when the command line does not say. */
  readonly host: string | null;
  readonly port: number | null;
  /** `PORTCULLIS_DATA_DIR`. */
  readonly dataDir: string | null;
  /** `PORTCULLIS_LOG_LEVEL`, or the `LITELLM_LOG` of the reference. */
  readonly logLevel: LogLevel | null;
  /** `LITELLM_MASTER_KEY` and `DATABASE_URL`; the configuration file wins over them. */
  readonly masterKey: string | null;
  readonly databaseUrl: string | null;
  /** `PORTCULLIS_URL`, or the `LITELLM_PROXY_URL` of the reference: the gateway that commands talk to. */
  readonly gatewayUrl: string | null;
  /** `PORTCULLIS_API_KEY`, or the `LITELLM_PROXY_API_KEY` of the reference: the key that commands use there. */
  readonly gatewayKey: string | null;
  /** `REDIS_URL`: where replicas count limits together. */
  readonly redisUrl: string | null;
  /** `PORTCULLIS_SALT_KEY`, then `LITELLM_SALT_KEY`: encrypt stored credentials. The first writes, all read. */
  readonly saltKeys: readonly string[];
  /** `PORTCULLIS_OLD_SALT_KEYS`, separated by commas: only read what they have encrypted. */
  readonly oldSaltKeys: readonly string[];
}

/**
 * Reads the environment. An empty variable counts as not set, as most container tools cannot unset one.
 * @throws EnvironmentProblem for a `PORT` or log level that means nothing.
 */
export function readEnvironment(
  source: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && value !== '') variables[name] = value;
  }
  const get = (name: string): string | null => variables[name] ?? null;
  return {
    variables,
    configFile: get('CONFIG_FILE_PATH'),
    host: get('HOST'),
    port: readPort(get('PORT')),
    dataDir: get('PORTCULLIS_DATA_DIR'),
    logLevel: readLogLevel('PORTCULLIS_LOG_LEVEL', get) ?? readLogLevel('LITELLM_LOG', get),
    masterKey: get('LITELLM_MASTER_KEY'),
    databaseUrl: get('DATABASE_URL'),
    gatewayUrl: get('PORTCULLIS_URL') ?? get('LITELLM_PROXY_URL'),
    gatewayKey: get('PORTCULLIS_API_KEY') ?? get('LITELLM_PROXY_API_KEY'),
    redisUrl: get('REDIS_URL'),
    saltKeys: [get('PORTCULLIS_SALT_KEY'), get('LITELLM_SALT_KEY')].filter((key) => key !== null),
    oldSaltKeys: (get('PORTCULLIS_OLD_SALT_KEYS') ?? '')
      .split(',')
      .map((key) => key.trim())
      .filter((key) => key !== ''),
  };
}

/** A port number written as text, or `null` when it is none. 0 means any free port. */
export function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/u.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}

function readPort(text: string | null): number | null {
  if (text === null) return null;
  const port = parsePort(text);
  if (port === null) {
    throw new EnvironmentProblem(
      'PORT in the environment is not a port number: set it to 0-65535 or unset it',
    );
  }
  return port;
}

const PYTHON_LEVELS: Readonly<Record<string, LogLevel>> = { warning: 'warn', critical: 'fatal' };

function readLogLevel(name: string, get: (name: string) => string | null): LogLevel | null {
  const text = get(name)?.toLowerCase();
  if (text === undefined) return null;
  const level = PYTHON_LEVELS[text] ?? text;
  if (isLogLevel(level)) return level;
  throw new EnvironmentProblem(
    `${name} in the environment is no log level: set it to one of ${LOG_LEVELS.join(', ')}, or unset it`,
  );
}
