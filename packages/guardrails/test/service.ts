import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ContentKind } from '@portcullis/policy';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createHttp,
  type DetectorDefinition,
  type HookInput,
  type HookResult,
  type Ports,
} from '../src/index.ts';
import { FakeClock, guardrail, input, run, runtimeOf, segment } from './kit.ts';

/** A request that the local service got. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; null when it is none. */
  readonly json: unknown;
}

type Reply = (request: Received, response: ServerResponse, count: number) => void;
/** A JSON value, a function of the request that gives one, or one that writes the answer itself. */
export type Behaviour = object | ((request: Received, count: number) => object) | { readonly raw: Reply };

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0)) await item.close();
});

/** A real HTTP service on loopback, for as long as the test. */
export async function localService(behaviour: Behaviour) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const got = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
        json: parsed(body),
      };
      received.push(got);
      if ('raw' in behaviour) {
        behaviour.raw(got, response, received.length);
        return;
      }
      const answer: unknown = typeof behaviour === 'function' ? behaviour(got, received.length) : behaviour;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = createHttp({ allowHosts: ['127.0.0.1'] });
  opened.push(http, {
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new FakeClock();
  const ports: Ports & { readonly clock: FakeClock } = { clock, http, hash: (text) => `h${text.length}` };
  return { received, base, ports, clock };
}

/** A guardrail `g` of this kind in front of a local service; `settings` is told the service's address. */
export async function asked(
  definition: DetectorDefinition,
  behaviour: Behaviour,
  settings: (base: string) => Record<string, unknown>,
) {
  const service = await localService(behaviour);
  const params = { guardrail: definition.ids[0], ...settings(service.base) };
  const runtime = runtimeOf([guardrail('g', params)], [definition], service.ports);
  const ask = async (content: string | HookInput['segments'], more: Partial<HookInput> = {}) => {
    const segments = typeof content === 'string' ? [segment(content)] : content;
    return runtime.runHook(input([run('g')], segments, more));
  };
  /** On the answer's side. */
  const askAnswer = async (text: string, kind: ContentKind = 'assistant'): Promise<HookResult> =>
    ask([segment(text, { kind, role: 'assistant', path: '/choices/0/message/content' })], {
      hook: 'post_call',
      direction: 'response',
    });
  return { ...service, runtime, ask, askAnswer };
}

/** What keeps a guardrail of this kind from being set up, as the settings at fault. */
export async function refused(definition: DetectorDefinition, settings: Record<string, unknown>) {
  const { createRuntime } = await import('../src/index.ts');
  const made = createRuntime([guardrail('g', { guardrail: definition.ids[0], ...settings })], [definition], {
    clock: new FakeClock(),
    http: { send: () => Promise.reject(new Error('no network')) },
    hash: () => 'h',
  });
  return made.ok ? [] : made.findings.map(({ path }) => path.slice(3).join('.'));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

const status =
  (code: number): Reply =>
  (_, response) => {
    response.writeHead(code).end('{}');
  };

const NO_ANSWERS: readonly (readonly [string, Reply, 'unreachable' | 'fault'])[] = [
  ['status 400', status(400), 'fault'],
  ['status 401', status(401), 'fault'],
  ['status 403', status(403), 'fault'],
  ['status 429', status(429), 'fault'],
  ['status 500', status(500), 'fault'],
  ['status 502', status(502), 'unreachable'],
  ['status 503', status(503), 'unreachable'],
  ['status 504', status(504), 'unreachable'],
  ['a redirect', status(307), 'fault'],
  ['nothing', (_, response) => response.end(), 'fault'],
  ['a page of HTML', (_, response) => response.end('<html>'), 'fault'],
  ['JSON of another form', (_, response) => response.end('{"unexpected":[]}'), 'fault'],
  ['a JSON list of something else', (_, response) => response.end('[1]'), 'fault'],
  ['null', (_, response) => response.end('null'), 'fault'],
  ['half of a JSON', (_, response) => response.end('{"results":[{"flag'), 'fault'],
  ['a cut connection', (_, response) => response.destroy(), 'unreachable'],
  [
    'an answer cut in the middle',
    (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"a"', () => response.destroy());
    },
    'unreachable',
  ],
];

/**
 * The tests of E1 that every guardrail with a service has to pass: no answer blocks, and is let go only for the classes
 * that the guardrail names.
 */
export function describeNoAnswer(
  definition: DetectorDefinition,
  settings: (base: string) => Record<string, unknown>,
): void {
  describe('no answer is no verdict (E1)', () => {
    it.each(NO_ANSWERS)('%s', async (_, raw, errorClass) => {
      const { ask } = await asked(definition, { raw }, (base) => ({ ...settings(base), num_retries: 0 }));
      const result = await ask('some text');
      expect(result.verdict).toBe('block');
      expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: errorClass });
      expect(result.block?.type).toBe('guardrail_error');
    });

    it.each([
      ['hangs', () => {}],
      [
        'dribbles',
        (_: Received, response: ServerResponse) => {
          const timer = setInterval(() => response.write(' '), 5);
          response.on('close', () => clearInterval(timer));
        },
      ],
    ])('a service that %s is unreachable after the timeout', async (_, raw) => {
      const { ask } = await asked(definition, { raw }, (base) => ({ ...settings(base), timeout: 0.05 }));
      const result = await ask('some text');
      expect(result.verdict).toBe('block');
      expect(result.records[0]).toMatchObject({ error_class: 'unreachable' });
    });

    it('is let go where the guardrail says so, and only for that class', async () => {
      const open = (base: string) => ({
        ...settings(base),
        num_retries: 0,
        unreachable_fallback: 'fail_open',
      });
      expect((await (await asked(definition, { raw: status(503) }, open)).ask('t')).verdict).toBe('allow');
      expect((await (await asked(definition, { raw: status(500) }, open)).ask('t')).verdict).toBe('block');
    });
  });
}
