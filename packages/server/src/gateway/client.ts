import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type HeaderMap = Record<string, string | number>;

/**
 * One for each connection rather than each request, because making one is dear. A connection carries one request at a time
 * and ends with the caller, so it is aborted for the right request, once, and never used again.
 */
const ABORTS = new WeakMap<Socket, AbortController>();

/**
 * The caller's side of one exchange: writes the answer straight to the socket, and knows when the caller is gone.
 * A caller is gone when the connection closed before the answer was complete.
 */
export class Client {
  readonly #response: ServerResponse;
  readonly #socket: Socket | null;
  readonly #listeners: (() => void)[] = [];
  #gone = false;
  #closed = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    // Node takes the socket away from the response when it closes.
    this.#socket = response.socket;
    response.on('error', () => {
      // A socket that broke while writing also closes; the close below says so once.
    });
    response.once('close', () => {
      this.#closed = true;
      if (response.writableFinished) return;
      this.#gone = true;
      if (this.#socket !== null) ABORTS.get(this.#socket)?.abort();
      for (const listener of this.#listeners) listener();
    });
  }

  /** The connection closed before the answer was complete. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The status and headers have been sent, so that nothing else can be answered. */
  get started(): boolean {
    return this.#response.headersSent;
  }

  /** Calls back once when the caller goes away; at once when it already has. */
  onGone(listener: () => void): void {
    if (this.#gone) listener();
    else this.#listeners.push(listener);
  }

  /** Aborted when the caller goes away. */
  signal(): AbortSignal {
    if (this.#gone || this.#socket === null) return AbortSignal.abort();
    let controller = ABORTS.get(this.#socket);
    if (controller === undefined) {
      controller = new AbortController();
      ABORTS.set(this.#socket, controller);
    }
    return controller.signal;
  }

  /** Sends a whole answer. Does nothing for a caller that is gone. */
  send(status: number, headers: HeaderMap, body: string | Buffer): void {
    if (this.#closed) return;
    headers['content-length'] = Buffer.byteLength(body);
    this.#response.writeHead(status, headers);
    this.#response.end(body);
  }

  /** Sends status and headers; the body follows with {@link write}. */
  start(status: number, headers: HeaderMap): void {
    if (!this.#closed) this.#response.writeHead(status, headers);
  }

  /** Returns false when the caller reads more slowly than we write: wait for {@link onDrain}. */
  write(chunk: string | Buffer): boolean {
    return this.#closed || this.#response.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  /** Resolves when the caller has read enough, or is gone. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve();
        return;
      }
      this.#response.once('drain', resolve);
      this.#response.once('close', resolve);
    });
  }

  end(chunk?: string | Buffer): void {
    if (this.#closed) return;
    if (chunk === undefined) this.#response.end();
    else this.#response.end(chunk);
  }

  /** Cuts the connection, for an answer whose announced length can no longer be kept. */
  destroy(): void {
    this.#response.destroy();
  }
}
