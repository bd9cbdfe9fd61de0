import { type JsonObject, PortcullisError, type StreamDialect, withSegments } from '@portcullis/contract';
import type { HookResult, StreamReport } from '@portcullis/guardrails';
import type { RunRecord, Segment, Verdict } from '@portcullis/policy';
import { sendBlock, sendError, sendFailure, sendJson, sendRespond } from './answers.ts';
import type { Accepted } from './accept.ts';
import type { Client, HeaderMap } from './client.ts';
import type { Dispatched } from './dispatch.ts';
import { requestFacts } from './facts.ts';
import type { Gateway } from './gateway.ts';
import { hookInput, monitor } from './guard-input.ts';
import { answerHeaders, type Reached } from './headers.ts';
import {
  answered,
  blocked,
  type Delivered,
  disconnected,
  type Ending,
  failed,
  responded,
} from './output/delivered.ts';
import { AnswerCopy } from './output/copy.ts';
import { type AnswerForm, answerSegments, formOf, parseAnswer, textOf } from './output/form.ts';
import { gather } from './output/gather.ts';
import { passThrough } from './output/raw.ts';
import {
  readRejection,
  type Rejection,
  rejectionBody,
  rejectionError,
  rejectionSegments,
  withRejectionSegments,
} from './output/rejected.ts';
import { guardStream } from './output/stream.ts';
import { runsOf, split } from './plan.ts';
import { answerIdIn, answerIdOf } from './stored-responses.ts';
import type { UpstreamReply } from './upstreams/upstream.ts';

/** A whole answer that a guardrail reads must fit in memory, several times. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Stage 6: waits for during_call, then lets the answer pass, whole or streamed, through the post_call guardrails.
 * Sends the answer; never throws for what a provider, a guardrail or a caller does.
 */
export async function guardOutput(
  dispatched: Dispatched,
  gateway: Gateway,
  client: Client,
  reached: Reached,
): Promise<Delivered> {
  const during = dispatched.during instanceof Promise ? await dispatched.during : dispatched.during;
  const output = new Output(dispatched, gateway, client, reached, during);
  if (during?.block) return output.block(during.block);
  if (during?.respond) return output.respond(during.respond);
  dispatched.exchange.resume();
  try {
    return await output.deliver(await dispatched.exchange.reply);
  } catch (error) {
    if (error instanceof PortcullisError && !client.started) return output.error(error);
    throw error;
  }
}

/** The ways in which one answer can go out. Holds no state beside the values it was made of. */
class Output {
  readonly #dispatched: Dispatched;
  readonly #gateway: Gateway;
  readonly #client: Client;
  readonly #reached: Reached;
  readonly #during: HookResult | null;

  constructor(
    dispatched: Dispatched,
    gateway: Gateway,
    client: Client,
    reached: Reached,
    during: HookResult | null,
  ) {
    this.#dispatched = dispatched;
    this.#gateway = gateway;
    this.#client = client;
    this.#reached = reached;
    this.#during = during;
  }

  get #accepted(): Accepted {
    return this.#dispatched.input.planned.identified.accepted;
  }

  block(block: NonNullable<HookResult['block']>): Delivered {
    this.#dispatched.exchange.abort();
    sendBlock(this.#client, this.#headers([]), block, this.#accepted);
    return this.#delivered(blocked(block, 400), null);
  }

  respond(respond: NonNullable<HookResult['respond']>): Delivered {
    this.#dispatched.exchange.abort();
    const sent = sendRespond(this.#client, this.#headers([]), respond, this.#accepted, null);
    return this.#delivered(responded(respond, sent), null);
  }

  error(error: PortcullisError): Delivered {
    this.#dispatched.exchange.abort();
    sendError(this.#client, this.#headers([]), error, this.#accepted);
    return this.#delivered(failed(error, error.status), null);
  }

  async deliver(reply: UpstreamReply): Promise<Delivered> {
    if (reply.status !== 200) return this.#rejected(reply);
    const type = reply.headers['content-type'] ?? 'application/json';
    const isStream = /\btext\/event-stream\b/iu.test(type);
    const { dialect } = this.#accepted;
    const form = isStream ? 'stream' : formOf(type, dialect);
    if (form === null || (isStream && dialect.stream === null)) {
      throw new PortcullisError(
        'upstream_invalid',
        `The provider answered with ${isStream ? 'a stream' : 'something'} that is no answer on this route.`,
      );
    }
    if (this.#dispatched.reads !== 'guardrail') return this.#raw(reply, type, form);
    const encoding = reply.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new PortcullisError(
        'upstream_invalid',
        'The provider answered in an encoding that was not asked for.',
      );
    }
    if (form === 'stream' && dialect.stream !== null) return this.#stream(reply, dialect.stream);
    return this.#whole(reply, form === 'stream' ? 'json' : form, type);
  }

  async #raw(reply: UpstreamReply, type: string, form: AnswerForm | 'stream'): Promise<Delivered> {
    const { dialect } = this.#accepted;
    const stream = form === 'stream' ? dialect.stream : null;
    const headers = this.#headers([], this.#upstreamMs());
    headers['content-type'] = type;
    copyHeaders(reply, headers);
    if (stream !== null) {
      headers['cache-control'] = 'no-cache';
      headers['x-accel-buffering'] = 'no';
    }
    const copy = this.#dispatched.reads === 'copy' ? new AnswerCopy(dialect, form, MAX_ANSWER_BYTES) : null;
    const { ending, usage, seenTokens, head } = await passThrough(
      reply,
      this.#client,
      200,
      headers,
      stream,
      copy,
    );
    const answerId = dialect.keepsAnswers ? answerIdIn(head) : null;
    if (copy === null) return this.#delivered(ending, reply, { usage, seenTokens, answerId });
    const answer = lazily(() => copy.segments(reply.headers['content-encoding'] ?? 'identity'));
    return this.#delivered(ending, reply, {
      usage,
      seenTokens,
      answerId,
      answer,
      late: this.#watching(answer),
    });
  }

  async #whole(reply: UpstreamReply, form: AnswerForm, type: string): Promise<Delivered> {
    const bytes = await gather(reply, MAX_ANSWER_BYTES);
    const upstreamMs = this.#upstreamMs();
    const { dialect } = this.#accepted;
    const answer = parseAnswer(bytes, form, dialect);
    const segments = answerSegments(answer, form, dialect);
    const usage = form === 'json' ? dialect.usage(answer) : null;
    const { result, late } = await this.#postCall(answer, segments);
    const answerId = answerIdOf(answer);
    const more = {
      usage,
      answerId,
      upstreamMs,
      late,
      answer: () => result?.segments ?? segments,
      ...post(result),
    };
    if (this.#client.gone) return this.#delivered(disconnected(499), reply, more);
    const headers = this.#headers(result?.applied ?? [], upstreamMs);
    if (result?.block) {
      sendBlock(this.#client, headers, result.block, this.#accepted);
      return this.#delivered(blocked(result.block, 400), reply, more);
    }
    if (result?.respond) {
      const sent = sendRespond(this.#client, headers, result.respond, this.#accepted, usage);
      return this.#delivered(responded(result.respond, sent), reply, more);
    }
    const restorer = this.#dispatched.input.pre?.restorer ?? null;
    const judged = result?.segments ?? segments;
    const masked = edited(answer, segments, restorer === null ? judged : restorer.restoreSegments(judged));
    if (!masked.ok) {
      sendError(this.#client, headers, masked.error, this.#accepted);
      return this.#delivered(failed(masked.error, masked.error.status), reply, more);
    }
    copyProviderHeaders(reply, headers);
    if (form === 'json') sendJson(this.#client, 200, headers, masked.body);
    else {
      headers['content-type'] = type;
      this.#client.send(200, headers, form === 'text' ? textOf(masked.body) : bytes);
    }
    return this.#delivered(answered(200), reply, more);
  }

  async #stream(reply: UpstreamReply, stream: StreamDialect): Promise<Delivered> {
    const { planned } = this.#dispatched.input;
    const startHeaders = (armed: readonly string[]): HeaderMap => {
      const headers = this.#headers(armed, this.#upstreamMs());
      copyProviderHeaders(reply, headers);
      return headers;
    };
    const { ending, verdict, usage, answerId, seenTokens, report, answer } = await guardStream(
      planned,
      stream,
      this.#dispatched.input.pre?.restorer ?? null,
      reply,
      this.#client,
      startHeaders,
    );
    if (ending.end !== 'answered') this.#dispatched.exchange.abort();
    if (report instanceof Promise) {
      const late = [() => report.then(({ records }) => records)];
      return this.#delivered(ending, reply, {
        usage,
        answerId,
        seenTokens,
        answer,
        late,
        post: { records: [], verdict },
      });
    }
    return this.#delivered(ending, reply, {
      usage,
      answerId,
      seenTokens,
      answer,
      post: { records: report.records, verdict: streamVerdict(verdict, report) },
    });
  }

  async #rejected(reply: UpstreamReply): Promise<Delivered> {
    const rejection = await readRejection(reply);
    const upstreamMs = this.#upstreamMs();
    const segments = rejectionSegments(rejection);
    const { result, late } = await this.#postCall(null, segments);
    const more = { upstreamMs, late, answer: () => segments, ...post(result) };
    const headers = this.#headers(result?.applied ?? [], upstreamMs);
    if (result?.block) {
      sendBlock(this.#client, headers, result.block, this.#accepted);
      return this.#delivered(blocked(result.block, 400), reply, more);
    }
    if (result?.respond) {
      const sent = sendRespond(this.#client, headers, result.respond, this.#accepted, null);
      return this.#delivered(responded(result.respond, sent), reply, more);
    }
    copyProviderHeaders(reply, headers);
    const retryAfter = reply.headers['retry-after'];
    if (retryAfter !== undefined) headers['retry-after'] = retryAfter;
    const shown: Rejection = result === null ? rejection : withRejectionSegments(rejection, result.segments);
    sendFailure(this.#client, shown.status, headers, rejectionBody(shown), this.#accepted);
    const error = rejectionError(reply.status);
    return this.#delivered({ ...failed(error, shown.status), end: 'refused' }, reply, more);
  }

  /** Runs the post_call guardrails on the leaves of an answer; the monitored ones come later. */
  async #postCall(
    answer: JsonObject | null,
    segments: readonly Segment[],
  ): Promise<{ result: HookResult | null; late: (() => Promise<readonly RunRecord[]>)[] }> {
    const { planned } = this.#dispatched.input;
    const { enforced, monitored } = split(runsOf(planned, 'post_call'));
    if (!enforced && !monitored) return { result: null, late: [] };
    const input = hookInput(
      planned,
      'post_call',
      segments,
      requestFacts(planned, answer),
      this.#client.signal(),
    );
    const result = enforced ? planned.snapshot.runtime.runHook(input) : null;
    return {
      result: result instanceof Promise ? await result : result,
      late: monitored ? [monitor(planned, input)] : [],
    };
  }

  /** The monitored post_call runs, on a copy of the answer. */
  #watching(answer: () => readonly Segment[]): Delivered['late'] {
    const { planned } = this.#dispatched.input;
    if (runsOf(planned, 'post_call').length === 0) return [];
    return [
      () => {
        const facts = requestFacts(planned, null);
        return monitor(planned, hookInput(planned, 'post_call', answer(), facts, this.#client.signal()))();
      },
    ];
  }

  #headers(applied: readonly string[], upstreamMs: number | null = null): HeaderMap {
    const before = this.#dispatched.input.pre?.applied ?? [];
    const beside = this.#during?.applied ?? [];
    const all =
      before.length + beside.length === 0 ? applied : [...new Set([...before, ...beside, ...applied])];
    return answerHeaders(this.#gateway, this.#reached, all, upstreamMs);
  }

  #upstreamMs(): number {
    return this.#gateway.clock.monotonic() - this.#dispatched.sentAt;
  }

  #delivered(
    ending: Ending,
    reply: UpstreamReply | null,
    more: Partial<
      Pick<Delivered, 'usage' | 'answerId' | 'seenTokens' | 'post' | 'late' | 'answer' | 'upstreamMs'>
    > = {},
  ): Delivered {
    return {
      status: ending.status,
      end: ending.end,
      errorCode: ending.errorCode,
      errorMessage: ending.errorMessage,
      upstreamStatus: reply === null ? null : reply.status,
      upstreamMs: more.upstreamMs ?? this.#upstreamMs(),
      during: this.#during,
      post: more.post ?? null,
      usage: more.usage ?? null,
      answerId: more.answerId ?? null,
      seenTokens: more.seenTokens ?? 0,
      answer: more.answer ?? (() => []),
      late: more.late ?? [],
    };
  }
}

/** Works a value out when it is first asked for. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function post(result: HookResult | null): Pick<Delivered, 'post'> {
  return { post: result === null ? null : { records: result.records, verdict: result.verdict } };
}

function streamVerdict(verdict: Verdict, report: StreamReport): Verdict {
  if (verdict !== 'allow') return verdict;
  const masks = report.records.some((run) => run.enforcement === 'enforce' && run.verdict === 'mask');
  return masks ? 'mask' : 'allow';
}

function edited(
  answer: JsonObject,
  segments: readonly Segment[],
  changed: readonly Segment[],
): { ok: true; body: JsonObject } | { ok: false; error: PortcullisError } {
  if (changed === segments) return { ok: true, body: answer };
  const rewritten = withSegments(answer, segments, changed);
  if (rewritten.ok) return rewritten;
  const { path, reason } = rewritten.undeliverable;
  const message = `A masked text cannot be put back at ${path}: ${reason}.`;
  return { ok: false, error: new PortcullisError('guardrail_error', message) };
}

/** What describes the very bytes that are passed on. */
function copyHeaders(reply: UpstreamReply, headers: HeaderMap): void {
  const length = reply.headers['content-length'];
  if (length !== undefined) headers['content-length'] = length;
  const encoding = reply.headers['content-encoding'];
  if (encoding !== undefined) headers['content-encoding'] = encoding;
  copyProviderHeaders(reply, headers);
}

/** The provider's own counters and ids, under the reference's prefix. */
function copyProviderHeaders(reply: UpstreamReply, headers: HeaderMap): void {
  for (const name in reply.headers) {
    if (!name.startsWith('x-ratelimit-') && !name.startsWith('openai-') && name !== 'x-request-id') continue;
    const value = reply.headers[name];
    if (typeof value === 'string') headers[`llm_provider-${name}`] = value;
  }
}
