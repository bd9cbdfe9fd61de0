import type { z } from 'zod';
import { HttpFailure, type Ports } from '../../guardrail.ts';
import { Breaker } from './breaker.ts';
import { Slots } from './slots.ts';

/** One request to a service. */
export interface Call {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LineOptions {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly parallel: number;
}

/** The largest answer of a service that is read. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Statuses that say that nobody answered (E1 `unreachable`). */
const UNREACHABLE: ReadonlySet<number> = new Set([502, 503, 504]);
/** Statuses that may be another one the next time. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * The line to one service: at most so many questions at a time, a second try with a random pause for what may pass, and
 * a rest for a service that fails again and again. Every wait ends with the timeout.
 */
export class Line {
  readonly #ports: Ports;
  readonly #options: LineOptions;
  readonly #breaker: Breaker;
  readonly #slots: Slots;

  constructor(ports: Ports, options: LineOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#breaker = new Breaker(() => ports.clock.monotonic());
    this.#slots = new Slots(options.parallel);
  }

  /** Whether the service is worth a question now; of several guardrails of one name another one is asked instead. */
  get available(): boolean {
    return this.#breaker.passes;
  }

  /**
   * Puts a question until it is answered with 200.
   * @param call makes the request, anew for each try (a signature holds a time)
   * @throws HttpFailure `unreachable` for no answer, timeout, 502, 503, 504 and a resting service; `fault` for any other
   *   status
   */
  async ask(call: (() => Call | Promise<Call>) | Call, signal: AbortSignal): Promise<Answer> {
    const endsAtMs = this.#ports.clock.monotonic() + this.#options.timeoutMs;
    if (!(await this.#slots.take(signal))) {
      throw new HttpFailure('unreachable', signal.aborted ? 'stopped' : 'too many questions wait already');
    }
    try {
      return await this.#tries(call, endsAtMs, signal);
    } finally {
      this.#slots.release();
    }
  }

  async #tries(
    call: (() => Call | Promise<Call>) | Call,
    endsAtMs: number,
    signal: AbortSignal,
  ): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const result = await this.#once(typeof call === 'function' ? await call() : call, endsAtMs, signal);
      if (!('failure' in result)) return result;
      if (!result.again || attempt >= this.#options.retries || signal.aborted) throw result.failure;
      const pauseMs = Math.max(result.waitMs, pauseOf(attempt));
      if (this.#ports.clock.monotonic() + pauseMs >= endsAtMs) throw result.failure;
      await pause(pauseMs, signal);
      if (signal.aborted) throw result.failure;
    }
  }

  async #once(call: Call, endsAtMs: number, signal: AbortSignal): Promise<Answer | Failed> {
    const breaker = this.#breaker;
    if (!breaker.passes) {
      const seconds = Math.ceil(breaker.waitMs / 1_000);
      const reason = `not asked: the service failed several times in a row (next try in ${seconds} s)`;
      return { failure: new HttpFailure('unreachable', reason), again: false, waitMs: 0 };
    }
    const leftMs = endsAtMs - this.#ports.clock.monotonic();
    if (leftMs <= 0) return failed('unreachable', `no answer within ${this.#options.timeoutMs} ms`, false);
    breaker.started();
    try {
      const { status, headers, body } = await this.#ports.http.send({
        method: call.method ?? 'POST',
        url: call.url,
        headers: call.headers,
        body: call.body,
        timeoutMs: leftMs,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      if (PASSING.has(status)) breaker.failed();
      else breaker.answered();
      if (status === 200) return { headers, body };
      const errorClass = UNREACHABLE.has(status) ? 'unreachable' : 'fault';
      const reason = `the service answered ${status}`;
      return failed(errorClass, reason, PASSING.has(status), retryAfterMs(headers));
    } catch (error) {
      if (!(error instanceof HttpFailure)) {
        breaker.abandoned();
        throw error;
      }
      // Whoever asked may have stopped it early, which says nothing about the service.
      if (signal.aborted && this.#isEarly(endsAtMs)) breaker.abandoned();
      else if (error.errorClass === 'unreachable') breaker.failed();
      else breaker.answered();
      return { failure: error, again: error.errorClass === 'unreachable', waitMs: 0 };
    }
  }

  #isEarly(endsAtMs: number): boolean {
    return endsAtMs - this.#ports.clock.monotonic() > this.#options.timeoutMs / 10;
  }
}

interface Failed {
  readonly failure: HttpFailure;
  readonly again: boolean;
  readonly waitMs: number;
}

function failed(errorClass: 'unreachable' | 'fault', reason: string, again: boolean, waitMs = 0): Failed {
  return { failure: new HttpFailure(errorClass, reason), again, waitMs };
}

/** Full jitter between half and the whole of a doubling pause, so that replicas do not come back together. */
function pauseOf(attempt: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}

function retryAfterMs(headers: Readonly<Record<string, string>>): number {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

/**
 * Reads a JSON answer.
 * @throws HttpFailure `fault` for anything else
 */
export function readJson<T>(body: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new HttpFailure('fault', 'the service did not answer with JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new HttpFailure('fault', 'the service did not answer in the form of the contract');
  return parsed.data;
}
