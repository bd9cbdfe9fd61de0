import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { GatewaySettings } from '../ports/snapshot.ts';
import { openAiChat } from '@portcullis/contract';
import { accept, type Accepted, type Arrival, isDeeperThan, readCredential } from './accept.ts';

const settings: GatewaySettings = {
  keyHeaderName: 'x-own-key',
  useForwardedFor: false,
  addUserAgentTags: true,
  maxRequestBytes: 1_000,
  guardrailBudgetMs: 1_000,
  streamBufferCharacters: 1_000,
  storePrompts: false,
};

const arrival = (headers: IncomingHttpHeaders): Arrival => ({
  callId: 'c',
  time: 0,
  start: 0,
  method: 'POST',
  path: '/v1/chat/completions',
  headers,
});

/** Accepts a body that comes in these pieces. */
function take(body: object | string, headers: IncomingHttpHeaders = {}, own = settings): Promise<Accepted> {
  const message = Object.assign(new EventEmitter(), { headers, complete: true, pause: () => undefined });
  const result = accept(
    arrival({ authorization: 'Bearer sk-x', ...headers }),
    openAiChat,
    message as unknown as IncomingMessage,
    own,
  );
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  message.emit('data', Buffer.from(text));
  message.emit('end');
  return result;
}

const chat = (more: object = {}): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'x' }],
  ...more,
});

describe('tags of the caller', () => {
  test('are those of body, metadata, header and User-Agent, each once, all untrusted', async () => {
    const { tags } = await take(chat({ tags: ['a', 'b'], metadata: { tags: ['c'] } }), {
      'x-litellm-tags': 'b, d,,',
      'user-agent': 'OpenAI/Python 1.2.3',
    });
    expect(tags.map(({ value, source }) => `${source}:${value}`)).toEqual([
      'request:a',
      'request:b',
      'request:c',
      'header:d',
      'user_agent:User-Agent: OpenAI',
      'user_agent:User-Agent: OpenAI/Python 1.2.3',
    ]);
    expect(tags.every(({ trusted }) => !trusted)).toBe(true);
  });

  test('hold no User-Agent when the operator says so', async () => {
    const { tags } = await take(chat(), { 'user-agent': 'curl/8' }, { ...settings, addUserAgentTags: false });
    expect(tags).toEqual([]);
  });
});

describe('the key', () => {
  test.each<[IncomingHttpHeaders, string | null]>([
    [{ authorization: 'Bearer sk-1' }, 'sk-1'],
    [{ authorization: 'bearer  sk-1 ' }, 'sk-1'],
    [{ authorization: 'sk-1' }, 'sk-1'],
    [{ 'x-api-key': 'sk-1' }, 'sk-1'],
    [{ 'api-key': 'sk-1' }, 'sk-1'],
    [{ 'x-goog-api-key': 'sk-1' }, 'sk-1'],
    [{ 'x-own-key': 'Bearer sk-own', authorization: 'Bearer sk-other' }, 'sk-own'],
    [{ authorization: 'Bearer ' }, null],
    [{}, null],
  ])('of %j is %s', (headers, expected) => {
    expect(readCredential(headers, 'x-own-key')).toBe(expected);
  });
});

describe('the time limit', () => {
  test.each<[object, IncomingHttpHeaders, number | null]>([
    [{}, {}, null],
    [{ timeout: 1.5 }, {}, 1_500],
    [{ timeout: 1.5 }, { 'x-litellm-timeout': '3' }, 3_000],
    [{ stream: true }, { 'x-litellm-timeout': '3', 'x-litellm-stream-timeout': '2' }, 2_000],
    [{}, { 'x-litellm-stream-timeout': '2' }, null],
  ])('of %j with %j is %s ms', async (more, headers, expected) => {
    expect((await take(chat(more), headers)).timeoutMs).toBe(expected);
  });

  test('that is no positive number is refused', async () => {
    await expect(take(chat(), { 'x-litellm-timeout': 'soon' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('a body', () => {
  test('is refused by its announced length alone', async () => {
    await expect(take('{}', { 'content-length': '1001' })).rejects.toMatchObject({ code: 'body_too_large' });
  });

  test('is refused when it turns out to be larger than the limit', async () => {
    await expect(take(chat({ x: 'y'.repeat(1_000) }))).rejects.toMatchObject({ code: 'body_too_large' });
  });

  test('with a content-encoding is refused rather than misread', async () => {
    const refused = take(chat(), { 'content-encoding': 'gzip' });
    await expect(refused).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  test('may nest 64 levels and not one more', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(isDeeperThan(nested(64), 64)).toBe(false);
    expect(isDeeperThan(nested(65), 64)).toBe(true);
    expect(isDeeperThan({ a: { b: 1 } }, 1)).toBe(true);
  });
});
