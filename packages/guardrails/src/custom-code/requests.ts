import type { HttpPort } from '../guardrail.ts';
import { HttpFailure } from '../guardrail.ts';
import type { SandboxAnswer, SandboxRun } from './sandbox.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST']);
// oxlint-disable-next-line no-control-regex -- control characters are exactly what a header must not hold
const HEADER = /^[!#$%&'*+.^_`|~0-9a-z-]+: [^\u0000-\u0008\u000a-\u001f\u007f]*$/iu;
const FORBIDDEN: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection']);

/**
 * The requests that code may make: to the hosts named alone, by https, or by http where the name has a port. The rules for
 * private addresses hold beside.
 */
export function requestsFor(allowedHosts: readonly string[], http: HttpPort): SandboxRun['request'] {
  const allowed = new Set(allowedHosts);
  return async ({ url, method, headers, body, timeoutMs }, signal) => {
    const problem = problemWith(url, method, headers, allowed);
    if (problem !== null) return refusal(problem);
    try {
      const answer = await http.send({
        method: method.toUpperCase() === 'POST' ? 'POST' : 'GET',
        url,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
        ),
        body,
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      const success = answer.status >= 200 && answer.status < 300;
      return { status_code: answer.status, body: answer.body, headers: answer.headers, success, error: null };
    } catch (error) {
      return refusal(error instanceof HttpFailure ? error.message : 'the request failed');
    }
  };
}

function problemWith(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  allowed: ReadonlySet<string>,
): string | null {
  if (!URL.canParse(url)) return 'this is no address';
  const { protocol, host, hostname, port } = new URL(url);
  const named =
    allowed.has(host) || (port === '' && allowed.has(hostname)) || allowed.has(`${hostname}:${port || 443}`);
  if (!named) return 'the host is not among allowed_hosts';
  if (protocol !== 'https:' && !(protocol === 'http:' && port !== '')) return 'only https is allowed';
  if (!METHODS.has(method.toUpperCase())) return 'only GET and POST are allowed';
  const bad = Object.entries(headers).some(
    ([name, value]) => FORBIDDEN.has(name.toLowerCase()) || !HEADER.test(`${name}: ${value}`),
  );
  return bad ? 'a header cannot be sent' : null;
}

const refusal = (error: string): SandboxAnswer => ({
  status_code: 0,
  body: '',
  headers: {},
  success: false,
  error,
});
