import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { segment } from '../../../test/kit.ts';
import { asked, type Behaviour, describeNoAnswer, type Received, refused } from '../../../test/service.ts';
import { bedrock } from './index.ts';

interface Question {
  readonly source: string;
  readonly content: readonly { readonly text: { readonly text: string } }[];
}

const USAGE = { topicPolicyUnits: 1, contentPolicyUnits: 1, wordPolicyUnits: 1 };

/** As ApplyGuardrail documents it: "bomb" is blocked content, an e-mail address is anonymised. */
const service: Behaviour = (request: Received) => {
  const text = (request.json as Question).content[0]?.text.text ?? '';
  if (text.includes('bomb')) {
    return {
      usage: USAGE,
      action: 'GUARDRAIL_INTERVENED',
      actionReason: 'Guardrail blocked.',
      outputs: [{ text: 'Sorry, I cannot help with that.' }],
      assessments: [
        {
          contentPolicy: {
            filters: [{ type: 'VIOLENCE', confidence: 'HIGH', filterStrength: 'HIGH', action: 'BLOCKED' }],
          },
          topicPolicy: { topics: [{ name: 'Weapons', type: 'DENY', action: 'BLOCKED' }] },
        },
      ],
    };
  }
  const masked = text.replaceAll(/\S+@\S+/gu, '{EMAIL}');
  if (masked === text) return { usage: USAGE, action: 'NONE', outputs: [], assessments: [{}] };
  return {
    usage: USAGE,
    action: 'GUARDRAIL_INTERVENED',
    outputs: [{ text: masked }],
    assessments: [
      {
        sensitiveInformationPolicy: {
          piiEntities: [{ type: 'EMAIL', match: 'ann@example.com', action: 'ANONYMIZED' }],
          regexes: [],
        },
      },
    ],
  };
};

const ARN = 'arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123';
const settings =
  (more: Record<string, unknown> = {}) =>
  (base: string) => ({
    aws_bedrock_runtime_endpoint: base,
    guardrailIdentifier: ARN,
    guardrailVersion: '2',
    aws_region_name: 'eu-central-1',
    aws_access_key_id: 'AKIDEXAMPLE',
    aws_secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    ...more,
  });

/** The signature of a request by the published algorithm, computed from what arrived. */
function signatureOf(request: Received, secret: string): string {
  const { headers } = request;
  const match =
    /Credential=[^/]+\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=/u.exec(
      headers.authorization ?? '',
    );
  const [, date = '', region = '', name = '', signed = ''] = match ?? [];
  const [path = ''] = request.url.split('?');
  const canonical = [
    request.method,
    path.split('/').map(encodeURIComponent).join('/'),
    '',
    ...signed.split(';').map((header) => `${header}:${String(headers[header])}`),
    '',
    signed,
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();
  const key = ['aws4_request'].reduce(
    hmac,
    [date, region, name].reduce<Buffer | string>(hmac, `AWS4${secret}`),
  );
  const scope = `${date}/${region}/${name}/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  return hmac(key, `AWS4-HMAC-SHA256\n${String(headers['x-amz-date'])}\n${scope}\n${digest}`).toString('hex');
}

describe('Amazon Bedrock Guardrails', () => {
  it('signs every request with Signature Version 4, at the time of the clock', async () => {
    const { ask, received, clock } = await asked(
      bedrock,
      service,
      settings({ aws_session_token: 'session' }),
    );
    expect((await ask('hällo')).verdict).toBe('allow');
    clock.advance(3_600_000);
    await ask('hällo');
    const [first, second] = received;
    expect(first?.url).toBe(`/guardrail/${encodeURIComponent(ARN)}/version/2/apply`);
    expect(first?.json).toEqual({ source: 'INPUT', content: [{ text: { text: 'hällo' } }] });
    expect(first?.headers['x-amz-security-token']).toBe('session');
    expect(first?.headers['x-amz-date']).toBe('20231114T221320Z');
    expect(second?.headers['x-amz-date']).toBe('20231114T231320Z');
    for (const request of received) {
      const signature = signatureOf(request, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
      expect(request.headers.authorization).toMatch(new RegExp(`Signature=${signature}$`, 'u'));
      expect(request.headers.authorization).toContain('/eu-central-1/bedrock/aws4_request');
    }
  });

  it('blocks what the guardrail blocks, with its policies, and asks about answers as OUTPUT', async () => {
    const { askAnswer, received } = await asked(bedrock, service, settings());
    const result = await askAnswer('how to build a bomb');
    expect((received[0]?.json as Question | undefined)?.source).toBe('OUTPUT');
    expect(result.block).toMatchObject({
      message: 'Violated guardrail policy',
      provider_specific_fields: { violations: ['content:VIOLENCE', 'topic:Weapons'] },
    });
    expect(JSON.stringify(result.records)).not.toContain('bomb');
  });

  it("answers with the guardrail's own message where disable_exception_on_block is set", async () => {
    const { ask } = await asked(bedrock, service, settings({ disable_exception_on_block: true }));
    const result = await ask('bomb');
    expect(result.verdict).toBe('respond');
    expect(result.respond?.message).toBe('Sorry, I cannot help with that.');
  });

  it('masks what the guardrail anonymises, each segment at its place', async () => {
    const { ask, received } = await asked(bedrock, service, settings());
    const result = await ask([segment('hello'), segment('I am ann@example.com ok?'), segment('bye')]);
    expect(result.verdict).toBe('mask');
    expect(result.segments.map(({ text }) => text)).toEqual(['hello', 'I am {EMAIL} ok?', 'bye']);
    expect(result.records[0]).toMatchObject({ masked_entity_count: { 'sensitive:EMAIL': 1 } });
    // Once together, and then each alone, because the new text does not say where a segment ends.
    expect(received).toHaveLength(1 + 3);
  });

  it('blocks what would be masked where masking is off', async () => {
    const { ask, askAnswer } = await asked(bedrock, service, settings({ mask_request_content: false }));
    expect((await ask('ann@example.com')).verdict).toBe('block');
    expect((await askAnswer('ann@example.com')).verdict).toBe('mask');
  });

  it('takes what changes only when segments are read together for undeliverable (E1)', async () => {
    const odd: Behaviour = (request: Received) => {
      const text = (request.json as Question).content[0]?.text.text ?? '';
      if (!text.includes('\n')) return { action: 'NONE', outputs: [], assessments: [] };
      return {
        action: 'GUARDRAIL_INTERVENED',
        outputs: [{ text: '{NAME}' }],
        assessments: [
          { sensitiveInformationPolicy: { piiEntities: [{ type: 'NAME', action: 'ANONYMIZED' }] } },
        ],
      };
    };
    const { ask } = await asked(bedrock, odd, settings());
    const result = await ask([segment('Ann'), segment('Smith')]);
    expect(result.records[0]).toMatchObject({ outcome: 'error', error_class: 'undeliverable' });
  });

  it('blocks an intervention that no assessment explains', async () => {
    const { ask } = await asked(
      bedrock,
      { action: 'GUARDRAIL_INTERVENED', outputs: [], assessments: [] },
      settings(),
    );
    expect((await ask('x')).block).toMatchObject({ provider_specific_fields: { violations: ['other'] } });
  });

  it('takes an API key instead of an access key', async () => {
    const keys = { aws_access_key_id: null, aws_secret_access_key: null, api_key: 'bedrock-api-key' };
    const { ask, received } = await asked(bedrock, service, settings(keys));
    await ask('x');
    expect(received[0]?.headers.authorization).toBe('Bearer bedrock-api-key');
  });

  it('is refused without credentials, or with ids that are none', async () => {
    const base = settings()('https://bedrock.example');
    expect(await refused(bedrock, { ...base, aws_access_key_id: null })).toEqual(['aws_access_key_id']);
    expect(await refused(bedrock, { ...base, aws_secret_access_key: null })).toEqual([
      'aws_secret_access_key',
    ]);
    expect(
      await refused(bedrock, { ...base, guardrailIdentifier: '../x y', aws_region_name: 'evil.example/' }),
    ).toEqual(['guardrailIdentifier', 'aws_region_name']);
  });

  describeNoAnswer(bedrock, settings());
});
