import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cameByHttps } from './caller.ts';

/** Answers that are no pages load nothing, wherever a browser is made to open them. */
const DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Pages of the dashboard: everything comes from this gateway and goes to it. Styles may be inline, because components set
 * sizes and positions by style attributes; scripts may not.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-permitted-cross-domain-policies': 'none',
} as const;

/** Gives every answer that the framework sends what keeps browsers from misusing it. A route's own headers stay. */
export function mountSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload, done) => {
    addSecurityHeaders(request, reply);
    done(null, payload);
  });
}

/** For the answers to which no hooks belong. */
export function addSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
  const wanted: Record<string, string> = {
    ...ALWAYS,
    'content-security-policy': isPage ? PAGE_POLICY : DATA_POLICY,
    // What is behind a key or a session is in nobody's cache.
    'cache-control': 'no-store',
    ...(cameByHttps(request) ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
  for (const [name, value] of Object.entries(wanted)) {
    if (!reply.hasHeader(name)) void reply.header(name, value);
  }
}
