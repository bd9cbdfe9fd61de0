import type { DialectName } from '@portcullis/contract';
import type { IncomingHttpHeaders } from 'node:http';
import type { Deployment } from '../../ports/models.ts';

/**
 * What is particular to one kind of provider. A call goes to it in a dialect that it speaks by itself; to serve a
 * dialect that it does not speak, somebody has to translate before {@link HttpUpstreams.call}.
 */
export interface UpstreamAdapter {
  speaks(dialect: DialectName): boolean;
  /** Headers that are the same for every call of a deployment, its credential included: name, value, name, ... */
  headers(deployment: Deployment): string[];
  /** Headers of the caller that the provider has to see. */
  passedOn(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
}

const ACCEPT = ['accept', 'application/json, text/event-stream, */*'];
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

const isAnthropic = (dialect: DialectName): boolean => dialect.startsWith('anthropic-');

const openAi: UpstreamAdapter = {
  speaks: (dialect) => !isAnthropic(dialect),
  headers({ apiKey, headers }) {
    const list = [...ACCEPT];
    if (apiKey !== null) list.push('authorization', `Bearer ${apiKey}`);
    for (const [name, value] of Object.entries(headers)) list.push(name, value);
    return list;
  },
  passedOn: () => NO_HEADERS,
};

const ANTHROPIC_VERSION = '2023-06-01';

const anthropic: UpstreamAdapter = {
  speaks: isAnthropic,
  headers({ apiKey, headers }) {
    const list = [...ACCEPT];
    if (apiKey !== null) list.push('x-api-key', apiKey);
    for (const [name, value] of Object.entries(headers)) list.push(name, value);
    return list;
  },
  passedOn(headers) {
    const version = headers['anthropic-version'];
    const beta = headers['anthropic-beta'];
    return {
      'anthropic-version': typeof version === 'string' ? version : ANTHROPIC_VERSION,
      ...(typeof beta === 'string' ? { 'anthropic-beta': beta } : {}),
    };
  },
};

/** Answers by itself, in every dialect. */
const mock: UpstreamAdapter = { speaks: () => true, headers: () => [], passedOn: () => NO_HEADERS };

const ADAPTERS: Readonly<Record<Deployment['provider'], UpstreamAdapter>> = {
  openai: openAi,
  anthropic,
  mock,
};

export function adapterOf({ provider }: Pick<Deployment, 'provider'>): UpstreamAdapter {
  return ADAPTERS[provider];
}
