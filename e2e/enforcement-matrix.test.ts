// E4: every route x stream x direction x content kind x action x kind of guardrail, on the real server. The table in
// docs/enforcement-matrix.md is what this test saw; PORTCULLIS_UPDATE=1 writes it anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, type DebugRecord, Gateway } from './support/gateway.ts';
import { MARKER, type Row, ROWS } from './support/matrix-rows.ts';

const PAGE = fileURLToPath(new URL('../docs/enforcement-matrix.md', import.meta.url));

/** A guardrail of one kind with one action: its parameters, or a pipeline of the local one. */
interface Variant {
  readonly name: string;
  readonly params: (service: string) => string;
  readonly pipeline?: string;
}

const local = (action: string): string =>
  `guardrail: litellm_content_filter, patterns: [{ pattern_type: regex, name: code, pattern: 'PRJ-[0-9]{6}', action: ${action} }]`;
const remote = (service: string, does: string, timeout = 5): string =>
  `guardrail: generic_guardrail_api, api_base: "${service}/${does}", timeout: ${timeout}`;

const VARIANTS: readonly Variant[] = [
  { name: 'local block', params: () => local('BLOCK') },
  { name: 'local mask', params: () => local('MASK') },
  { name: 'local monitor', params: () => `${local('BLOCK')}, enforcement: monitor` },
  { name: 'remote block', params: (service) => remote(service, 'block') },
  { name: 'remote mask', params: (service) => remote(service, 'mask') },
  { name: 'remote failing', params: (service) => remote(service, 'fail') },
  { name: 'remote slow', params: (service) => remote(service, 'never', 0.1) },
  { name: 'pipeline block', params: () => local('BLOCK'), pipeline: 'on_fail: block' },
  {
    name: 'pipeline respond',
    params: () => local('BLOCK'),
    pipeline: 'on_fail: modify_response, modify_response_message: Not here.',
  },
  { name: 'pipeline mask', params: () => local('MASK'), pipeline: 'pass_data: true' },
];

const idOf = (variant: Variant, direction: Row['direction']): string =>
  `${direction}-${variant.name.replace(' ', '-')}`;

function config(provider: string, service: string): string {
  const parts = { models: '', guardrails: '', policies: '', attachments: '' };
  for (const variant of VARIANTS) {
    for (const direction of ['in', 'out'] as const) {
      const id = idOf(variant, direction);
      const mode = direction === 'in' ? 'pre_call' : 'post_call';
      for (const name of ['openai', 'anthropic']) {
        parts.models += `
  - model_name: ${name}.${id}/*
    litellm_params: { model: ${name}/*, api_base: "${provider}", api_key: sk-upstream }`;
      }
      parts.guardrails += `
  - guardrail_name: ${id}
    litellm_params: { mode: ${mode}, ${variant.params(service)} }`;
      const pipeline =
        variant.pipeline === undefined
          ? ''
          : `, pipeline: { mode: ${mode}, steps: [{ guardrail: ${id}, ${variant.pipeline} }] }`;
      parts.policies += `
  ${id}: { guardrails: { add: [${id}] }${pipeline} }`;
      parts.attachments += `
  - { policy: ${id}, models: ["openai.${id}/*", "anthropic.${id}/*"] }`;
    }
  }
  return `
model_list:${parts.models}
guardrails:${parts.guardrails}
policies:${parts.policies}
policy_attachments:${parts.attachments}
policy_engine:
  allowed_private_hosts: ["127.0.0.1"]
`;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const bytes of message) text += (bytes as Buffer).toString('latin1');
  return text;
}

/** What the provider was sent, by the cell that the name of the model in it tells. */
const seen = new Map<string, string>();

/** A provider of both dialects: the model it is asked for names the row whose answer it gives. */
const provider = createServer((message, response) => {
  void textOf(message).then((text) => {
    const id = /row-\d+/u.exec(text)?.[0] ?? '';
    const mark = /cell-[\w-]+/u.exec(text)?.[0];
    if (mark !== undefined) seen.set(mark, text);
    const answer = ROWS.find((row) => row.id === id)?.answer ?? { status: 500, json: {} };
    if ('events' in answer) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of answer.events) {
        const type = (event as { type?: string }).type;
        response.write(`${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`);
      }
      response.end(answer.done ? 'data: [DONE]\n\n' : '');
      return;
    }
    if ('bytes' in answer) {
      response.writeHead(200, { 'content-type': answer.type }).end(answer.bytes);
      return;
    }
    const status = 'status' in answer ? answer.status : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
  });
});

interface Question {
  readonly texts?: readonly string[];
  readonly images?: readonly string[];
}

/** A guardrail service: its path says what it does. */
const service = createServer((message, response) => {
  void textOf(message).then((text) => {
    const path = message.url ?? '';
    if (path.startsWith('/never')) return;
    if (path.startsWith('/fail')) {
      response.writeHead(500).end();
      return;
    }
    const { texts = [], images = [] } = JSON.parse(text) as Question;
    const found = [...texts, ...images].some((one) => one.includes(MARKER));
    const verdict = !found
      ? { action: 'NONE' }
      : path.startsWith('/block')
        ? { action: 'BLOCKED', blocked_reason: 'no' }
        : {
            action: 'GUARDRAIL_INTERVENED',
            texts: texts.map((one) => one.replaceAll(MARKER, '[X]')),
            images: images.map((one) => one.replaceAll(MARKER, '[X]')),
          };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(verdict));
  });
});

let gateway: Gateway;

beforeAll(async () => {
  const [upstream, guardrails] = await Promise.all([listen(provider), listen(service)]);
  gateway = await Gateway.start(config(`${upstream}/v1`, guardrails));
});

afterAll(async () => {
  await gateway?.stop();
  for (const server of [provider, service]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const SOUND = 'RIFF-SOUND-BYTES';

/** What must not get through: the marker, or what stands for it where a text cannot stand. */
function needleOf(row: Row): string {
  if (row.kind === 'files (tokens)') return '1,2,3';
  return row.kind === 'audio' && row.direction === 'in' && row.path.endsWith('transcriptions')
    ? SOUND
    : MARKER;
}

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly errorType: string | null;
  readonly leaked: boolean;
  readonly answer: Response;
}

async function ask(row: Row, variant: Variant): Promise<Seen> {
  const family = row.path.startsWith('/messages') ? 'anthropic' : 'openai';
  const id = idOf(variant, row.direction);
  const cell = `cell-${row.id}-${id}`;
  const model = `${family}.${id}/${row.id}-${cell}`;
  const authorization = `Bearer ${ADMIN_KEY}`;
  const isForm = row.path.startsWith('/audio/trans');
  let body: string | FormData = JSON.stringify({ ...row.request, model });
  if (isForm) {
    body = new FormData();
    for (const [name, value] of Object.entries(row.request)) body.append(name, String(value));
    body.append('model', model);
    body.append('file', new File([SOUND], 'a.wav', { type: 'audio/wav' }));
  }
  const answer = await fetch(`${gateway.url}/v1${row.path}`, {
    method: 'POST',
    headers: isForm ? { authorization } : { authorization, 'content-type': 'application/json' },
    body,
  });
  const text = await answer.text();
  const reached = row.direction === 'in' ? (seen.get(cell) ?? '') : text;
  return {
    status: answer.status,
    text,
    errorType: typeOf(text),
    leaked: reached.includes(needleOf(row)),
    answer,
  };
}

/** The type of an error, in the words of the gateway where the dialect has others. */
function typeOf(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { type?: string; portcullis_type?: string } };
    return error?.portcullis_type ?? error?.type ?? null;
  } catch {
    return null; // A stream or a text is no error.
  }
}

/** What one cell came to, in the words of E4; anything else is a hole and throws. */
async function judge(row: Row, variant: Variant): Promise<string> {
  const outcome = await ask(row, variant);
  const { status, errorType, leaked, text } = outcome;
  const hole = (why: string): Error =>
    new Error(
      `${row.path} ${row.stream ? 'stream' : 'whole'} ${row.direction} ${row.kind}, ${variant.name}: ${why}: ${status} ${text.slice(0, 300)}`,
    );
  if (variant.name.endsWith('monitor')) {
    if (status !== (row.kind.includes('error of') ? 422 : 200))
      throw hole('a monitored run changed the answer');
    if (await runOf(outcome, ({ outcome }) => outcome === 'flagged')) return 'enforced';
    const unscanned = await unscannedOf(outcome);
    if (unscanned === null) throw hole('a monitored run has found nothing');
    return unscanned;
  }
  if (leaked) {
    const unscanned = status < 400 ? await unscannedOf(outcome) : null;
    if (unscanned === null) throw hole('it passed');
    return unscanned;
  }
  if (status === 200) {
    if (/mask|respond/u.test(variant.name)) return 'enforced';
    if (row.stream && text.includes('guardrail_')) return 'enforced';
    throw hole('nothing was blocked');
  }
  if (status !== 400 || errorType === null) {
    // A masked error of the provider stays an error of the provider.
    if (status === 422 && variant.name.includes('mask')) return 'enforced';
    throw hole('an unexpected refusal');
  }
  const isUnread = text.includes('unscanned_content');
  const expected = /failing|slow/u.test(variant.name)
    ? 'guardrail_error'
    : /^guardrail_(?:violation|pipeline_error)$/u;
  const isExpected = typeof expected === 'string' ? errorType === expected : expected.test(errorType);
  return isExpected && !isUnread && !/mask|respond/u.test(variant.name)
    ? 'enforced'
    : `refused with code ${errorType}`;
}

type Run = DebugRecord['guardrails'][number] & {
  readonly unscanned: readonly { readonly kind: string; readonly setting: string }[];
};

/** The record of the run that fits, once it is written. */
async function runOf({ answer }: Seen, fits: (run: Run) => boolean): Promise<Run | null> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const { guardrails } = await gateway.record(answer);
    const run = (guardrails as readonly Run[]).find(fits);
    if (run !== undefined) return run;
  }
  return null;
}

/** What the record says of content that nobody could read, and of the setting that let it pass. */
async function unscannedOf(outcome: Seen): Promise<string | null> {
  const run = await runOf(outcome, ({ unscanned }) => unscanned.length > 0);
  const [found] = run?.unscanned ?? [];
  return found === undefined ? null : `declared unscanned (kind ${found.kind}, setting ${found.setting})`;
}

const CONCURRENCY = 8;

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<(R | Error)[]> {
  const results: (R | Error)[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at] as T;
      results[at] = await work(item).catch((error: unknown) => error as Error);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}

function pageOf(cells: ReadonlyMap<string, string>): string {
  const header = ['route', 'answer', 'direction', 'content', ...VARIANTS.map(({ name }) => name)];
  const rows = ROWS.map((row) => [
    `\`${row.path}\``,
    row.stream ? 'streamed' : 'whole',
    row.direction,
    row.kind,
    ...VARIANTS.map((variant) => cells.get(`${row.id} ${variant.name}`) ?? ''),
  ]);
  const line = (columns: readonly string[]): string => `| ${columns.join(' | ')} |`;
  return `# Enforcement matrix

What becomes of content that a guardrail forbids, for every route, whole and streamed, on the way in (\`pre_call\`) and on
the way out (\`post_call\`), by kind of content, action and kind of guardrail. The table is written by
\`e2e/enforcement-matrix.test.ts\`, which runs each cell against the server; it has no other words than these:

- **enforced**: blocked, masked, answered or recorded as the guardrail says; what failed or was slow has blocked.
- **refused with code**: the action cannot be done there, or the content cannot be read, so the request was refused.
- **declared unscanned**: no guardrail of the plan can read this kind, and the setting \`unscanned\` lets it pass (the
  default for images and audio). The record of the request says so for every guardrail.

Every route exists with and without \`/v1\`. Routes that are not in the table are not served: 404.

${line(header)}
${line(header.map(() => '---'))}
${rows.map(line).join('\n')}
`;
}

test('E4: every cell is enforced, refused, or declared unscanned, and the page says which', async () => {
  const jobs = ROWS.flatMap((row) => VARIANTS.map((variant) => ({ row, variant })));
  const results = await inParallel(jobs, ({ row, variant }) => judge(row, variant));
  const holes = results.filter((result) => result instanceof Error).map(({ message }) => message);
  expect(holes).toEqual([]);
  const cells = new Map(
    jobs.map(({ row, variant }, at) => [`${row.id} ${variant.name}`, String(results[at])]),
  );
  const page = pageOf(cells);
  if (process.env['PORTCULLIS_UPDATE'] === '1') writeFileSync(PAGE, page);
  expect(page).toBe(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '');
}, 120_000);
