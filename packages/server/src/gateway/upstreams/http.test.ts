import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Deployment } from '../../ports/models.ts';
import { HttpUpstreams } from './http.ts';
import type { UpstreamCall, UpstreamReply } from './upstream.ts';

let server: Server;
let upstreams: HttpUpstreams;
let respond: (response: ServerResponse) => void;
let calls = 0;

beforeEach(async () => {
  calls = 0;
  server = createServer((request, response) => {
    calls += 1;
    request.resume();
    request.on('end', () => respond(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  upstreams = new HttpUpstreams();
});

afterEach(async () => {
  await upstreams.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function call(more: Partial<UpstreamCall> = {}): UpstreamCall {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const deployment = {
    apiBase: `http://127.0.0.1:${port}/v1`,
    apiKey: 'sk',
    provider: 'openai',
    headers: {},
  } as unknown as Deployment;
  return {
    deployment,
    method: 'POST',
    path: '/chat/completions',
    contentType: 'application/json',
    headers: {},
    body: '{}',
    stream: false,
    plain: false,
    acceptEncoding: null,
    timeoutMs: 5_000,
    ...more,
  };
}

/** The body, or the code of what broke it. */
function read(reply: UpstreamReply): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    reply.read({
      chunk: (bytes) => (text += bytes.toString()),
      end: () => resolve(text),
      fail: (error) => resolve(`${text}!${error.code}`),
    });
  });
}

describe('a call', () => {
  test('gives status, headers and body, however late somebody reads', async () => {
    respond = (response) => response.writeHead(200, { 'x-a': '1' }).end('hello');
    const reply = await upstreams.call(call()).reply;
    await new Promise((resolve) => setImmediate(resolve));
    expect([reply.status, reply.headers['x-a'], await read(reply)]).toEqual([200, '1', 'hello']);
  });

  test('that is given up before it was sent reaches nobody as an unhandled rejection', async () => {
    respond = (response) => response.end('late');
    const exchange = upstreams.call(call());
    exchange.abort();
    await expect(exchange.reply).rejects.toMatchObject({ code: 'client_disconnected' });
  });

  test('that is given up while its body comes tells the reader', async () => {
    respond = (response) => response.write('begin');
    const exchange = upstreams.call(call());
    const body = read(await exchange.reply);
    await new Promise((resolve) => setTimeout(resolve, 20));
    exchange.abort();
    expect(await body).toBe('begin!client_disconnected');
  });

  test('whose whole answer drips past its time is ended, although bytes keep coming', async () => {
    respond = (response) => {
      const drip = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(drip));
    };
    const reply = await upstreams.call(call({ timeoutMs: 200 })).reply;
    expect(await read(reply)).toMatch(/^\.+!upstream_timeout$/u);
  });

  test('whose connection breaks in the body is unreachable, not complete', async () => {
    respond = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    expect(await read(await upstreams.call(call()).reply)).toBe('half!upstream_unreachable');
  });

  test('that is held back before its first byte is read in full later', async () => {
    respond = (response) => response.end('x'.repeat(300_000));
    const exchange = upstreams.call(call());
    exchange.pause();
    const reply = await exchange.reply;
    await new Promise((resolve) => setTimeout(resolve, 30));
    exchange.resume();
    expect(await read(reply)).toHaveLength(300_000);
    expect(calls).toBe(1);
  });
});
