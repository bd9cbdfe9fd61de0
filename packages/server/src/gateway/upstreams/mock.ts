import { type DialectName, PortcullisError } from '@portcullis/contract';
import type { IncomingHttpHeaders } from 'node:http';
import type { BodySink, UpstreamExchange, UpstreamReply } from './upstream.ts';

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

/**
 * Answers by itself, the same for the same question: for trying out, for tests, and for `mock_response`.
 * Counts one token for each word.
 */
export function callMock(call: MockCall): UpstreamExchange {
  const text = call.text ?? `You said: ${lastUserText(call.body['messages'])}`;
  const choices = typeof call.body['n'] === 'number' ? Math.min(Math.max(call.body['n'], 1), 128) : 1;
  const completion = words(text).length * choices;
  const prompt = promptTokens(call.body['messages']);
  const usage = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
  const reply = call.stream
    ? new MockReply('text/event-stream; charset=utf-8', streamed(call, text, choices, usage))
    : new MockReply('application/json', [whole(call, text, choices, usage)]);
  return {
    reply: Promise.resolve(reply),
    pause: () => reply.pause(),
    resume: () => reply.resume(),
    abort: () => reply.abort(),
  };
}

type Usage = Readonly<Record<'prompt_tokens' | 'completion_tokens' | 'total_tokens', number>>;

function whole(call: MockCall, text: string, choices: number, usage: Usage): string {
  return JSON.stringify({
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

function streamed(call: MockCall, text: string, choices: number, usage: Usage): string[] {
  const head = {
    id: call.id,
    object: 'chat.completion.chunk',
    created: call.createdSeconds,
    model: call.model,
  };
  const options = call.body['stream_options'] as { include_usage?: unknown } | null | undefined;
  const withUsage = options?.include_usage === true;
  const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
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

/** Words with the white space behind them, so that they join to the very same text. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/gu) ?? [];
}

function promptTokens(messages: unknown): number {
  return words(textOf(messages)).length;
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

/** Hands over its pieces one at a time, each in a turn of its own, as a network would. */
class MockReply implements UpstreamReply {
  readonly status = 200;
  readonly headers: IncomingHttpHeaders;
  readonly #pieces: readonly string[];
  #next = 0;
  #sink: BodySink | null = null;
  #paused = false;
  #scheduled = false;

  constructor(contentType: string, pieces: readonly string[]) {
    this.headers = { 'content-type': contentType };
    this.#pieces = pieces;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    this.#give();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#give();
  }

  abort(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(new PortcullisError('client_disconnected', 'The caller went away.'));
  }

  #give(): void {
    if (this.#scheduled || this.#paused || this.#sink === null) return;
    const piece = this.#pieces[this.#next];
    this.#next += 1;
    if (piece === undefined) {
      const sink = this.#sink;
      this.#sink = null;
      sink.end();
      return;
    }
    this.#sink.chunk(Buffer.from(piece));
    if (this.#next >= this.#pieces.length) {
      this.#give();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#give();
    });
  }
}
