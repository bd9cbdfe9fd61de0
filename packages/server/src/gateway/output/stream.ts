import {
  errorBody,
  PortcullisError,
  type StreamCodec,
  type StreamDialect,
  type StreamEvent,
  type TextChannel,
  type Usage,
} from '@portcullis/contract';
import {
  type Restorer,
  RestoringStream,
  type StreamGate,
  type StreamPiece,
  type StreamReport,
  type StreamStep,
} from '@portcullis/guardrails';
import type { Segment, Verdict } from '@portcullis/policy';
import { asEventStream, blockBody, sendBlock, sendError } from '../answers.ts';
import type { Accepted } from '../accept.ts';
import type { Client, HeaderMap } from '../client.ts';
import { requestFacts } from '../facts.ts';
import { type PlannedRequest, runsOf, storesContent } from '../plan.ts';
import { SseReader } from '../sse.ts';
import type { BodySink, UpstreamReply } from '../upstreams/upstream.ts';
import { channelSegments } from './copy.ts';
import { answered, blocked, disconnected, type Ending, failed, responded } from './delivered.ts';

export interface StreamEnd {
  readonly ending: Ending;
  readonly verdict: Verdict;
  readonly usage: Usage | null;
  readonly answerId: string | null;
  /** About how many tokens came from the provider. */
  readonly seenTokens: number;
  readonly report: StreamReport | Promise<StreamReport>;
  /** What the caller got, for logging_only. */
  readonly answer: () => readonly Segment[];
}

/** One thing to do, in order. */
type Task =
  | StreamEvent
  | { readonly kind: 'end_channel'; readonly key: string }
  | { readonly kind: 'finished'; readonly mark: number };

/**
 * Sends a streamed answer through the gate of the post_call guardrails: nothing unscanned leaves (E8). Status and headers
 * go out with the first released event, so that a block before it is a plain 400.
 * `restorer` puts values back that the request's own guardrails masked, behind the gate: what is judged and stored has
 * placeholders. `headers` makes the headers of the start, given the guardrails that are armed.
 */
export function guardStream(
  planned: PlannedRequest,
  dialect: StreamDialect,
  restorer: Restorer | null,
  reply: UpstreamReply,
  client: Client,
  headers: (armed: readonly string[]) => HeaderMap,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const sink = new GuardedSink(planned, dialect, restorer, reply, client, headers, resolve);
    client.onGone(() => sink.gone());
    reply.read(sink);
  });
}

const CHARACTERS_PER_TOKEN = 3;

class GuardedSink implements BodySink {
  readonly #accepted: Accepted;
  readonly #reply: UpstreamReply;
  readonly #client: Client;
  readonly #headers: (armed: readonly string[]) => HeaderMap;
  readonly #resolve: (end: StreamEnd) => void;
  readonly #sse = new SseReader();
  readonly #codec: StreamCodec;
  readonly #gate: StreamGate;
  readonly #restoring: RestoringStream | null;
  readonly #channels = new Map<string, TextChannel>();
  readonly #tasks: Task[] = [];
  /** Parts of the answer whose end waits for the gate to release everything. */
  readonly #unfinished: number[] = [];
  /** The released text of each channel; kept only when logging_only looks at it, or it is stored. */
  readonly #released: Map<string, string> | null;
  #characters = 0;
  #out = '';
  #busy = false;
  #slow = false;
  #sawDone = false;
  #over = false;
  #began = false;
  #cause: PortcullisError | 'complete' | null = null;

  constructor(
    planned: PlannedRequest,
    dialect: StreamDialect,
    restorer: Restorer | null,
    reply: UpstreamReply,
    client: Client,
    headers: (armed: readonly string[]) => HeaderMap,
    resolve: (end: StreamEnd) => void,
  ) {
    this.#reply = reply;
    this.#client = client;
    this.#headers = headers;
    this.#resolve = resolve;
    this.#released = runsOf(planned, 'logging_only').length > 0 || storesContent(planned) ? new Map() : null;
    const { accepted } = planned.identified;
    this.#accepted = accepted;
    this.#codec = dialect.open({
      id: accepted.dialect.idPrefix + accepted.arrival.callId,
      model: accepted.request.model,
      createdSeconds: Math.floor(accepted.arrival.time / 1_000),
      maxChoices: accepted.request.choices,
    });
    const { settings, runtime, unscanned } = planned.snapshot;
    this.#gate = runtime.openStream({
      runs: runsOf(planned, 'post_call'),
      facts: requestFacts(planned, null),
      signal: client.signal(),
      budgetMs: settings.guardrailBudgetMs,
      unscanned,
      limits: { maxHeldChars: settings.streamBufferCharacters },
      codec: this.#codec,
    });
    this.#restoring =
      restorer === null ? null : new RestoringStream(restorer, this.#codec, settings.streamBufferCharacters);
  }

  chunk(bytes: Buffer): void {
    if (this.#over) return;
    try {
      for (const data of this.#sse.push(bytes)) {
        // What follows the end mark belongs to no answer.
        if (this.#sawDone) break;
        for (const event of this.#codec.decode(data)) {
          if (event.kind === 'done') this.#sawDone = true;
          this.#tasks.push(event);
        }
      }
    } catch (error) {
      // What came before the fault in the same piece is not released either: the stream is broken here.
      this.#break(asFault(error));
      return;
    }
    this.#work();
  }

  end(): void {
    if (this.#over) return;
    if (!this.#sawDone) {
      this.#cause = new PortcullisError(
        'upstream_invalid',
        "The provider's stream ended before its end mark.",
      );
      if (!this.#busy) this.#break(this.#cause);
      return;
    }
    this.#cause ??= 'complete';
    this.#work();
  }

  fail(error: PortcullisError): void {
    this.#cause = error;
    if (!this.#busy) this.#break(error);
  }

  /** The caller went away. */
  gone(): void {
    // The gate allows no call while one is under way: the end of that one comes back here.
    if (this.#busy) this.#cause = new PortcullisError('client_disconnected', 'The caller went away.');
    else this.#settle(disconnected(this.#began ? 200 : 499), 'allow');
  }

  /** Does what is there to do, until a guardrail has to be waited for. */
  #work(): void {
    if (this.#busy) return;
    for (;;) {
      const task = this.#over ? undefined : this.#tasks.shift();
      if (task === undefined) break;
      try {
        const step = this.#do(task);
        if (step instanceof Promise) {
          this.#wait(step, task);
          return;
        }
        if (!this.#take(step, task)) return;
      } catch (error) {
        this.#break(asFault(error));
        return;
      }
    }
    this.#flush();
  }

  #wait(step: Promise<StreamStep>, task: Task): void {
    this.#busy = true;
    this.#reply.pause();
    this.#flush();
    step
      .then((step) => {
        this.#busy = false;
        if (this.#over || !this.#take(step, task)) return;
        if (this.#cause !== null && this.#cause !== 'complete') {
          this.#break(this.#cause);
          return;
        }
        this.#work();
        if (!this.#busy && !this.#slow) this.#reply.resume();
      })
      .catch((error: unknown) => {
        this.#busy = false;
        this.#break(asFault(error));
      });
  }

  #do(task: Task): StreamStep | Promise<StreamStep> | null {
    switch (task.kind) {
      case 'text':
        this.#channels.set(task.channel.key, task.channel);
        this.#characters += task.text.length;
        return this.#gate.push(task.channel, task.text);
      case 'finish': {
        const rest: Task[] = task.keys.map((key) => ({ kind: 'end_channel', key }));
        if (task.mark !== null) rest.push({ kind: 'finished', mark: task.mark });
        this.#tasks.unshift(...rest);
        return null;
      }
      case 'end_channel':
        return this.#gate.endChannel(task.key);
      case 'finished':
        // A buffering gate releases at the end; nothing must be closed before its text.
        if (this.#gate.mode === 'buffer') this.#unfinished.push(task.mark);
        else this.#out += this.#codec.finish(task.mark);
        return null;
      case 'done':
        return this.#gate.end();
    }
  }

  /** Uses what the gate gave. False when the stream is over. */
  #take(step: StreamStep | null, task: Task): boolean {
    if (step === null) return true;
    switch (step.kind) {
      case 'release':
        this.#send(step.pieces);
        if (task.kind === 'end_channel') this.#sendRestored(this.#restoring?.endChannel(task.key));
        if (task.kind !== 'done') return true;
        this.#sendRestored(this.#restoring?.end());
        for (const mark of this.#unfinished) this.#out += this.#codec.finish(mark);
        this.#out += this.#codec.end();
        this.#complete();
        return false;
      case 'block':
        // What was released in the same turn has been scanned; only what is held is lost.
        this.#flush();
        if (this.#began) this.#client.end(this.#codec.blocked(blockBody(step.block)));
        else sendBlock(this.#client, this.#headers(this.#gate.armed), step.block, this.#accepted);
        this.#settle(blocked(step.block, this.#began ? 200 : 400), 'block');
        return false;
      case 'respond':
        this.#flush();
        this.#begin();
        this.#client.end(this.#codec.responded(step.respond.message));
        this.#settle(responded(step.respond), 'respond');
        return false;
    }
  }

  /** Sends what the gate released, with the caller's own values put back. */
  #send(pieces: readonly StreamPiece[]): void {
    for (const { channel, text } of pieces) {
      this.#released?.set(channel.key, (this.#released.get(channel.key) ?? '') + text);
    }
    this.#sendRestored(this.#restoring === null ? pieces : this.#restoring.push(pieces));
  }

  #sendRestored(pieces: readonly StreamPiece[] = []): void {
    if (pieces.length > 0) this.#out += this.#codec.encode(pieces);
  }

  #begin(): void {
    if (this.#began) return;
    this.#began = true;
    this.#client.start(200, asEventStream(this.#headers(this.#gate.armed)));
  }

  #flush(): void {
    if (this.#out === '' || this.#over) return;
    const out = this.#out;
    this.#out = '';
    this.#begin();
    if (this.#client.write(out) || this.#slow) return;
    this.#slow = true;
    this.#reply.pause();
    this.#client.onDrain(() => {
      this.#slow = false;
      if (!this.#busy) this.#reply.resume();
    });
  }

  #complete(): void {
    const out = this.#out;
    this.#out = '';
    this.#begin();
    this.#client.end(out);
    this.#settle(answered(200), 'allow');
  }

  /** The stream cannot go on: nothing that is held is sent. */
  #break(error: PortcullisError): void {
    if (this.#over) return;
    this.#out = '';
    if (this.#began) this.#client.end(this.#codec.failed(errorBody(error), error.status));
    else sendError(this.#client, this.#headers(this.#gate.armed), error, this.#accepted);
    this.#settle(failed(error, this.#began ? 200 : error.status), 'allow');
  }

  #settle(ending: Ending, verdict: Verdict): void {
    if (this.#over) return;
    this.#over = true;
    this.#tasks.length = 0;
    const answer = (): readonly Segment[] =>
      channelSegments(this.#codec, this.#channels, this.#released ?? new Map());
    this.#resolve({
      ending,
      verdict,
      usage: this.#codec.usage,
      answerId: this.#codec.answerId,
      seenTokens: Math.ceil(this.#characters / CHARACTERS_PER_TOKEN),
      report: this.#gate.finish(),
      answer,
    });
  }
}

function asFault(error: unknown): PortcullisError {
  if (error instanceof PortcullisError) return error;
  return new PortcullisError('internal', 'The stream could not be processed.', { cause: error });
}
