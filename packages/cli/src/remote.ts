// The commands that talk to a running gateway.
import type { Command } from 'commander';
import type { RemoteOptions } from './client.ts';
import type { DeleteOptions, GenerateOptions, ListOptions } from './commands/keys.ts';
import type { Output } from './output.ts';

/** Adds `keys`, `audit` and `export`. */
export function addRemoteCommands(program: Command, output: Output, done: (code: number) => void): void {
  const keys = program.command('keys').description('keys of a running gateway');
  remote(keys.command('list'))
    .description('list keys, newest first')
    .option('--team <id>', 'of this team')
    .option('--user <id>', 'of this user')
    .option('--alias <alias>', 'with this alias')
    .option('--page <number>', 'page (default: 1)')
    .option('--size <number>', 'keys on a page, at most 100 (default: 10)')
    .action(async (options: ListOptions) => {
      const { listKeys } = await import('./commands/keys.ts');
      done(await listKeys(options, output));
    });
  remote(keys.command('generate'))
    .description('make a key; standard output holds the key alone')
    .option('--alias <alias>', 'a name for it')
    .option('--team <id>', 'the team it belongs to')
    .option('--user <id>', 'the user it belongs to')
    .option('--model <name...>', 'models it may call (default: all)')
    .option('--duration <time>', 'how long it works: 30s, 10m, 12h, 7d')
    .option('--tag <tag...>', 'tags, which attachments select')
    .option('--guardrail <name...>', 'guardrails that run on its requests')
    .option('--policy <name...>', 'policies that apply to its requests')
    .action(async (options: GenerateOptions) => {
      const { generateKey } = await import('./commands/keys.ts');
      done(await generateKey(options, output));
    });
  remote(keys.command('delete'))
    .description('delete all of the named keys or none')
    .argument('[keys...]', 'keys, or their token hashes')
    .option('--alias <alias...>', 'keys by their aliases')
    .action(async (named: readonly string[], options: DeleteOptions) => {
      const { deleteKeys } = await import('./commands/keys.ts');
      done(await deleteKeys(named, options, output));
    });

  const audit = program.command('audit').description('the audit log of a running gateway');
  remote(audit.command('verify'))
    .description('prove that nobody has edited the audit log; exit code 2 when somebody has')
    .action(async (options: RemoteOptions) => {
      const { verifyAudit } = await import('./commands/audit.ts');
      done(await verifyAudit(options, output));
    });

  remote(program.command('export'))
    .description('print what is in production on a running gateway as YAML, secrets as os.environ/NAME')
    .action(async (options: RemoteOptions) => {
      const { exportPolicies } = await import('./commands/export.ts');
      done(await exportPolicies(options, output));
    });
}

function remote(command: Command): Command {
  return command
    .option('--url <address>', 'the gateway (default: PORTCULLIS_URL, or http://127.0.0.1:4000)')
    .option(
      '--key <key>',
      'a key for it (default: PORTCULLIS_API_KEY, or LITELLM_MASTER_KEY; others on this machine may see an option)',
    )
    .option('--json', 'print the answer as JSON');
}
