import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { asked, type Behaviour, describeNoAnswer, type Received, refused } from '../../../test/service.ts';
import { presidioWith } from './index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'presidio-'));
afterAll(() => rmSync(folder, { recursive: true }));
const presidio = presidioWith({ folder, parseYaml: (text): unknown => JSON.parse(text) });

interface Finding {
  readonly entity_type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}
interface Question {
  readonly text: string;
  readonly language: string;
  readonly entities?: readonly string[];
  readonly ad_hoc_recognizers?: readonly unknown[];
  readonly analyzer_results: readonly Finding[];
}

/** Recorded answers of the analyzer to fixed texts, names included: offsets are code points, findings may overlap. */
const RECORDED: Readonly<Record<string, readonly Finding[]>> = {
  'My name is Ann Smith, mail ann@example.com': [
    { entity_type: 'EMAIL_ADDRESS', start: 27, end: 42, score: 1 },
    { entity_type: 'PERSON', start: 11, end: 20, score: 0.85 },
    { entity_type: 'URL', start: 31, end: 42, score: 0.5 },
  ],
  '😀 Ann Smith': [{ entity_type: 'PERSON', start: 2, end: 11, score: 0.85 }],
  'Ann  Bob': [
    { entity_type: 'PERSON', start: 0, end: 3, score: 0.85 },
    { entity_type: 'PERSON', start: 5, end: 8, score: 0.85 },
  ],
};

const analyze = ({ text }: Question): readonly Finding[] => RECORDED[text] ?? [];

/** The anonymizer's documented answer: items in falling order, places in the new text. */
function anonymize({ text, analyzer_results: list }: Question) {
  const points = Array.from(text);
  let made = '';
  let at = 0;
  const items = [];
  for (const one of list.toSorted((a, b) => a.start - b.start)) {
    made += points.slice(at, one.start).join('');
    const start = Array.from(made).length;
    const label = `<${one.entity_type}!>`;
    made += label;
    items.push({
      start,
      end: start + label.length,
      entity_type: one.entity_type,
      text: label,
      operator: 'replace',
    });
    at = one.end;
  }
  return { text: made + points.slice(at).join(''), items: items.toReversed() };
}

const services: Behaviour = (request: Received) => {
  const question = request.json as Question;
  return request.url === '/analyze' ? analyze(question) : anonymize(question);
};
const settings =
  (more: Record<string, unknown> = {}) =>
  (base: string) => ({
    presidio_analyzer_api_base: base,
    ...more,
  });
const NAME_AND_MAIL = 'My name is Ann Smith, mail ann@example.com';

describe('Presidio', () => {
  it('asks the analyzer in its form and lets a text pass in which nothing is found', async () => {
    const { ask, received } = await asked(
      presidio,
      services,
      settings({ presidio_language: 'de', pii_entities_config: { PERSON: 'MASK', EMAIL_ADDRESS: 'mask' } }),
    );
    expect((await ask('nothing')).verdict).toBe('allow');
    expect(received).toMatchObject([
      { url: '/analyze', json: { text: 'nothing', language: 'de', entities: ['PERSON', 'EMAIL_ADDRESS'] } },
    ]);
  });

  it('masks with <ENTITY> where there is no anonymizer, of overlapping findings the longest', async () => {
    const { ask } = await asked(presidio, services, settings());
    const result = await ask(NAME_AND_MAIL);
    expect(result.segments[0]?.text).toBe('My name is <PERSON>, mail <EMAIL_ADDRESS>');
    expect(result.records[0]).toMatchObject({
      outcome: 'masked',
      masked_entity_count: { PERSON: 1, EMAIL_ADDRESS: 1 },
    });
    expect(JSON.stringify(result.records)).not.toContain('Smith');
  });

  it("masks with the anonymizer's own text, at places after characters of any size", async () => {
    const { ask, received } = await asked(presidio, services, (base) => ({
      ...settings()(base),
      presidio_anonymizer_api_base: `${base}/`,
    }));
    const result = await ask('😀 Ann Smith');
    expect(result.segments[0]?.text).toBe('😀 <PERSON!>');
    expect(received[1]).toMatchObject({
      url: '/anonymize',
      json: {
        text: '😀 Ann Smith',
        analyzer_results: [{ entity_type: 'PERSON', start: 2, end: 11, score: 0.85 }],
      },
    });
    expect((await ask('Ann  Bob')).segments[0]?.text).toBe('<PERSON!>');
  });

  it('gives values placeholders that tell them apart where they are put back (output_parse_pii)', async () => {
    const { ask } = await asked(presidio, services, settings({ output_parse_pii: true }));
    const result = await ask(NAME_AND_MAIL);
    const masked = result.segments[0]?.text ?? '';
    expect(masked).toMatch(/^My name is <PERSON_\d+>, mail <EMAIL_ADDRESS_\d+>$/u);
    expect(result.restorer?.restore(`Dear ${masked.slice(11, masked.indexOf(','))}`)).toBe('Dear Ann Smith');
  });

  it('blocks an entity whose action is BLOCK, with the message of the reference', async () => {
    const { ask } = await asked(
      presidio,
      services,
      settings({ pii_entities_config: { PERSON: 'MASK', EMAIL_ADDRESS: 'BLOCK' } }),
    );
    const result = await ask(NAME_AND_MAIL);
    expect(result.block).toMatchObject({
      message: 'Blocked PII entity detected: EMAIL_ADDRESS by Guardrail: g.',
      provider_specific_fields: { entity_type: 'EMAIL_ADDRESS' },
    });
  });

  it('counts findings by score thresholds and leaves denied entities alone', async () => {
    const strict = await asked(
      presidio,
      services,
      settings({ presidio_score_thresholds: { ALL: 0.9, PERSON: 0.5 } }),
    );
    expect((await strict.ask(NAME_AND_MAIL)).segments[0]?.text).toBe(
      'My name is <PERSON>, mail <EMAIL_ADDRESS>',
    );
    const surer = await asked(presidio, services, settings({ presidio_score_thresholds: { ALL: 0.9 } }));
    expect((await surer.ask(NAME_AND_MAIL)).segments[0]?.text).toBe(
      'My name is Ann Smith, mail <EMAIL_ADDRESS>',
    );
    const denied = await asked(
      presidio,
      services,
      settings({ presidio_entities_deny_list: ['PERSON', 'URL'] }),
    );
    expect((await denied.ask(NAME_AND_MAIL)).segments[0]?.text).toBe(
      'My name is Ann Smith, mail <EMAIL_ADDRESS>',
    );
  });

  it('blocks in during_call what it would mask elsewhere (P7)', async () => {
    const { ask } = await asked(presidio, services, settings({ mode: ['during_call'] }));
    expect((await ask(NAME_AND_MAIL, { hook: 'during_call' })).block?.type).toBe('guardrail_violation');
  });

  it('sends ad-hoc recognizers from a list, a JSON text and a file beside the configuration', async () => {
    const list = [
      {
        name: 'Zip',
        supported_language: 'en',
        supported_entity: 'ZIP',
        patterns: [{ name: 'z', regex: '\\d{5}', score: 0.5 }],
      },
    ];
    writeFileSync(path.join(folder, 'recognizers.json'), JSON.stringify(list));
    for (const given of [list, JSON.stringify(list), 'recognizers.json']) {
      const { ask, received } = await asked(
        presidio,
        services,
        settings({ presidio_ad_hoc_recognizers: given }),
      );
      await ask('x');
      expect((received[0]?.json as Question | undefined)?.ad_hoc_recognizers).toEqual(list);
    }
    const at = (given: unknown) =>
      refused(presidio, { ...settings()('http://p.example'), presidio_ad_hoc_recognizers: given });
    for (const wrong of ['missing.json', '../secret.json', '[{"name": 1}]', '[']) {
      expect(await at(wrong)).toEqual(['presidio_ad_hoc_recognizers']);
    }
  });

  it('serves the side that presidio_filter_scope names', () => {
    const hooks = (scope: 'input' | 'output') => {
      const params = {
        guardrail: 'presidio',
        mode: 'pre_call',
        ...settings()('http://p.example'),
        presidio_filter_scope: scope,
      };
      return presidio.facts(presidio.configSchema.parse(params)).hooks;
    };
    expect(hooks('input')).not.toContain('post_call');
    expect(hooks('output')).toEqual(['post_call', 'logging_only']);
  });

  it.each([
    ['an anonymizer that changes something else', { text: 'other', items: [] }],
    ['an anonymizer that leaves a finding', { text: NAME_AND_MAIL, items: [] }],
    ['an anonymizer that answers with an error', { error: 'no' }],
  ])('takes %s for no answer (E1)', async (_, answer) => {
    const both: Behaviour = (request: Received) =>
      request.url === '/analyze' ? analyze(request.json as Question) : answer;
    const { ask } = await asked(presidio, both, (base) => ({
      ...settings()(base),
      presidio_anonymizer_api_base: base,
    }));
    expect((await ask(NAME_AND_MAIL)).records[0]).toMatchObject({ outcome: 'error', error_class: 'fault' });
  });

  it('takes a place outside the text for no answer (E1)', async () => {
    const { ask } = await asked(
      presidio,
      [{ entity_type: 'PERSON', start: 0, end: 99, score: 1 }],
      settings(),
    );
    expect((await ask('short')).records[0]).toMatchObject({ outcome: 'error', error_class: 'fault' });
  });

  describeNoAnswer(presidio, settings());
});
