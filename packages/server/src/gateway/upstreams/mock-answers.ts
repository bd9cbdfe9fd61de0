import type { DialectName } from '@portcullis/contract';
import { createHash } from 'node:crypto';
import {
  type MockText,
  mockMessage,
  mockMessageStream,
  mockResponse,
  mockResponseStream,
} from './mock-events.ts';

/** What the mock needs to know of one call. */
export interface MockCall {
  readonly dialect: DialectName;
  readonly body: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly stream: boolean;
  /** Text to answer; null echoes the last message of the user. */
  readonly text: string | null;
  readonly id: string;
  readonly createdSeconds: number;
}

/** An answer in the pieces in which it comes. */
export interface MockAnswer {
  readonly contentType: string;
  readonly pieces: readonly (string | Buffer)[];
}

type Body = Readonly<Record<string, unknown>>;
type Answering = (call: MockCall) => MockAnswer;

const json = (value: unknown): MockAnswer => ({
  contentType: 'application/json',
  pieces: [JSON.stringify(value)],
});
const events = (pieces: readonly string[]): MockAnswer => ({
  contentType: 'text/event-stream; charset=utf-8',
  pieces,
});

/** The answer of the mock in the dialect of the call. */
export function mockAnswer(call: MockCall): MockAnswer {
  return ANSWERS[call.dialect](call);
}

function chat(call: MockCall): MockAnswer {
  const text = call.text ?? `You said: ${lastUserText(call.body['messages'])}`;
  const choices = choicesOf(call.body);
  const usage = usageOf(textOf(call.body['messages']), text, choices);
  return call.stream
    ? events(chatStream(call, text, choices, usage))
    : json({
        id: call.id,
        object: 'chat.completion',
        created: call.createdSeconds,
        model: call.model,
        choices: Array.from({ length: choices }, (_, index) => ({
          index,
          message: { role: 'assistant', content: text, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        })),
        usage,
      });
}

type Usage = Readonly<Record<'prompt_tokens' | 'completion_tokens' | 'total_tokens', number>>;

function usageOf(asked: string, text: string, choices: number): Usage {
  const prompt = words(asked).length;
  const completion = words(text).length * choices;
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function choicesOf({ n }: Body): number {
  return typeof n === 'number' ? Math.min(Math.max(n, 1), 128) : 1;
}

const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

function chatStream(call: MockCall, text: string, choices: number, usage: Usage): string[] {
  const head = {
    id: call.id,
    object: 'chat.completion.chunk',
    created: call.createdSeconds,
    model: call.model,
  };
  const options = call.body['stream_options'] as { include_usage?: unknown } | null | undefined;
  const withUsage = options?.include_usage === true;
  const chunk = (index: number, delta: object, finish: string | null): string =>
    event({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason: finish }],
      ...(withUsage ? { usage: null } : {}),
    });
  const events: string[] = [];
  const each = (make: (index: number) => string): void => {
    for (let index = 0; index < choices; index += 1) events.push(make(index));
  };
  each((index) => chunk(index, { role: 'assistant', content: '' }, null));
  for (const word of words(text)) each((index) => chunk(index, { content: word }, null));
  each((index) => chunk(index, {}, 'stop'));
  if (withUsage) events.push(event({ ...head, choices: [], usage }));
  events.push('data: [DONE]\n\n');
  return events;
}

function completion(call: MockCall): MockAnswer {
  const asked = textOf(call.body['prompt']);
  const text = call.text ?? `You said: ${asked}`;
  const choices = choicesOf(call.body);
  const head = { id: call.id, object: 'text_completion', created: call.createdSeconds, model: call.model };
  const choice = (text: string, index: number, finish_reason: string | null): object => ({
    text,
    index,
    logprobs: null,
    finish_reason,
  });
  const all = Array.from({ length: choices }, (_, index) => index);
  if (!call.stream) {
    const usage = usageOf(asked, text, choices);
    return json({ ...head, choices: all.map((index) => choice(text, index, 'stop')), usage });
  }
  const chunk = (one: object): string => event({ ...head, choices: [one] });
  return events([
    ...words(text).flatMap((word) => all.map((index) => chunk(choice(word, index, null)))),
    ...all.map((index) => chunk(choice('', index, 'stop'))),
    'data: [DONE]\n\n',
  ]);
}

/** What was asked, and what is answered, for the dialects with events of their own. */
function conversation(call: MockCall, member: 'messages' | 'input'): MockText {
  const asked = call.body[member];
  const text = call.text ?? `You said: ${typeof asked === 'string' ? asked : lastUserText(asked)}`;
  const usage = usageOf(textOf(asked), text, 1);
  return {
    ...call,
    text,
    pieces: words(text),
    prompt: usage.prompt_tokens,
    completion: usage.completion_tokens,
  };
}

function message(call: MockCall): MockAnswer {
  const text = conversation(call, 'messages');
  return call.stream ? events(mockMessageStream(text)) : json(mockMessage(text));
}

function response(call: MockCall): MockAnswer {
  const text = conversation(call, 'input');
  return call.stream ? events(mockResponseStream(text)) : json(mockResponse(text));
}

/** A vector that is the same for the same text. */
function vectorOf(text: string, dimensions: number): number[] {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(
    { length: dimensions },
    (_, index) => ((digest[index % digest.length] ?? 0) - 127.5) / 127.5,
  );
}

function embeddings({ body, model }: MockCall): MockAnswer {
  const { input, dimensions, encoding_format } = body;
  const texts =
    Array.isArray(input) && typeof input[0] !== 'number' ? (input as readonly unknown[]) : [input];
  const count = typeof dimensions === 'number' && dimensions > 0 && dimensions <= 4_096 ? dimensions : 8;
  const prompt_tokens = texts.reduce<number>((sum, text) => sum + words(textOf(text)).length, 0);
  return json({
    object: 'list',
    model,
    data: texts.map((text, index) => {
      const vector = vectorOf(JSON.stringify(text), count);
      const bytes = Buffer.from(new Float32Array(vector).buffer);
      const embedding = encoding_format === 'base64' ? bytes.toString('base64') : vector;
      return { object: 'embedding', index, embedding };
    }),
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  });
}

function moderations({ body, model, id }: MockCall): MockAnswer {
  const { input } = body;
  const texts = Array.isArray(input) && input.every((item) => typeof item === 'string') ? input : [input];
  const categories = ['harassment', 'hate', 'self-harm', 'sexual', 'violence'];
  return json({
    id,
    model,
    results: texts.map(() => ({
      flagged: false,
      categories: Object.fromEntries(categories.map((name) => [name, false])),
      category_scores: Object.fromEntries(categories.map((name) => [name, 0.001])),
    })),
  });
}

/** 1x1, transparent. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function images({ body, text, createdSeconds }: MockCall): MockAnswer {
  const revised_prompt = text ?? `A picture of: ${textOf(body['prompt'])}`;
  const data = Array.from({ length: choicesOf(body) }, () => ({ b64_json: PICTURE, revised_prompt }));
  return json({ created: createdSeconds, data });
}

/** Half a second of silence. */
function speech(): MockAnswer {
  const samples = Buffer.alloc(8_000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  for (const [at, value] of [
    [16, 16],
    [24, 8_000],
    [28, 16_000],
    [40, samples.length],
  ] as const) {
    head.writeUInt32LE(value, at);
  }
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const) {
    head.writeUInt16LE(value, at);
  }
  head.write('data', 36, 'latin1');
  return { contentType: 'audio/wav', pieces: [head, samples] };
}

function transcription({ body, text, stream }: MockCall): MockAnswer {
  const heard = text ?? `Heard: ${textOf(body['prompt']) || 'silence'}`;
  if (stream) {
    const named = (type: string, rest: object): string => `event: ${type}\n${event({ type, ...rest })}`;
    return events([
      ...words(heard).map((delta) => named('transcript.text.delta', { delta })),
      named('transcript.text.done', { text: heard }),
    ]);
  }
  switch (body['response_format']) {
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', pieces: [`${heard}\n`] };
    case 'srt':
      return {
        contentType: 'text/plain; charset=utf-8',
        pieces: [`1\n00:00:00,000 --> 00:00:01,000\n${heard}\n`],
      };
    case 'vtt':
      return { contentType: 'text/vtt', pieces: [`WEBVTT\n\n00:00.000 --> 00:01.000\n${heard}\n`] };
    case 'verbose_json': {
      const segment = { id: 0, seek: 0, start: 0, end: 1, text: heard, tokens: [1, 2], temperature: 0 };
      return json({ task: 'transcribe', language: 'english', duration: 1, text: heard, segments: [segment] });
    }
    default:
      return json({ text: heard });
  }
}

/** As relevant as the words that query and document have in common. */
function ranked({ body, id }: MockCall): MockAnswer {
  const documents = Array.isArray(body['documents']) ? (body['documents'] as readonly unknown[]) : [];
  const wanted = new Set(textOf(body['query']).toLowerCase().split(/\W+/u));
  const results = documents
    .map((document, index) => {
      const own = textOf(document).toLowerCase().split(/\W+/u);
      const relevance_score = own.filter((word) => wanted.has(word)).length / Math.max(1, own.length);
      return {
        index,
        relevance_score,
        ...(body['return_documents'] === true ? { document: { text: textOf(document) } } : {}),
      };
    })
    .toSorted((one, other) => other.relevance_score - one.relevance_score);
  const top = typeof body['top_n'] === 'number' ? body['top_n'] : results.length;
  return json({ id, results: results.slice(0, top), meta: { billed_units: { search_units: 1 } } });
}

const ANSWERS: Readonly<Record<DialectName, Answering>> = {
  'openai-chat': chat,
  'openai-completions': completion,
  'openai-embeddings': embeddings,
  'openai-moderations': moderations,
  'openai-responses': response,
  'openai-images': images,
  'openai-speech': speech,
  'openai-transcriptions': transcription,
  'openai-translations': transcription,
  'anthropic-messages': message,
  'anthropic-count-tokens': ({ body }) =>
    json({ input_tokens: words(`${textOf(body['system'])} ${textOf(body['messages'])}`).length }),
  rerank: ranked,
};

/** Words with the white space behind them, so that they join to the very same text. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/gu) ?? [];
}

function lastUserText(messages: unknown): string {
  if (!Array.isArray(messages)) return '';
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index] as { role?: unknown; content?: unknown };
    if (message.role === 'user') return textOf(message.content);
  }
  return '';
}

/** All text of messages, or of content that is a text or a list of parts. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join(' ');
  if (typeof value !== 'object' || value === null) return '';
  const { text, content } = value as { text?: unknown; content?: unknown };
  return typeof text === 'string' ? text : textOf(content);
}
