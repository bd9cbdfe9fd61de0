import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** What the build of packages/dashboard leaves; the same place from `src` and from `dist`. */
const BUILT = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** Only what this gateway serves runs and is asked: a key is typed into these pages. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

const NOT_BUILT = `<!doctype html><html lang="en"><title>Portcullis</title>
<p>The dashboard is not built. Run <code>npm run build</code> and start the gateway again.</p>`;

interface Served {
  readonly bytes: Buffer;
  readonly zipped: Buffer | null;
  readonly type: string;
  readonly etag: string;
}

const zip = promisify(gzip);

/**
 * Mounts the dashboard. Its files are those of one folder, each read once; every other path below `/ui` is a place
 * inside the dashboard and gets its page.
 */
export function mountDashboard(app: FastifyInstance): void {
  let names: Promise<ReadonlySet<string>> | null = null;
  const files = new Map<string, Promise<Served>>();
  const file = (name: string): Promise<Served> => {
    const known = files.get(name) ?? readServed(name);
    files.set(name, known);
    return known;
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    void reply.headers(HEADERS);
    const built = await (names ??= builtFiles());
    if (!built.has('index.html')) return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT);
    const { '*': path = '' } = request.params as { readonly '*'?: string };
    const isFile = built.has(path);
    // A file of an older build must not come back as a page that the browser then runs as a script.
    if (!isFile && path.startsWith('assets/')) {
      return reply
        .code(404)
        .type('text/plain')
        .send('This file belongs to another version of the dashboard.');
    }
    const served = await file(isFile ? path : 'index.html');
    void reply
      .header('etag', served.etag)
      .header('vary', 'accept-encoding')
      // The names of assets hold the digest of what is in them.
      .header(
        'cache-control',
        path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    if (request.headers['if-none-match'] === served.etag) return reply.code(304).send();
    void reply.type(served.type);
    const takesGzip = /\bgzip\b/u.test(request.headers['accept-encoding'] ?? '');
    if (served.zipped === null || !takesGzip) return reply.send(served.bytes);
    return reply.header('content-encoding', 'gzip').send(served.zipped);
  };
  app.get('/ui', answer);
  app.get('/ui/*', answer);
}

/** The paths of everything that was built, with `/`; empty when nothing was. */
async function builtFiles(): Promise<ReadonlySet<string>> {
  try {
    const entries = await readdir(BUILT, { recursive: true, withFileTypes: true });
    return new Set(
      entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(BUILT, join(parentPath, name)).replaceAll('\\', '/')),
    );
  } catch {
    return new Set();
  }
}

async function readServed(name: string): Promise<Served> {
  const bytes = await readFile(BUILT + name);
  const zipped = await zip(bytes, { level: 9 });
  return {
    bytes,
    zipped: zipped.length < bytes.length ? zipped : null,
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
  };
}
