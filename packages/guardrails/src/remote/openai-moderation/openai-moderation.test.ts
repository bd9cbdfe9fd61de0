import { describe, expect, it } from 'vitest';
import { segment } from '../../../test/kit.ts';
import { asked, type Behaviour, describeNoAnswer, type Received, refused } from '../../../test/service.ts';
import { openAiModeration } from './index.ts';

interface Question {
  readonly model: string;
  readonly input: readonly (string | { readonly image_url: { readonly url: string } })[];
}

/** Answers as the endpoint documents it: a text with "hurt" is violence, an image of that name too. */
const service: Behaviour = (request: Received) => {
  const { input, model } = request.json as Question;
  const verdictOn = (text: string) => {
    const hit = text.includes('hurt');
    return {
      flagged: hit,
      categories: { harassment: false, violence: hit, 'self-harm/intent': false },
      category_scores: { harassment: 0.31, violence: hit ? 0.92 : 0.0001, 'self-harm/intent': 0.0002 },
      category_applied_input_types: { violence: ['text'] },
    };
  };
  return {
    id: 'modr-1',
    model,
    results: input.map((one) => verdictOn(typeof one === 'string' ? one : one.image_url.url)),
  };
};
const settings =
  (more: Record<string, unknown> = {}) =>
  (base: string) => ({
    api_base: `${base}/v1/`,
    api_key: 'sk-mod',
    ...more,
  });

describe('OpenAI moderation', () => {
  it('lets content pass that is not flagged, asked in the documented form', async () => {
    const { ask, received } = await asked(openAiModeration, service, settings());
    const result = await ask([segment('hello'), segment('and bye', { path: '/messages/1/content' })]);
    expect(result.verdict).toBe('allow');
    expect(result.records[0]).toMatchObject({ outcome: 'clean', guardrail_provider: 'openai_moderation' });
    expect(received[0]).toMatchObject({
      method: 'POST',
      url: '/v1/moderations',
      json: { model: 'omni-moderation-latest', input: ['hello\nand bye'] },
    });
    expect(received[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-mod',
      'content-type': 'application/json',
    });
  });

  it('blocks flagged content and names the categories and scores, never the text', async () => {
    const { ask } = await asked(openAiModeration, service, settings());
    const result = await ask('I will hurt you');
    expect(result.block).toMatchObject({
      type: 'guardrail_violation',
      message: 'Violated guardrail policy',
      provider_specific_fields: { violated_categories: ['violence'], guardrail_name: 'g' },
    });
    expect(result.records[0]).toMatchObject({
      outcome: 'flagged',
      confidence_score: 0.92,
      match_details: [
        { type: 'violence', action_taken: 'BLOCK', detection_method: 'model', score: 0.92, start: 0 },
      ],
    });
    expect(JSON.stringify(result.records)).not.toContain('hurt');
  });

  it('judges by its own thresholds and categories where they are given', async () => {
    const strict = await asked(
      openAiModeration,
      service,
      settings({ category_thresholds: { harassment: 0.3 } }),
    );
    expect((await strict.ask('fine')).records[0]?.match_details).toMatchObject([{ type: 'harassment' }]);
    const lenient = await asked(
      openAiModeration,
      service,
      settings({ category_thresholds: { violence: 0.95 } }),
    );
    expect((await lenient.ask('hurt')).verdict).toBe('allow');
    const other = await asked(openAiModeration, service, settings({ categories: ['harassment'] }));
    expect((await other.ask('hurt')).verdict).toBe('allow');
  });

  it('reports or answers instead of blocking where on_violation says so', async () => {
    const monitor = await asked(openAiModeration, service, settings({ on_violation: 'monitor' }));
    const reported = await monitor.ask('hurt');
    expect(reported.verdict).toBe('allow');
    expect(reported.records[0]).toMatchObject({ outcome: 'flagged', flagged_action: 'log' });
    const respond = await asked(
      openAiModeration,
      service,
      settings({ on_violation: 'respond', violation_message: 'Let us not.' }),
    );
    expect((await respond.ask('hurt')).respond).toMatchObject({ message: 'Let us not.' });
  });

  it('judges images too, each by a question of its own; one it cannot send is unread (E9)', async () => {
    const { ask, received } = await asked(openAiModeration, service, settings({ unscanned: 'block' }));
    const image = (text: string) =>
      segment(text, { kind: 'images', path: '/messages/0/content/1/image_url/url' });
    expect((await ask([segment('x'), image('https://example.com/cat.png')])).verdict).toBe('allow');
    expect(received.map(({ json }) => (json as Question).input)).toContainEqual([
      { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
    ]);
    expect((await ask([image('https://example.com/hurt.png')])).block?.type).toBe('guardrail_violation');
    const raw = await ask([image('A'.repeat(400))]);
    expect(raw.verdict).toBe('block');
    expect(raw.records[0]?.unscanned).toMatchObject([{ kind: 'images', setting: 'block' }]);
  });

  it('judges a long text in pieces that overlap, and all of it', async () => {
    const { ask, received } = await asked(openAiModeration, service, settings());
    const text = `${'a '.repeat(7_999)}hurt${' b'.repeat(10_000)}`;
    expect((await ask(text)).verdict).toBe('block');
    const pieces = (received.at(0) as unknown as { json: { input: readonly string[] } }).json.input;
    expect(pieces.length).toBe(3);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(16_000);
    const huge = await ask('a '.repeat(600_000));
    expect(huge.records[0]).toMatchObject({ outcome: 'error', error_class: 'too_complex' });
  });

  it('takes another number of verdicts than texts for no answer (E1)', async () => {
    const none: Behaviour = {
      results: [
        { flagged: false, categories: {}, category_scores: {} },
        { flagged: false, categories: {}, category_scores: {} },
      ],
    };
    const { ask } = await asked(openAiModeration, none, settings());
    expect((await ask('x')).records[0]).toMatchObject({ error_class: 'fault' });
  });

  it('is refused without a key, or with an address that is none', async () => {
    expect(await refused(openAiModeration, {})).toEqual(['api_key']);
    expect(await refused(openAiModeration, { api_key: 'k', api_base: 'ftp://x' })).toEqual(['api_base']);
    expect(await refused(openAiModeration, { api_key: 'k', threshold: 1 })).toEqual(['threshold']);
  });

  describeNoAnswer(openAiModeration, settings());
});
