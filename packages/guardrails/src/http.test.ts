import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isPublicAddress } from './address.ts';
import { createHttp, type HttpClient, type HttpFailure, type HttpOptions } from './index.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0)) await item.close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

function client(options: HttpOptions = {}): HttpClient {
  const http = createHttp(options);
  opened.push(http);
  return http;
}

const get = (http: HttpClient, url: string, more: Partial<Parameters<HttpClient['send']>[0]> = {}) =>
  http.send({
    method: 'GET',
    url,
    headers: {},
    body: null,
    timeoutMs: 2_000,
    maxBytes: 1_000,
    signal: new AbortController().signal,
    ...more,
  });

const failure = (promise: Promise<unknown>): Promise<HttpFailure> =>
  promise.then(
    () => {
      throw new Error('no failure');
    },
    (error: unknown) => error as HttpFailure,
  );

const LOOPBACK = { allowHosts: ['127.0.0.1'] };

describe('outbound HTTP', () => {
  it('sends a request and reads the whole answer, over few connections for many', async () => {
    const seen = new Set<number | undefined>();
    const port = await serve((request, response) => {
      seen.add(request.socket.remotePort);
      response.setHeader('x-test', ['a', 'b']);
      response.end(`${request.method} ${request.url} ${String(request.headers['x-own'])}`);
    });
    const http = client(LOOPBACK);
    for (let i = 0; i < 10; i++) {
      expect(await get(http, `http://127.0.0.1:${port}/p?q=1`, { headers: { 'x-own': 'e' } })).toMatchObject({
        status: 200,
        body: 'GET /p?q=1 e',
        headers: { 'x-test': 'a, b' },
      });
    }
    expect(seen.size).toBeLessThan(4);
  });

  it('ends a request that hangs, and one that dribbles, at its timeout', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/dribble') {
        const timer = setInterval(() => response.write('x'), 5);
        response.on('close', () => clearInterval(timer));
      }
    });
    const http = client(LOOPBACK);
    for (const path of ['hang', 'dribble']) {
      const error = await failure(get(http, `http://127.0.0.1:${port}/${path}`, { timeoutMs: 40 }));
      expect(error).toMatchObject({ errorClass: 'unreachable', message: 'no answer within 40 ms' });
    }
  });

  it('ends a request when it is told to', async () => {
    const port = await serve(() => {});
    const controller = new AbortController();
    const promise = failure(
      get(client(LOOPBACK), `http://127.0.0.1:${port}/`, { signal: controller.signal }),
    );
    controller.abort();
    expect(await promise).toMatchObject({ errorClass: 'unreachable', message: 'stopped' });
  });

  it('reads no more than it may', async () => {
    const port = await serve((_, response) => response.end('x'.repeat(1_001)));
    const error = await failure(get(client(LOOPBACK), `http://127.0.0.1:${port}/`));
    expect(error).toMatchObject({ errorClass: 'fault', message: 'the answer is larger than 1000 bytes' });
  });

  it('takes a refused and a cut connection for unreachable, and what is no HTTP or no UTF-8 for a fault', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/cut') request.socket.destroy();
      else response.end(Buffer.from([0xff, 0xfe]));
    });
    const http = client(LOOPBACK);
    const tcp = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n'));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    opened.push(tcp);
    const tcpPort = (tcp.address() as AddressInfo).port;
    expect((await failure(get(http, `http://127.0.0.1:${port}/cut`))).errorClass).toBe('unreachable');
    expect((await failure(get(http, `http://127.0.0.1:${port}/bytes`))).errorClass).toBe('fault');
    expect((await failure(get(http, `http://127.0.0.1:${tcpPort}/`))).errorClass).toBe('fault');
    expect((await failure(get(http, 'http://127.0.0.1:1/'))).errorClass).toBe('unreachable');
    expect((await failure(get(http, 'ftp://127.0.0.1/'))).errorClass).toBe('fault');
    expect((await failure(get(http, 'http://a:b@127.0.0.1/'))).errorClass).toBe('fault');
  });

  it('does not follow redirects', async () => {
    const port = await serve((_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    );
    expect((await get(client(LOOPBACK), `http://127.0.0.1:${port}/`)).status).toBe(302);
  });

  it('keeps no more origins open than it may', async () => {
    const ports = await Promise.all([1, 2, 3].map(() => serve((_, response) => response.end('ok'))));
    const http = client({ ...LOOPBACK, origins: 1 });
    for (const port of ports) expect((await get(http, `http://127.0.0.1:${port}/`)).body).toBe('ok');
    const [first] = ports;
    expect((await get(http, `http://127.0.0.1:${first}/`)).body).toBe('ok');
  });
});

describe('the address rule', () => {
  it.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://0.0.0.0/',
  ])('refuses %s', async (url) => {
    expect(await failure(get(client(), url))).toMatchObject({
      errorClass: 'fault',
      message: 'the service has a private address; name its host in the allowed hosts',
    });
  });

  it('refuses a name that leads to a private address, and looks only at addresses it connects to', async () => {
    const port = await serve((_, response) => response.end('inside'));
    let answer = '127.0.0.1';
    const lookup: HttpOptions['lookup'] = (_, __, callback) =>
      callback(null, [{ address: answer, family: 4 }]);
    const url = `http://guard.test:${port}/`;
    expect((await failure(get(client({ lookup }), url))).errorClass).toBe('fault');
    expect((await get(client({ lookup, allowHosts: ['guard.test'] }), url)).body).toBe('inside');
    expect((await get(client({ lookup, allowHosts: [`guard.test:${port}`] }), url)).body).toBe('inside');
    expect((await failure(get(client({ lookup, allowHosts: ['guard.test:1'] }), url))).errorClass).toBe(
      'fault',
    );
    // A name that was public a moment ago: the second connection asks again, and is checked again.
    const rebinding = client({ lookup, connectTimeoutMs: 20 });
    answer = '192.0.2.1';
    await failure(get(rebinding, url, { timeoutMs: 20 }));
    answer = '127.0.0.1';
    expect((await failure(get(rebinding, url))).errorClass).toBe('fault');
  });

  it('takes an unknown name for unreachable', async () => {
    const lookup: HttpOptions['lookup'] = (_, __, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect(await failure(get(client({ lookup }), 'http://nowhere.test/'))).toMatchObject({
      errorClass: 'unreachable',
      message: 'no connection (ENOTFOUND)',
    });
  });

  it('knows what is public', () => {
    for (const address of ['8.8.8.8', '1.1.1.1', '2606:4700::1111', '172.32.0.1', '100.128.0.1']) {
      expect([address, isPublicAddress(address)]).toEqual([address, true]);
    }
    for (const address of [
      '172.31.255.255',
      '100.127.0.1',
      '::',
      '::1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
      '2001::1',
      'fc00::',
      'ff02::1',
      '255.255.255.255',
      '::ffff:8.8.8.8',
    ]) {
      expect([address, isPublicAddress(address)]).toEqual([address, false]);
    }
  });
});
