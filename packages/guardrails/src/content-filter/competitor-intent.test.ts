import { describe, expect, test } from 'vitest';
import { filter, inspect, streamed } from '../../test/content-filter.ts';

const CONFIG = {
  brand_self: ['Nordwind'],
  competitors: ['Zephyr', 'Lago Air'],
  competitor_aliases: { 'Lago Air': ['LagoFly'] },
  locations: ['river', 'lake'],
  domain_words: ['airline'],
};

const made = (more: Readonly<Record<string, unknown>> = {}) =>
  filter({ competitor_intent_config: { ...CONFIG, ...more } });

function found(text: string, more: Readonly<Record<string, unknown>> = {}) {
  const { outcome, trace } = inspect(made(more), [text]);
  return { outcome, entries: (trace.guardrail_response ?? []) as { intent: string; confidence: number }[] };
}

describe('competitor intent', () => {
  test.each([
    ['Is Zephyr better than you?', 'competitor_comparison', 0.75],
    ['Should I fly LagoFly instead of Nordwind', 'competitor_comparison', 0.75],
    ['Tell me about Lago Air', 'possible_competitor_comparison', 0.55],
    ['What is the best airline?', 'category_ranking', 0.65],
  ])('%s: %s', (text, intent, confidence) => {
    expect(found(text).entries[0]).toMatchObject({ type: 'competitor_intent', intent, confidence });
  });

  test.each([
    'Does Nordwind fly to Oslo?',
    'How wide is the river Zephyr?',
    'Which airline operates this flight?',
    'Is the best seat at the window?',
  ])('%s: nothing', (text) => {
    expect(found(text)).toEqual({ outcome: { outcome: 'clean' }, entries: [] });
  });

  test('a comparison is refused, with what was found and none of the text', () => {
    const { outcome, trace, detections } = inspect(made({ refuse_message: 'Ask them.' }), [
      'Is ZEPHYR cheaper?',
    ]);
    expect(outcome).toEqual({ outcome: 'flagged', action: 'block', message: 'Ask them.' });
    expect(trace.provider_fields).toEqual({
      error: 'Ask them.',
      intent: 'competitor_comparison',
      confidence: 0.75,
      action_hint: 'refuse',
    });
    expect((trace.guardrail_response as object[])[0]).toEqual({
      type: 'competitor_intent',
      intent: 'competitor_comparison',
      confidence: 0.75,
      action_hint: 'refuse',
      entities: ['Zephyr'],
      signals: ['competitor_named', 'comparison_words'],
      evidence: ['Zephyr', 'cheaper'],
    });
    expect(detections[0]).toMatchObject({ type: 'competitor_intent', score: 0.75 });
  });

  test('a mention is answered in its place (E7)', () => {
    expect(found('Tell me about Zephyr', { reframe_message: 'Let us talk about us.' }).outcome).toEqual({
      outcome: 'flagged',
      action: 'respond',
      message: 'Let us talk about us.',
    });
  });

  test('a refusal beats an answer in its place (C4)', () => {
    expect(found('Tell me about Zephyr. Is Zephyr better?').outcome).toMatchObject({ action: 'block' });
  });

  test('the policy decides: allow, log_only, escalate', () => {
    const policy = (action: string) => ({
      policy: { competitor_comparison: action, possible_competitor_comparison: 'allow' },
    });
    const text = 'Is Zephyr better?';
    expect(found(text, policy('allow')).outcome).toEqual({ outcome: 'clean' });
    expect(found(text, policy('log_only')).outcome).toMatchObject({ action: 'log' });
    expect(found(text, policy('escalate')).outcome).toMatchObject({ action: 'block' });
  });

  test('thresholds decide what a confidence means', () => {
    expect(found('Tell me about Zephyr', { threshold_medium: 0.6 }).entries[0]).toMatchObject({
      intent: 'log_only',
    });
    expect(found('Tell me about Zephyr', { threshold_medium: 0.6, threshold_low: 0.6 }).entries).toEqual([]);
  });

  test("the airline type knows other airlines, and leaves one's own alone", () => {
    const airline = {
      competitor_intent_type: 'airline',
      brand_self: ['Emirates'],
      competitors: [],
      competitor_aliases: {},
    };
    expect(found('Is Lufthansa better?', airline).entries[0]).toMatchObject({
      intent: 'competitor_comparison',
    });
    expect(found('Is Emirates Airline on time?', airline).entries).toEqual([]);
  });

  test('a stream stops before the sentence (E8)', () => {
    expect(streamed(made(), ['Hello. Zeph', 'yr is che', 'aper.'])).toMatchObject({
      blocked: true,
      text: 'Hello. ',
    });
  });
});
