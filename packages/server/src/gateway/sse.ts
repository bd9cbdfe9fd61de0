import { PortcullisError } from '@portcullis/contract';

/** One event larger than this is no chunk of an answer. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * Takes a byte stream of server-sent events apart into the data of its events. Any chunking of the bytes gives the same
 * events. Only `data` is kept: comments, ids, names of events and retry times never reach the caller of a guarded stream.
 */
export class SseReader {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #data: string | null = null;
  #skipNewline = false;

  /**
   * The data of the events that these bytes complete.
   * @throws PortcullisError `upstream_invalid` for an event beyond any sensible size.
   */
  push(bytes: Buffer): string[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Bytes that belong to no complete event are left over: the stream was cut. */
  get cut(): boolean {
    return this.#rest !== '' || this.#data !== null;
  }

  #read(text: string): string[] {
    const events: string[] = [];
    this.#rest += text;
    let from = 0;
    const carriages = this.#rest.includes('\r');
    for (;;) {
      if (this.#skipNewline && from < this.#rest.length) {
        if (this.#rest.charCodeAt(from) === 10) from += 1;
        this.#skipNewline = false;
      }
      const end = carriages ? lineEnd(this.#rest, from) : this.#rest.indexOf('\n', from);
      if (end < 0) break;
      this.#line(this.#rest.slice(from, end), events);
      this.#skipNewline = this.#rest.charCodeAt(end) === 13;
      from = end + 1;
    }
    this.#rest = this.#rest.slice(from);
    if (this.#rest.length + (this.#data?.length ?? 0) > MAX_EVENT_CHARACTERS) {
      throw new PortcullisError(
        'upstream_invalid',
        "The provider's stream is broken: an event is too large.",
      );
    }
    return events;
  }

  #line(line: string, events: string[]): void {
    if (line === '') {
      if (this.#data !== null) events.push(this.#data);
      this.#data = null;
      return;
    }
    if (!line.startsWith('data')) return;
    const colon = line.charCodeAt(4);
    if (line.length > 4 && colon !== 58) return;
    const value = line.charCodeAt(5) === 32 ? line.slice(6) : line.slice(5);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }
}

/** Where the next line ends: at a line feed or a carriage return; -1 when it is not complete yet. */
function lineEnd(text: string, from: number): number {
  const feed = text.indexOf('\n', from);
  const carriage = text.indexOf('\r', from);
  if (carriage < 0) return feed;
  return feed < 0 ? carriage : Math.min(feed, carriage);
}
