import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** One request that the provider got. */
export interface SeenCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly raw: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Resolves when the connection of this call is closed. */
  readonly closed: Promise<void>;
}

export type Behaviour = (response: ServerResponse, call: SeenCall) => void;

/** A model provider on the loopback interface that answers as a test tells it to, and remembers what it was sent. */
export class LocalUpstream {
  readonly calls: SeenCall[] = [];
  readonly #server: Server;
  #behaviour: Behaviour = answer('Hello!');

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<LocalUpstream> {
    const server = createServer();
    const upstream = new LocalUpstream(server);
    server.on('request', (request, response) => upstream.#take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  /** The base URL, with `/v1`. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the upstream does not listen');
    return `http://127.0.0.1:${address.port}/v1`;
  }

  get lastCall(): SeenCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('the provider was not called');
    return call;
  }

  /** How it answers from now on; forgets the calls so far. */
  will(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.calls.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const call: SeenCall = {
        path: request.url ?? '',
        headers: request.headers,
        raw,
        body: raw === '' ? {} : (JSON.parse(raw) as SeenCall['body']),
        closed: new Promise((resolve) => response.once('close', resolve)),
      };
      this.calls.push(call);
      this.#behaviour(response, call);
    });
  }
}

const USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };

export function completion(message: object, more: object = {}): object {
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'upstream-model',
    choices: [
      { index: 0, message: { role: 'assistant', ...message }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: USAGE,
    ...more,
  };
}

/** Answers one text. */
export function answer(content: string): Behaviour {
  return json(200, completion({ content, refusal: null }));
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

export function chunk(delta: object, finish: string | null = null, index = 0): string {
  return event({
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'upstream-model',
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
  });
}

export function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

/** A whole stream of one text, in these pieces. */
export function textStream(...pieces: readonly string[]): string[] {
  return [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    DONE,
  ];
}

/** Sends events one after the other, then ends, cuts the connection, or stays silent. */
export function stream(events: readonly string[], then: 'end' | 'cut' | 'hang' = 'end'): Behaviour {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (index: number): void => {
      const next = events[index];
      if (next !== undefined) {
        response.write(next);
        setImmediate(() => send(index + 1));
      } else if (then === 'end') {
        response.end();
      } else if (then === 'cut') {
        response.destroy();
      }
    };
    send(0);
  };
}

export const neverAnswers: Behaviour = () => undefined;
