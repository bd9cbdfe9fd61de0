// The command line: which commands there are, and what they understand.
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { completionScript, type Shell, SHELLS } from './commands/completion.ts';
import type { EvalOptions } from './commands/eval.ts';
import type { MigrateCommandOptions } from './commands/migrate.ts';
import type { QuestionOptions } from './commands/resolve.ts';
import type { ServeOptions } from './commands/serve.ts';
import { version } from './files.ts';
import type { GuardrailChoice } from './scan/open.ts';
import type { Output } from './output.ts';
import { addRemoteCommands } from './remote.ts';

const EXAMPLES = `
Examples:
  portcullis serve                          the built-in demo: no key, no database, nothing to configure
  portcullis serve --config config.yaml     a LiteLLM proxy configuration, unchanged
  portcullis validate config.yaml           everything that is wrong with it, with line and column
  portcullis validate config.yaml --json    the same for a script
  portcullis explain config.yaml --team finance --model gpt-4o
                                            which guardrails such a request gets, and why
  portcullis keys generate --alias ci       a key of a running gateway
  portcullis export > policies.yaml         what is in production there, without secrets
  portcullis scan texts.jsonl --config config.yaml --guardrail pii
                                            what one guardrail finds in each text, and what it makes of it
  portcullis eval --data labelled.jsonl --config config.yaml --guardrail pii
                                            how much of what is labelled it finds, and how often it is wrong
  portcullis db migrate                     the database at this version, before the gateway starts

Exit codes:
  0  done
  1  wrong input, or it could not be done; the message says why
  2  done, and the answer is no: the request would be refused, the audit log is not whole

Environment:
  HOST, PORT, CONFIG_FILE_PATH, PORTCULLIS_DATA_DIR, PORTCULLIS_LOG_LEVEL   as the options; an option wins
  LITELLM_MASTER_KEY, DATABASE_URL                                          when the configuration has none
  PORTCULLIS_URL, PORTCULLIS_API_KEY                                        the running gateway and a key for it
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
    if (error instanceof Error && (error.name === 'EnvironmentProblem' || error.name === 'CliProblem')) {
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
    .option(
      '--workers <number>',
      'processes that share the port, for example one for each core; more than one need PostgreSQL (default: 1)',
      readWorkers,
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

  addScanning(program, output, done);
  addQuestions(program, output, done);
  addRemoteCommands(program, output, done);

  program
    .command('db')
    .description('the database')
    .command('migrate')
    .description('bring the database that serve would use to this version: all missing steps or none')
    .option('-c, --config <file>', 'configuration file, for general_settings.database_url')
    .option('--data-dir <folder>', 'where the built-in database lives (default: .portcullis)')
    .option('--json', 'print the answer as JSON')
    .action(async (options: MigrateCommandOptions) => {
      const { migrate } = await import('./commands/migrate.ts');
      done(await migrate(options, output));
    });

  program
    .command('completion')
    .description('print a script that completes commands and options: source <(portcullis completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) => {
      output.line(completionScript(program, shell));
    });
  return program;
}

/** `resolve` and `explain`: one question, answered briefly or with every reason. */
function addQuestions(program: Command, output: Output, done: (code: number) => void): void {
  const commands = [
    ['resolve', 'which guardrails a described request gets from a configuration file'],
    ['explain', 'the same with what every attachment asks for, and what the request has'],
  ] as const;
  for (const [name, description] of commands) {
    program
      .command(name)
      .description(`${description}; no gateway is needed`)
      .argument('<config>', 'configuration file')
      .option('--team <alias>', 'team, by alias or id')
      .option('--key <alias>', 'key, by alias, token hash or the key itself')
      .option('--model <name>', 'requested model')
      .option('--tag <tag...>', 'tags of the key or team, which are trusted')
      .option('--caller-tag <tag...>', 'tags of the caller, which only add protection')
      .option('--guardrail <name...>', 'guardrails that the request asks for')
      .option('--policy <name...>', 'policies that the request asks for')
      .option('--json', 'print the answer as JSON, as POST /policies/resolve has it')
      .action(async (file: string, options: QuestionOptions) => {
        const questions = await import('./commands/resolve.ts');
        done(await questions[name](file, options, output));
      });
  }
}

/** `scan` and `eval`: one guardrail of a configuration file, asked about texts. */
function addScanning(program: Command, output: Output, done: (code: number) => void): void {
  program
    .command('scan')
    .description('ask one guardrail about texts; prints one line of JSON for each, in their order')
    .argument('[files...]', 'lines of JSON {"id", "text"} or plain lines, .gz too (default: standard input)')
    .requiredOption('-c, --config <file>', 'configuration file')
    .requiredOption('-g, --guardrail <name>', 'which of its guardrails')
    .option('-j, --jobs <number>', 'threads (default: one for each core)', readWorkers)
    .action(async (files: string[], options: GuardrailChoice) => {
      const { scan } = await import('./commands/scan.ts');
      done(await scan(files, options, output));
    });
  program
    .command('eval')
    .description(
      'measure one guardrail on labelled texts: precision, recall and F1 of each type, false positives',
    )
    .requiredOption('-d, --data <file...>', 'lines of JSON {"text", "labels", "spans"}, .gz too')
    .requiredOption('-c, --config <file>', 'configuration file')
    .requiredOption('-g, --guardrail <name>', 'which of its guardrails')
    .option('-j, --jobs <number>', 'threads (default: one for each core)', readWorkers)
    .option('--json', 'print the answer as JSON')
    .action(async (options: EvalOptions) => {
      const { evaluate } = await import('./commands/eval.ts');
      done(await evaluate(options, output));
    });
}

const MOST_WORKERS = 256;

function readWorkers(text: string): number {
  const workers = /^\d{1,3}$/u.test(text) ? Number(text) : 0;
  if (workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_WORKERS}.`);
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}
