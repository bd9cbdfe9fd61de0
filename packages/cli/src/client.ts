import { CliProblem } from './problem.ts';

export interface RemoteOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** What the gateway answered: JSON that nobody has looked at. */
export type Answer = Readonly<Record<string, unknown>>;

const DEFAULT_URL = 'http://127.0.0.1:4000';
const ANSWER_MS = 60_000;

/** The management routes of a running gateway. */
export interface Client {
  readonly url: string;
  /** @throws CliProblem when it does not answer, or refuses. */
  get(path: string, query?: Readonly<Record<string, string | undefined>>, limitMs?: number): Promise<Answer>;
  /** @throws CliProblem when it does not answer, or refuses. */
  post(path: string, body: object): Promise<Answer>;
}

/**
 * A client for the gateway that the options or else the environment name.
 * @throws CliProblem without a key, and for an address that is none.
 */
export async function connect(options: RemoteOptions): Promise<Client> {
  const { readEnvironment } = await import('@portcullis/server');
  const env = readEnvironment();
  const base = baseOf(options.url ?? env.gatewayUrl ?? DEFAULT_URL);
  const key = options.key ?? env.gatewayKey ?? env.masterKey;
  if (key === null) {
    throw new CliProblem('no key is given: set PORTCULLIS_API_KEY, or give one with --key');
  }
  const ask = async (target: string, init: RequestInit, limitMs: number): Promise<Answer> => {
    const call = `${init.method ?? 'GET'} ${base}${target.split('?', 1)[0]}`;
    let response: Response;
    let text: string;
    try {
      // oxlint-disable-next-line no-restricted-globals -- a handful of questions by hand, for which it is quick enough
      response = await fetch(base + target, {
        ...init,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        // The key is for this gateway, not for whoever it points to.
        redirect: 'manual',
        signal: AbortSignal.timeout(limitMs),
      });
      text = await response.text();
    } catch (error) {
      throw new CliProblem(
        `${call}: ${reasonOf(error)}; check that the gateway runs there, or name another with --url`,
        { cause: error },
      );
    }
    return read(call, response.status, text);
  };
  return {
    url: base,
    get: (path, query = {}, limitMs = ANSWER_MS) => {
      const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
      const search = new URLSearchParams(given).toString();
      return ask(search === '' ? path : `${path}?${search}`, {}, limitMs);
    },
    post: (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) }, ANSWER_MS),
  };
}

function baseOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/u.test(url.protocol)) {
    throw new CliProblem(`${text} is no address of a gateway: write it like ${DEFAULT_URL}`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`;
}

function read(call: string, status: number, text: string): Answer {
  const body = parsed(text);
  if (status >= 200 && status < 300 && body !== null) return body;
  const error = isAnswer(body?.['error']) ? body['error'] : {};
  const { message, next_step: next } = error;
  if (typeof message === 'string') {
    throw new CliProblem(
      `${call} was refused (${status}): ${message}${typeof next === 'string' ? ` ${next}` : ''}`,
    );
  }
  throw new CliProblem(`${call} answered ${status} and no answer of a gateway; check --url`);
}

function parsed(text: string): Answer | null {
  try {
    const body: unknown = JSON.parse(text);
    return isAnswer(body) ? body : null;
  } catch {
    return null;
  }
}

/** Whether a value is a JSON object. */
export function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list in an answer. */
export function rowsOf(answer: Answer, name: string): readonly Answer[] {
  const rows = answer[name];
  return Array.isArray(rows) ? rows.filter(isAnswer) : [];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  // What the system says is in the cause of the message that fetch gives.
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
