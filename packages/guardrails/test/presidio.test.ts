import { createHttp, type HookResult } from '../src/index.ts';
import { presidioWith } from '../src/remote/presidio/index.ts';
import { afterAll, expect, test } from 'vitest';
import { describeWith } from '../../../e2e/support/needs.ts';
import { FakeClock, guardrail, input, run, runtimeOf, segment } from './kit.ts';

const presidio = presidioWith(null);
const MAIL = 'ann@example.com';
const CARD = '4095-2609-9393-4932';

describeWith('PRESIDIO_URL_TEST', 'a real Presidio', (url) => {
  const http = createHttp({ allowHosts: ['127.0.0.1'] });
  afterAll(() => http.close());

  const ask = async (settings: Record<string, unknown>, ...texts: readonly string[]): Promise<HookResult> => {
    const params = { guardrail: 'presidio', presidio_analyzer_api_base: url, ...settings };
    const ports = { clock: new FakeClock(), http, hash: () => 'h' };
    const runtime = runtimeOf([guardrail('g', params)], [presidio], ports);
    return runtime.runHook(
      input(
        [run('g')],
        texts.map((text) => segment(text)),
      ),
    );
  };
  const textsOf = (result: HookResult) => result.segments.map(({ text }) => text);
  const withAnonymizer = { presidio_anonymizer_api_base: url };

  test.each([
    ['without an anonymizer', {}],
    ['with its anonymizer', withAnonymizer],
  ])('masks what it finds, each in its own text, %s', async (_, settings) => {
    const result = await ask(
      settings,
      'nothing here',
      `😀 mail ${MAIL}, card ${CARD}!`,
      `IBAN DE89370400440532013000`,
    );
    expect(result.verdict).toBe('mask');
    expect(textsOf(result)).toEqual([
      'nothing here',
      '😀 mail <EMAIL_ADDRESS>, card <CREDIT_CARD>!',
      'IBAN <IBAN_CODE>',
    ]);
    expect(result.records[0]?.masked_entity_count).toEqual({
      EMAIL_ADDRESS: 1,
      CREDIT_CARD: 1,
      IBAN_CODE: 1,
    });
  });

  test('lets a text pass in which it finds nothing', async () => {
    expect((await ask(withAnonymizer, 'The weather is fine.')).verdict).toBe('allow');
  });

  test('looks for the entities asked for alone, and blocks those that are to be blocked', async () => {
    const entities = { pii_entities_config: { EMAIL_ADDRESS: 'MASK' } };
    expect(textsOf(await ask(entities, `${MAIL} ${CARD}`))).toEqual([`<EMAIL_ADDRESS> ${CARD}`]);
    const blocking = { pii_entities_config: { EMAIL_ADDRESS: 'MASK', CREDIT_CARD: 'BLOCK' } };
    expect((await ask(blocking, `${MAIL} ${CARD}`)).block?.message).toContain('CREDIT_CARD');
  });

  test('counts what it is sure enough of', async () => {
    const text = 'call 212-555-0123';
    const entities = { pii_entities_config: { PHONE_NUMBER: 'MASK' } };
    expect((await ask(entities, text)).verdict).toBe('mask');
    const sure = { ...entities, presidio_score_thresholds: { PHONE_NUMBER: 0.9 } };
    expect((await ask(sure, text)).verdict).toBe('allow');
  });

  test('finds what ad-hoc recognizers describe, with the anonymizer, many times in a long text', async () => {
    const recognizer = {
      name: 'Ticket',
      supported_language: 'en',
      supported_entity: 'TICKET',
      patterns: [{ name: 'ticket', regex: 'TCK-[0-9]{4}', score: 0.9 }],
    };
    const text = 'see TCK-1234 and some words, '.repeat(2_000);
    const settings = {
      ...withAnonymizer,
      presidio_ad_hoc_recognizers: [recognizer],
      pii_entities_config: { TICKET: 'MASK' },
    };
    const result = await ask(settings, text);
    expect(textsOf(result)[0]).toBe('see <TICKET> and some words, '.repeat(2_000));
  });

  test('puts values back into the answer (output_parse_pii)', async () => {
    const result = await ask({ ...withAnonymizer, output_parse_pii: true }, `I am ${MAIL}`);
    const [masked = ''] = textsOf(result);
    expect(masked).toMatch(/^I am <EMAIL_ADDRESS_\d+>$/u);
    expect(result.restorer?.restore(`You are ${masked.slice(5)}`)).toBe(`You are ${MAIL}`);
  });

  test('an unknown language is no answer (E1)', async () => {
    const result = await ask({ presidio_language: 'xx', num_retries: 0 }, 'text');
    expect(result.verdict).toBe('block');
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: 'fault' });
  });
});
