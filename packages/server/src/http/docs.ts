import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type DocumentInput, openApiDocument } from './openapi/document.ts';

/** The same place from `src` and from `dist`. */
const PAGE = fileURLToPath(new URL('../../assets/docs.html', import.meta.url));

/** Mounts the description of everything that is mounted, for programs and for people. */
export function mountDocs(app: FastifyInstance, input: DocumentInput): void {
  // Made at the first question, when every route is mounted; routes do not change after that.
  let text: string | null = null;
  app.get('/openapi.json', (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(input));
    return reply.type('application/json').header('access-control-allow-origin', '*').send(text);
  });
  let page: Promise<Page> | null = null;
  for (const url of ['/', '/docs']) {
    app.get(url, async (_request, reply) => {
      const { html, policy } = await (page ??= readPage());
      return reply
        .headers({
          'content-security-policy': policy,
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        })
        .type('text/html; charset=utf-8')
        .send(html);
    });
  }
}

interface Page {
  readonly html: string;
  readonly policy: string;
}

/** The page may run its own script and ask this gateway, and nothing else: a key is typed into it. */
async function readPage(): Promise<Page> {
  const html = await readFile(PAGE, 'utf8');
  const hashOf = (tag: string): string => {
    const content = new RegExp(`<${tag}>(.*?)</${tag}>`, 'su').exec(html)?.[1] ?? '';
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf('script')}`,
    `style-src ${hashOf('style')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}
