import { HttpFailure, type HttpPort } from '@portcullis/guardrails';
import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { Agent, request as send } from 'undici';

const CONNECT_TIMEOUT_MS = 5_000;

/** Addresses that lead into the operator's own networks, or back to this machine. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

/** Whether an address is private. IPv4 addresses written as IPv6 count as what they are. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * HTTP for guardrail services, over kept connections. Private addresses are refused unless the operator names the host,
 * and the address that was checked is the one that is connected to, so that a name cannot change in between.
 */
export class GuardrailHttp implements HttpPort {
  #allowed: ReadonlySet<string> = new Set();
  readonly #agent: Agent;

  constructor() {
    this.#agent = new Agent({
      connect: { timeout: CONNECT_TIMEOUT_MS, lookup: this.#lookup },
      keepAliveTimeout: 30_000,
    });
  }

  /** Host names or addresses that may be private, from the configuration. */
  allow(hosts: readonly string[]): void {
    this.#allowed = new Set(hosts.map((host) => host.toLowerCase()));
  }

  async send(request: Parameters<HttpPort['send']>[0]): ReturnType<HttpPort['send']> {
    const { hostname } = new URL(request.url);
    const host = hostname.replace(/^\[|\]$/gu, '').toLowerCase();
    if (isIP(host) !== 0 && isPrivateAddress(host) && !this.#allowed.has(host)) throw refused(host);
    try {
      const answer = await send(request.url, {
        dispatcher: this.#agent,
        method: request.method,
        headers: request.headers,
        body: request.body,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]),
        headersTimeout: request.timeoutMs,
        bodyTimeout: request.timeoutMs,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > request.maxBytes)
          throw new HttpFailure('fault', `the answer is larger than ${request.maxBytes} bytes`);
        chunks.push(chunk);
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers)) headers[name] = String(value);
      return { status: answer.statusCode, headers, body: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
      throw new HttpFailure('unreachable', `${host} could not be asked (${code})`);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const usable = this.#allowed.has(hostname.toLowerCase())
        ? addresses
        : addresses.filter(({ address }) => !isPrivateAddress(address));
      const [first] = usable;
      if (first === undefined) callback(refused(hostname), '', 0);
      else if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(host: string): HttpFailure {
  return new HttpFailure('fault', `${host} is a private address; list it among the allowed private hosts`);
}
