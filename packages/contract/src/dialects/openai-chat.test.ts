import type { Segment } from '@portcullis/policy';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortcullisError } from '../errors.ts';
import { NO_CONTROL_FIELDS, readControlFields, withoutControlFields } from './control-fields.ts';
import {
  chatAnswerSegments,
  chatRequestSegments,
  guardedAnswer,
  readChatRequest,
  openAiChat,
} from './openai-chat.ts';
import { type JsonObject, withSegments } from './segments.ts';

const shown = (segments: readonly Segment[]): string[] =>
  segments.map(({ path, kind, text }) => `${kind} ${path} ${text}`);

const masked = (segments: readonly Segment[], from: string, to: string): Segment[] =>
  segments.map((segment) => ({ ...segment, text: segment.text.replaceAll(from, to) }));

describe('chat requests', () => {
  test('E9: every message, part, tool argument leaf, tool result and tool definition has its kind', () => {
    const body = {
      model: 'm',
      temperature: 0.5,
      messages: [
        { role: 'system', content: 'be nice' },
        { role: 'developer', content: 'and short' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'send', arguments: '{"to":"a@b.de","n":7}' },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sent' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'send', parameters: { type: 'object', properties: { to: { type: 'string' } } } },
        },
      ],
      user: 'u-1',
      odd: { secret: 'x', n: 5 },
    };
    expect(shown(chatRequestSegments(body))).toEqual([
      'system /messages/0/content be nice',
      'system /messages/1/content and short',
      'user /messages/2/name ann',
      'user /messages/2/content/0/text hi',
      'images /messages/2/content/1/image_url/url https://x/y.png',
      'images /messages/2/content/1/image_url/detail low',
      'tool_args /messages/3/tool_calls/0/function/name send',
      'tool_args /messages/3/tool_calls/0/function/arguments#/to~key to',
      'tool_args /messages/3/tool_calls/0/function/arguments#/to a@b.de',
      'tool_args /messages/3/tool_calls/0/function/arguments#/n~key n',
      'tool_args /messages/3/tool_calls/0/function/arguments#/n 7',
      'tool_result /messages/4/content sent',
      'tool_defs /tools/0/function/name send',
      'tool_defs /tools/0/function/parameters/properties/to~key to',
      'other /user~key user',
      'other /user u-1',
      'other /odd~key odd',
      'other /odd/secret~key secret',
      'other /odd/secret x',
      'other /odd/n~key n',
      'other /odd/n 5',
    ]);
  });

  test('E9: no text that a caller can choose is skipped, wherever it is put', () => {
    const marker = 'MARKER-7291';
    const place = (value: unknown): fc.Arbitrary<unknown> =>
      fc.oneof(
        fc.constant({ model: 'm', messages: [{ role: 'user', content: value }] }),
        fc.constant({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: value }] }] }),
        fc.constant({ model: 'm', messages: [{ role: 'user', content: [value] }] }),
        fc.constant({ model: 'm', messages: [{ role: 'user', content: [{ type: value }] }] }),
        fc.constant({ model: 'm', messages: [{ role: marker, content: 'x' }] }),
        fc.constant({ model: 'm', messages: [{ role: 'assistant', tool_calls: value }] }),
        fc.constant({ model: 'm', messages: [{ role: 'assistant', tool_calls: [{ id: { a: value } }] }] }),
        fc.constant({ model: 'm', messages: [{ role: 'assistant', function_call: { arguments: value } }] }),
        fc.constant({ model: 'm', messages: [{ role: 'assistant', reasoning_details: [value] }] }),
        fc.constant({ model: 'm', messages: [{ role: 'tool', tool_call_id: { a: value }, content: 'x' }] }),
        fc.constant({ model: 'm', messages: [{ role: 'user', content: 'x', [marker]: 1 }] }),
        fc.constant({
          model: 'm',
          messages: [],
          tools: [{ function: { parameters: { properties: { [marker]: {} } } } }],
        }),
        fc.constant({ model: 'm', messages: [], tool_choice: value, service_tier: value }),
        fc.constant({ model: 'm', messages: [], [marker]: 1 }),
        fc.constant({ model: 'm', messages: [], stop: [value] }),
        fc.constant({
          model: 'm',
          messages: [],
          response_format: { json_schema: { schema: { enum: [value] } } },
        }),
      );
    fc.assert(
      fc.property(
        fc.oneof(place(marker), place({ deep: [{ text: marker }] }), place([{ [marker]: null }])),
        (body) => {
          expect(
            chatRequestSegments(body as JsonObject).some((segment) => segment.text.includes(marker)),
          ).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a mask changes the one leaf, shares the rest and leaves the caller’s body alone', () => {
    const body = {
      model: 'm',
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'user', content: [{ type: 'text', text: 'I am a@b.de' }] },
        {
          role: 'assistant',
          tool_calls: [
            { id: 'c', type: 'function', function: { name: 'f', arguments: '{ "to" : "a@b.de",\n"n": 1}' } },
          ],
        },
      ],
    };
    const before = chatRequestSegments(body);
    const after = withSegments(body, before, masked(before, 'a@b.de', '[EMAIL_REDACTED]'));
    expect(after.ok && after.body.messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'user', content: [{ type: 'text', text: 'I am [EMAIL_REDACTED]' }] },
      {
        role: 'assistant',
        tool_calls: [
          {
            id: 'c',
            type: 'function',
            function: { name: 'f', arguments: '{ "to" : "[EMAIL_REDACTED]",\n"n": 1}' },
          },
        ],
      },
    ]);
    expect(after.ok && after.body.messages[0]).toBe(body.messages[0]);
    expect(JSON.stringify(body)).toContain('a@b.de');
  });

  test('E1: a mask of a key or of a bare number cannot be delivered, and says where', () => {
    const body = { model: 'm', messages: [], odd: { 'a@b.de': 1 } };
    const before = chatRequestSegments(body);
    expect(withSegments(body, before, masked(before, 'a@b.de', 'x'))).toMatchObject({
      ok: false,
      undeliverable: { path: '/odd/a@b.de~key' },
    });
  });

  test('a key that holds the marks of a path is still found again', () => {
    const body = { model: 'm', messages: [], 'a/b#c~d': { '#': 'a@b.de' } };
    const before = chatRequestSegments(body);
    const after = withSegments(body, before, masked(before, 'a@b.de', 'x'));
    expect(after).toEqual({ ok: true, body: { model: 'm', messages: [], 'a/b#c~d': { '#': 'x' } } });
  });

  test.each([
    [{ messages: [{ role: 'user', content: 'x' }] }, '"model"'],
    [{ model: 'm', messages: [] }, '"messages"'],
    [{ model: 'm', messages: ['x'] }, '"messages[0]"'],
    [{ model: 'm', messages: [{ role: 'user', content: 5 }] }, '"messages[0].content"'],
    [{ model: 'm', messages: [{ role: 'user' }], temperature: '4111' }, '"temperature"'],
    [{ model: 'm', messages: [{ role: 'user' }], stream: 'yes' }, '"stream"'],
    [{ model: 'm', messages: [{ role: 'user' }], guardrails: 'pii' }, '"guardrails"'],
    [{ model: 'm', messages: [{ role: 'user' }], metadata: { guardrails: 3 } }, '"metadata.guardrails"'],
    [{ model: 'm', messages: [{ role: 'user' }], policies: { a: 1 } }, '"policies"'],
    [{ model: 'm', messages: [{ role: 'user' }], tags: ['a', 1] }, '"tags"'],
  ])('a wrong body %j is refused with the field at fault', (body, text) => {
    expect(() => readChatRequest(body)).toThrow(PortcullisError);
    expect(() => readChatRequest(body)).toThrow(text);
  });
});

describe('control fields', () => {
  test('O5: all three forms of guardrails add, false is a no-op, and places are united', () => {
    const control = readControlFields({
      guardrails: ['a', { b: { extra_body: { level: 2 } } }],
      metadata: { guardrails: { c: true, d: false }, tags: ['t1'] },
      litellm_metadata: JSON.stringify({ policies: ['p'] }),
      tags: ['t0'],
    });
    expect(control.guardrails).toEqual([
      { name: 'a', params: null },
      { name: 'b', params: { level: 2 } },
      { name: 'c', params: null },
    ]);
    expect(control.policies).toEqual(['p']);
    expect(control.tags).toEqual(['t0', 't1']);
  });

  test('O4: fields that would weaken protection are removed everywhere and counted', () => {
    const body = {
      model: 'm',
      disable_global_guardrails: true,
      user_api_key_team_id: 't',
      metadata: { opted_out_global_guardrails: ['pii'], _pipeline_managed_guardrails: ['pii'], note: 'x' },
      litellm_metadata: { applied_policies: ['p'] },
      store: true,
    };
    const control = readControlFields(body);
    expect(control.stripped).toEqual([
      'disable_global_guardrails',
      'user_api_key_team_id',
      'metadata.opted_out_global_guardrails',
      'metadata._pipeline_managed_guardrails',
      'litellm_metadata.applied_policies',
    ]);
    expect(withoutControlFields(body)).toEqual({ model: 'm', store: true, metadata: { note: 'x' } });
  });

  test('a body without any of them is not copied twice', () => {
    expect(readControlFields({ model: 'm', messages: [] })).toBe(NO_CONTROL_FIELDS);
  });
});

describe('chat answers', () => {
  test('E9: content, refusal, reasoning, tool arguments and unknown fields of every choice are segments', () => {
    const body = {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt',
      usage: { total_tokens: 3 },
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: 'hi', reasoning_content: 'hm' },
        },
        {
          index: 1,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            refusal: 'no',
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"q":"x"}' } }],
          },
        },
      ],
      odd: 'y',
    };
    expect(shown(chatAnswerSegments(body))).toEqual([
      'assistant /choices/0/message/content hi',
      'reasoning /choices/0/message/reasoning_content hm',
      'refusal /choices/1/message/refusal no',
      'tool_args /choices/1/message/tool_calls/0/function/name f',
      'tool_args /choices/1/message/tool_calls/0/function/arguments#/q~key q',
      'tool_args /choices/1/message/tool_calls/0/function/arguments#/q x',
      'other /odd~key odd',
      'other /odd y',
    ]);
    const before = chatAnswerSegments(body);
    const after = withSegments(body, before, masked(before, 'hi', '[X]'));
    expect(after.ok && after.body.choices[0]?.message.content).toBe('[X]');
  });

  test('token probabilities leave a guarded answer, because they would repeat what a mask removed', () => {
    const body = {
      choices: [{ index: 0, message: { content: 'x' }, logprobs: { content: [{ token: 'x' }] } }],
    };
    expect(guardedAnswer(body)['choices']).toEqual([{ index: 0, message: { content: 'x' }, logprobs: null }]);
    expect(() => guardedAnswer({ ok: true })).toThrow('no chat completion');
  });

  test('E7: a soft block is a whole answer that ends with content_filter', () => {
    const answer = openAiChat.softBlock({
      id: 'i',
      model: 'm',
      createdSeconds: 1,
      maxChoices: 1,
      message: 'no',
      usage: null,
    });
    expect(answer?.['choices']).toMatchObject([
      { message: { content: 'no' }, finish_reason: 'content_filter' },
    ]);
  });
});
