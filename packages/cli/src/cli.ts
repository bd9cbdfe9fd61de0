// The command line: which commands there are, and what they understand.
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { ServeOptions } from './commands/serve.ts';
import { version } from './files.ts';
import type { Output } from './output.ts';

const EXAMPLES = `
Examples:
  portcullis serve                          the built-in demo: no key, no database, nothing to configure
  portcullis serve --config config.yaml     a LiteLLM proxy configuration, unchanged
  portcullis validate config.yaml           everything that is wrong with it, with line and column
  portcullis validate config.yaml --json    the same for a script

Environment:
  HOST, PORT, CONFIG_FILE_PATH, PORTCULLIS_DATA_DIR, PORTCULLIS_LOG_LEVEL   as the options; an option wins
  LITELLM_MASTER_KEY, DATABASE_URL                                          when the configuration has none
  PORTCULLIS_SALT_KEY (or LITELLM_SALT_KEY), PORTCULLIS_OLD_SALT_KEYS       encrypt and read stored secrets
  every NAME that the configuration asks for as os.environ/NAME`;

/** Runs one command line (without node and script). Gives the exit code; never ends the process itself. */
export async function run(argv: readonly string[], output: Output): Promise<number> {
  let code = 0;
  const program = makeProgram(output, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (error instanceof Error && error.name === 'EnvironmentProblem') {
      output.note(`portcullis: ${error.message}`);
      return 1;
    }
    throw error;
  }
}

function makeProgram(output: Output, done: (code: number) => void): Command {
  const program = new Command('portcullis')
    .description('A self-hosted LLM gateway with a guardrail policy engine; a drop-in for the LiteLLM proxy.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(portcullis --help lists the commands)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.line(text.trimEnd()),
      writeErr: (text) => output.note(text.trimEnd()),
    });

  program
    .command('serve')
    .description('start the gateway')
    .option('-c, --config <file>', 'configuration file (default: the built-in demo)')
    .option('-p, --port <number>', 'port to listen on; 0 for any free one (default: 4000)', readPort)
    .option(
      '--host <address>',
      'address to listen on (default: 127.0.0.1, this machine only; LiteLLM listens on 0.0.0.0, every network)',
    )
    .option(
      '--data-dir <folder>',
      'where the built-in database and the generated key live (default: .portcullis)',
    )
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (default: info)')
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./commands/serve.ts');
      done(await serve(options, output));
    });

  program
    .command('validate')
    .description('check a configuration file; exit code 1 when anything is wrong, 0 with warnings only')
    .argument('<file>', 'configuration file')
    .option('--json', 'print the findings as JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      const { validate } = await import('./commands/validate.ts');
      done(await validate(file, options, output));
    });
  return program;
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}
