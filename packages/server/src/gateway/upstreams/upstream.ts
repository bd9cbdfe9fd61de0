import type { PortcullisError } from '@portcullis/contract';
import type { IncomingHttpHeaders } from 'node:http';
import type { Deployment } from '../../ports/models.ts';

/** One call of a provider. */
export interface UpstreamCall {
  readonly deployment: Deployment;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  readonly contentType: string;
  /** Headers of this call beside those of the deployment. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a call without a body. */
  readonly body: Buffer | string | null;
  readonly stream: boolean;
  /** The answer must come unencoded, because it will be read. */
  readonly plain: boolean;
  /** `accept-encoding` of the caller, passed on when the answer is not read. */
  readonly acceptEncoding: string | null;
  /** Longest time for a whole answer, or until the headers and between two pieces of a stream, in milliseconds. */
  readonly timeoutMs: number;
}

/** Takes the bytes of one answer, in order: any number of `chunk`, then one `end` or `fail`. */
export interface BodySink {
  chunk(bytes: Buffer): void;
  end(): void;
  fail(error: PortcullisError): void;
}

/** An answer whose status and headers are known. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Hands the body to `sink`, once. What came before is handed over at once. */
  read(sink: BodySink): void;
  pause(): void;
  resume(): void;
}

/** A call that is under way. */
export interface UpstreamExchange {
  /**
   * The status and headers.
   * Rejects with a PortcullisError `upstream_unreachable`, `upstream_timeout` or `upstream_invalid`.
   */
  readonly reply: Promise<UpstreamReply>;
  /** Holds the answer back, before its first byte, too. */
  pause(): void;
  resume(): void;
  /** Ends the call: whoever waits for the reply or reads the body is told `client_disconnected`. Safe at any time. */
  abort(): void;
}
