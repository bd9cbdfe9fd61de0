import { errorBody, PortcullisError, readUsage, type StreamDialect, type Usage } from '@portcullis/contract';
import type { Client, HeaderMap } from '../client.ts';
import type { BodySink, UpstreamReply } from '../upstreams/upstream.ts';
import type { AnswerCopy } from './copy.ts';
import { EndMark } from './end-mark.ts';
import { answered, disconnected, type Ending, failed } from './delivered.ts';

/** The usage object stands at the end of an answer; this much of the end is kept to find it. */
const TAIL_BYTES = 2_048;
const HEAD_BYTES = 2_048;
const EVENT_BYTES = 150;
const BYTES_PER_TOKEN = 3;

export interface RawEnd {
  readonly ending: Ending;
  readonly usage: Usage | null;
  /** About how many tokens were seen. */
  readonly seenTokens: number;
  /** The first bytes of the answer. */
  readonly head: Buffer;
}

/**
 * Hands the provider's bytes through untouched, as fast as the caller reads. For answers that no enforced guardrail reads;
 * `copy` gets the same bytes for those that only watch.
 * `stream` is the dialect of a streamed answer, null for a whole one; a stream that ends without its end mark gets an error event, so that a cut answer cannot pass for a whole one.
 */
export function passThrough(
  reply: UpstreamReply,
  client: Client,
  status: number,
  headers: HeaderMap,
  stream: StreamDialect | null,
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
  readonly #stream: StreamDialect | null;
  readonly #mark: EndMark | null;
  /** The beginning of the answer: there stands its id, and what some dialects count before the rest. */
  #head: Buffer = Buffer.alloc(0);
  readonly #copy: AnswerCopy | null;
  readonly #done: (end: RawEnd) => void;
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #waiting = false;

  constructor(
    reply: UpstreamReply,
    client: Client,
    status: number,
    stream: StreamDialect | null,
    copy: AnswerCopy | null,
    done: (end: RawEnd) => void,
  ) {
    this.#reply = reply;
    this.#client = client;
    this.#status = status;
    this.#stream = stream;
    this.#mark = stream === null ? null : new EndMark(stream.endMarks);
    this.#copy = copy;
    this.#done = done;
  }

  chunk(bytes: Buffer): void {
    this.#copy?.add(bytes);
    this.#mark?.add(bytes);
    if (this.#bytes === 0) this.#head = bytes.subarray(0, HEAD_BYTES);
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
    if (this.#mark?.seen === false) {
      this.fail(new PortcullisError('upstream_invalid', "The provider's stream ended before its end mark."));
      return;
    }
    this.#client.end();
    this.#done({
      ending: answered(this.#status),
      usage: usageBetween(this.#head, this.#tail),
      seenTokens: this.#seenTokens(),
      head: this.#head,
    });
  }

  /** The caller went away. */
  gone(): void {
    this.#done(this.#broken(disconnected(this.#status)));
  }

  /** Each event of a stream is about one token with some 200 bytes around it; a whole answer is mostly text. */
  #seenTokens(): number {
    return Math.ceil(this.#bytes / (this.#stream !== null ? EVENT_BYTES : BYTES_PER_TOKEN));
  }

  fail(error: PortcullisError): void {
    // The status is out. A stream can still say what happened; anything else is cut, so that its length does not fit.
    // The blank line ends an event that was cut.
    if (this.#stream !== null) this.#client.end(`\n\n${this.#stream.failed(errorBody(error), error.status)}`);
    else this.#client.destroy();
    this.#done(this.#broken(failed(error, this.#status)));
  }

  #broken(ending: Ending): RawEnd {
    return { ending, usage: null, seenTokens: this.#seenTokens(), head: this.#head };
  }
}

/** What the end of an answer says, and where it leaves out the prompt, the beginning. */
function usageBetween(head: Buffer, tail: Buffer): Usage | null {
  const usage = usageIn(tail);
  if (usage === null || usage.prompt_tokens > 0) return usage;
  const { prompt_tokens } = usageIn(head) ?? usage;
  return { ...usage, prompt_tokens, total_tokens: prompt_tokens + usage.completion_tokens };
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
    if (depth === 0) return usageFrom(text.slice(start, end + 1));
  }
  return null;
}

function usageFrom(json: string): Usage | null {
  let usage: Readonly<Record<string, unknown>>;
  try {
    usage = JSON.parse(json) as typeof usage;
  } catch {
    return null; // Usage that cannot be read is unknown usage; the answer itself is not judged here.
  }
  return readUsage(usage);
}
