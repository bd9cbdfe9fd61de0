import { errorBody, PortcullisError, type Usage } from '@portcullis/contract';
import type { Client, HeaderMap } from '../client.ts';
import type { BodySink, UpstreamReply } from '../upstreams/upstream.ts';
import type { AnswerCopy } from './copy.ts';
import { answered, disconnected, type Ending, failed } from './delivered.ts';

/** The usage object stands at the end of an answer; this much of the end is kept to find it. */
const TAIL_BYTES = 2_048;
const EVENT_BYTES = 150;
const BYTES_PER_TOKEN = 3;

export interface RawEnd {
  readonly ending: Ending;
  readonly usage: Usage | null;
  /** About how many tokens were seen. */
  readonly seenTokens: number;
}

/**
 * Hands the provider's bytes through untouched, as fast as the caller reads. For answers that no enforced guardrail reads;
 * `copy` gets the same bytes for those that only watch.
 * A stream that ends without its end mark gets an error event, so that a cut answer cannot pass for a whole one.
 */
export function passThrough(
  reply: UpstreamReply,
  client: Client,
  status: number,
  headers: HeaderMap,
  stream: boolean,
  copy: AnswerCopy | null,
): Promise<RawEnd> {
  return new Promise((resolve) => {
    const sink = new RawSink(reply, client, status, stream, copy, resolve);
    client.onGone(() => sink.gone());
    client.start(status, headers);
    reply.read(sink);
  });
}

class RawSink implements BodySink {
  readonly #reply: UpstreamReply;
  readonly #client: Client;
  readonly #status: number;
  readonly #stream: boolean;
  readonly #copy: AnswerCopy | null;
  readonly #done: (end: RawEnd) => void;
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #waiting = false;

  constructor(
    reply: UpstreamReply,
    client: Client,
    status: number,
    stream: boolean,
    copy: AnswerCopy | null,
    done: (end: RawEnd) => void,
  ) {
    this.#reply = reply;
    this.#client = client;
    this.#status = status;
    this.#stream = stream;
    this.#copy = copy;
    this.#done = done;
  }

  chunk(bytes: Buffer): void {
    this.#copy?.add(bytes);
    this.#bytes += bytes.length;
    this.#tail =
      bytes.length >= TAIL_BYTES || this.#tail.length === 0
        ? bytes.subarray(-TAIL_BYTES)
        : Buffer.concat([this.#tail, bytes]).subarray(-TAIL_BYTES);
    if (this.#client.write(bytes) || this.#waiting) return;
    this.#waiting = true;
    this.#reply.pause();
    this.#client.onDrain(() => {
      this.#waiting = false;
      this.#reply.resume();
    });
  }

  end(): void {
    if (this.#stream && !this.#tail.includes('data: [DONE]') && !this.#tail.includes('data:[DONE]')) {
      this.fail(new PortcullisError('upstream_invalid', "The provider's stream ended before its end mark."));
      return;
    }
    this.#client.end();
    this.#done({
      ending: answered(this.#status),
      usage: usageIn(this.#tail),
      seenTokens: this.#seenTokens(),
    });
  }

  /** The caller went away. */
  gone(): void {
    this.#done({ ending: disconnected(this.#status), usage: null, seenTokens: this.#seenTokens() });
  }

  /** Each event of a stream is about one token with some 200 bytes around it; a whole answer is mostly text. */
  #seenTokens(): number {
    return Math.ceil(this.#bytes / (this.#stream ? EVENT_BYTES : BYTES_PER_TOKEN));
  }

  fail(error: PortcullisError): void {
    // The status is out. A stream can still say what happened; anything else is cut, so that its length does not fit.
    if (this.#stream) this.#client.end(`\n\ndata: ${JSON.stringify(errorBody(error))}\n\ndata: [DONE]\n\n`);
    else this.#client.destroy();
    this.#done({ ending: failed(error, this.#status), usage: null, seenTokens: this.#seenTokens() });
  }
}

const USAGE = '"usage":';

/** The last usage object in the end of an answer. Inside a text its quotes would be escaped, so no model can forge it. */
export function usageIn(tail: Buffer): Usage | null {
  const text = tail.toString('latin1');
  const at = text.lastIndexOf(USAGE);
  if (at < 0) return null;
  const start = text.indexOf('{', at);
  if (start < 0 || text.slice(at + USAGE.length, start).trim() !== '') return null;
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === 0x7b) depth += 1;
    else if (code === 0x7d) depth -= 1;
    if (depth === 0) return readUsage(text.slice(start, end + 1));
  }
  return null;
}

function readUsage(json: string): Usage | null {
  let usage: Readonly<Record<string, unknown>>;
  try {
    usage = JSON.parse(json) as typeof usage;
  } catch {
    return null; // Usage that cannot be read is unknown usage; the answer itself is not judged here.
  }
  const count = (name: string): number => (typeof usage[name] === 'number' ? usage[name] : 0);
  return {
    prompt_tokens: count('prompt_tokens'),
    completion_tokens: count('completion_tokens'),
    total_tokens: count('total_tokens'),
  };
}
