import { AwsV4Signer } from 'aws4fetch';
import { z } from 'zod';
import { ConfigProblem, type Detection, type Ports, type Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { documentsOf } from '../service/documents.ts';
import { actionOf, CLEAN, fault, finding, flagged, together } from '../service/inspection.ts';
import { type Call, type Line, readJson } from '../service/line.ts';
import { rewriting } from '../service/rewrite.ts';
import { flaggingShape, optional, secretValue, serviceUrl } from '../service/settings.ts';
import { type BedrockAnswer, bedrockAnswerSchema, findingsOf } from './answer.ts';

const configSchema = z.strictObject({
  ...flaggingShape,
  guardrailIdentifier: z
    .string()
    .regex(/^[A-Za-z0-9:/._-]{1,2048}$/u, 'this is neither the id nor the ARN of a guardrail')
    .describe('Id or ARN of the guardrail'),
  guardrailVersion: z
    .string()
    .regex(/^(?:DRAFT|[1-9]\d{0,7})$/u, 'this is neither a number nor DRAFT')
    .default('DRAFT')
    .describe('Version of the guardrail'),
  aws_region_name: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/u, 'this is no region such as eu-central-1')
    .describe('Region of the guardrail'),
  aws_access_key_id: optional(secretValue('Access key that may call bedrock:ApplyGuardrail')),
  aws_secret_access_key: optional(secretValue('Its secret')),
  aws_session_token: optional(secretValue('Its session token, of temporary credentials')),
  api_key: optional(secretValue('A Bedrock API key, instead of an access key')),
  aws_bedrock_runtime_endpoint: optional(serviceUrl('Another endpoint, such as one of a private network')),
  mask_request_content: z
    .boolean()
    .default(true)
    .describe('Rewrites requests as the guardrail says where it anonymises; false blocks them'),
  mask_response_content: z.boolean().default(true).describe('The same for answers'),
  disable_exception_on_block: z
    .boolean()
    .default(false)
    .describe("Answers with the guardrail's own message instead of refusing"),
});
type Config = z.infer<typeof configSchema>;

/** One text unit is 1,000 characters, and a call takes 25 of them unless the account's quota says otherwise. */
const LIMITS = { maxChars: 20_000, overlap: 300 };
const SIGNED_DATE = /[-:]|\.\d{3}/gu;

/** Amazon Bedrock Guardrails, by ApplyGuardrail: any model, no inference. */
export const bedrock = defineService<Config>({
  ids: ['bedrock'],
  title: 'Amazon Bedrock Guardrails',
  configSchema,
  timeoutMs: 10_000,
  masks: (config) => config.mask_request_content || config.mask_response_content,
  connect(config, ports, line) {
    const prepare = callsOf(config, ports);
    return async (subject, signal) => {
      const documents = documentsOf(subject, LIMITS);
      const ask = async (text: string, stop: AbortSignal) => apply(line, prepare, subject, text, stop);
      const answers = await together(documents, signal, ({ text }, stop) => ask(text, stop));
      const found = answers.map(findingsOf);
      const blocked = found.flatMap(({ blocked: list }) => list);
      const masked = [...new Set(found.flatMap(({ anonymized }) => anonymized))];
      const trace = { guardrail_response: { blocked, anonymized: masked } };
      if (blocked.length > 0) return refusal(config, subject, answers, blocked, trace);
      if (masked.length === 0) return CLEAN;
      if (!mayMask(config, subject)) return refusal(config, subject, answers, masked, trace);
      const rewritten = documents.flatMap((document, index) => {
        const text = found[index]?.anonymized.length === 0 ? null : textOf(answers[index]);
        return text === null ? [] : [{ document, text }];
      });
      const edits = await rewriting(subject, rewritten, masked, signal, async (text, stop) => {
        const answer = await ask(text, stop);
        return findingsOf(answer).anonymized.length === 0 ? text : textOf(answer);
      });
      return { ...edits, trace };
    };
  },
});

const mayMask = (config: Config, { direction, hook }: Subject): boolean =>
  hook !== 'during_call' &&
  config.on_violation !== 'monitor' &&
  (direction === 'request' ? config.mask_request_content : config.mask_response_content);

function refusal(
  config: Config,
  subject: Subject,
  answers: readonly BedrockAnswer[],
  types: readonly string[],
  trace: object,
) {
  const soft = config.disable_exception_on_block && config.on_violation === 'block';
  const setting = soft ? 'respond' : config.on_violation;
  const said = soft
    ? answers.find((answer) => findingsOf(answer).blocked.length > 0)?.outputs?.[0]?.text
    : null;
  const detections: readonly Detection[] = types.map((type) =>
    finding(type, actionOf(setting), { category: type.split(':')[0] ?? null }),
  );
  return flagged(setting, said ?? config.violation_message, detections, {
    ...trace,
    provider_fields: { error: config.violation_message, violations: types, source: sourceOf(subject) },
    // The message is the guardrail's own, and fixed; the record says what was found instead.
    reason: config.violation_message,
  });
}

const sourceOf = ({ direction }: Subject): 'INPUT' | 'OUTPUT' =>
  direction === 'request' ? 'INPUT' : 'OUTPUT';

async function apply(
  line: Line,
  prepare: (body: string) => () => Promise<Call>,
  subject: Subject,
  text: string,
  signal: AbortSignal,
): Promise<BedrockAnswer> {
  const body = JSON.stringify({ source: sourceOf(subject), content: [{ text: { text } }] });
  const answer = await line.ask(prepare(body), signal);
  return readJson(answer.body, bedrockAnswerSchema);
}

/** The text with which the guardrail replaces the one it was asked about. */
function textOf(answer: BedrockAnswer | undefined): string {
  const [output, ...more] = answer?.outputs ?? [];
  if (output?.text == null || more.length > 0)
    throw fault('the service anonymised a text without giving the new one');
  return output.text;
}

/** Makes calls, each signed anew (AWS Signature Version 4) or with an API key. */
function callsOf(config: Config, { clock }: Ports): (body: string) => () => Promise<Call> {
  const base =
    config.aws_bedrock_runtime_endpoint?.replace(/\/+$/u, '') ??
    `https://bedrock-runtime.${config.aws_region_name}.amazonaws.com`;
  const id = encodeURIComponent(config.guardrailIdentifier);
  const url = `${base}/guardrail/${id}/version/${config.guardrailVersion}/apply`;
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const { api_key: apiKey, aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = config;
  if (apiKey != null) {
    const authorized = { ...headers, authorization: `Bearer ${apiKey}` };
    return (body) => async () => ({ url, headers: authorized, body });
  }
  if (accessKeyId == null) {
    throw new ConfigProblem(['aws_access_key_id'], 'give an access key with its secret, or api_key');
  }
  if (secretAccessKey == null)
    throw new ConfigProblem(['aws_secret_access_key'], 'the access key needs its secret');
  const token = config.aws_session_token;
  return (body) => async () => {
    const signer = new AwsV4Signer({
      method: 'POST',
      url,
      headers,
      body,
      accessKeyId,
      secretAccessKey,
      ...(token == null ? {} : { sessionToken: token }),
      service: 'bedrock',
      region: config.aws_region_name,
      datetime: new Date(clock.now()).toISOString().replace(SIGNED_DATE, ''),
    });
    const signed = await signer.sign();
    return { url, headers: { ...headers, ...Object.fromEntries(signed.headers) }, body };
  };
}
