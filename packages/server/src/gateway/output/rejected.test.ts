import { describe, expect, test } from 'vitest';
import type { UpstreamReply } from '../upstreams/upstream.ts';
import { readRejection, rejectionSegments, withRejectionSegments } from './rejected.ts';

const reply = (status: number, body: string): UpstreamReply => ({
  status,
  headers: {},
  read(sink) {
    sink.chunk(Buffer.from(body));
    sink.end();
  },
  pause: () => undefined,
  resume: () => undefined,
});

describe('an error of the provider', () => {
  test.each([
    [
      '{"error":{"message":"m","type":"t","param":"p","code":7}}',
      { message: 'm', type: 't', param: 'p', code: '7' },
    ],
    ['{"detail":"m"}', { message: 'm', type: 'upstream_error', param: null, code: '429' }],
    ['{"error":"m"}', { message: 'm' }],
    ['<html>busy</html>', { message: 'The provider answered with status 429.' }],
    ['', { message: 'The provider answered with status 429.' }],
  ])('%s is told in the OpenAI shape', async (body, expected) => {
    expect(await readRejection(reply(429, body))).toMatchObject({ status: 429, ...expected });
  });

  test('takes the texts of the guardrails that read it', async () => {
    const rejection = await readRejection(reply(400, '{"error":{"message":"a@b.example","type":"t"}}'));
    const masked = rejectionSegments(rejection).map((segment) =>
      segment.path === '/error/message' ? { ...segment, text: '[EMAIL]' } : segment,
    );
    expect(withRejectionSegments(rejection, masked)).toMatchObject({
      message: '[EMAIL]',
      type: 't',
      status: 400,
    });
  });
});
