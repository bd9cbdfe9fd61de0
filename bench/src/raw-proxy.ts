/**
 * The floor that a gateway in Node can be held against: node:http in front, undici behind, bytes passed on as they come.
 * It knows no keys, no policies and no dialect.
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port = '0', upstream = ''] = process.argv.slice(2);
const pool = new Pool(upstream, { connections: 128, pipelining: 1 });

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.concat(parts),
      },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, headers) {
          const passed: Record<string, string | string[]> = {};
          for (const name of ['content-type', 'content-length']) {
            const value = headers[name];
            if (value !== undefined) passed[name] = value;
          }
          response.writeHead(status, passed);
        },
        onResponseData(controller, chunk) {
          if (!response.write(chunk)) {
            controller.pause();
            response.once('drain', () => controller.resume());
          }
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
