import { PortcullisError } from '@portcullis/contract';
import { createParser, type EventSourceParser } from 'eventsource-parser';

/** One event larger than this is no chunk of an answer. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/**
 * Takes a byte stream of server-sent events apart into the data of its events. Any chunking of the bytes gives the same
 * events. Only `data` is kept: comments, ids, names of events and retry times never reach the caller of a guarded stream.
 */
export class SseReader {
  readonly #decoder = new TextDecoder('utf-8');
  readonly #parser: EventSourceParser;
  #events: string[] = [];
  #tooLarge = false;

  constructor() {
    this.#parser = createParser({
      maxBufferSize: MAX_EVENT_CHARACTERS,
      onEvent: ({ data }) => this.#events.push(data),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#tooLarge = true;
      },
    });
  }

  /**
   * The data of the events that these bytes complete.
   * @throws PortcullisError `upstream_invalid` for an event beyond any sensible size.
   */
  push(bytes: Buffer): string[] {
    this.#events = [];
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    if (this.#tooLarge) {
      throw new PortcullisError(
        'upstream_invalid',
        "The provider's stream is broken: an event is too large.",
      );
    }
    return this.#events;
  }
}
