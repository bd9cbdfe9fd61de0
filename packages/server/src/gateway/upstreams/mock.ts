import { PortcullisError } from '@portcullis/contract';
import type { IncomingHttpHeaders } from 'node:http';
import { mockAnswer, type MockCall } from './mock-answers.ts';
import type { BodySink, UpstreamExchange, UpstreamReply } from './upstream.ts';

/**
 * Answers by itself, the same for the same question: for trying out, for tests, and for `mock_response`.
 * Counts one token for each word.
 */
export function callMock(call: MockCall): UpstreamExchange {
  const { contentType, pieces } = mockAnswer(call);
  const reply = new MockReply(contentType, pieces);
  return {
    reply: Promise.resolve(reply),
    pause: () => reply.pause(),
    resume: () => reply.resume(),
    abort: () => reply.abort(),
  };
}

/** Hands over its pieces one at a time, each in a turn of its own, as a network would. */
class MockReply implements UpstreamReply {
  readonly status = 200;
  readonly headers: IncomingHttpHeaders;
  readonly #pieces: readonly (string | Buffer)[];
  #next = 0;
  #sink: BodySink | null = null;
  #paused = false;
  #scheduled = false;

  constructor(contentType: string, pieces: readonly (string | Buffer)[]) {
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
    this.#sink.chunk(typeof piece === 'string' ? Buffer.from(piece) : piece);
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
