import { z } from 'zod';
import { ConfigProblem, type Ports, type Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { documentsOf } from '../service/documents.ts';
import { actionOf, CLEAN, fault, finding, flagged, together } from '../service/inspection.ts';
import { type Line, readJson } from '../service/line.ts';
import { rewriting } from '../service/rewrite.ts';
import { flaggingShape, optional, secretValue, serviceUrl } from '../service/settings.ts';
import { armorAnswerSchema, type ArmorFindings, armorFindingsOf } from './answer.ts';
import { AccessTokens, serviceAccountSchema } from './token.ts';

const resource = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/u, 'this is no id of a resource');

const configSchema = z.strictObject({
  ...flaggingShape,
  template_id: resource.describe('Template that says what is looked for'),
  project_id: resource.describe('Project of the template'),
  location: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/u, 'this is no location such as europe-west4')
    .describe('Its location'),
  credentials: z
    .union([z.string().min(2), z.record(z.string(), z.unknown())])
    .nullish()
    .meta({ description: 'Key of a service account, as JSON', secret: true }),
  api_key: optional(secretValue('An access token that somebody else renews, instead of credentials')),
  api_endpoint: optional(serviceUrl('Another endpoint than that of the location')),
  mask_request_content: z
    .boolean()
    .default(true)
    .describe('Rewrites requests where the template de-identifies; false blocks them'),
  mask_response_content: z.boolean().default(true).describe('The same for answers'),
});
type Config = z.infer<typeof configSchema>;

/** A prompt may have 10,000 tokens for the strictest filter; half as many characters fit in any script. */
const LIMITS = { maxChars: 8_000, overlap: 300 };

/** Google Cloud Model Armor: the template's filters on prompts and on answers. */
export const modelArmor = defineService<Config>({
  ids: ['model_armor'],
  title: 'Google Cloud Model Armor',
  configSchema,
  timeoutMs: 10_000,
  masks: (config) => config.mask_request_content || config.mask_response_content,
  connect(config, ports, line) {
    const authorize = authorization(config, ports, line);
    const base = (config.api_endpoint ?? `https://modelarmor.${config.location}.rep.googleapis.com`).replace(
      /\/+$/u,
      '',
    );
    const path = `v1/projects/${config.project_id}/locations/${config.location}/templates/${config.template_id}`;
    return async (subject, signal) => {
      const ask = async (text: string, stop: AbortSignal): Promise<ArmorFindings> => {
        const authorizationHeader = await authorize(stop);
        return sanitize(line, `${base}/${path}`, authorizationHeader, subject, text, stop);
      };
      const documents = documentsOf(subject, LIMITS);
      const found = await together(documents, signal, ({ text }, stop) => ask(text, stop));
      const matched = [...new Set(found.flatMap(({ matched: list }) => list))].sort();
      const masked = [...new Set(found.flatMap(({ deidentified }) => deidentified?.types ?? []))].sort();
      if (matched.length === 0 && found.every(({ deidentified }) => deidentified === null)) return CLEAN;
      const trace = { guardrail_response: { matched, deidentified: masked } };
      if (matched.length > 0 || !mayMask(config, subject)) {
        const types = matched.length > 0 ? matched : ['sdp'];
        const detections = types.map((type) =>
          finding(type, actionOf(config.on_violation), { category: type }),
        );
        return flagged(config.on_violation, config.violation_message, detections, {
          ...trace,
          provider_fields: { error: config.violation_message, filters: types },
        });
      }
      const rewritten = documents.flatMap((document, index) => {
        const text = found[index]?.deidentified?.text;
        return text === undefined ? [] : [{ document, text }];
      });
      const edits = await rewriting(subject, rewritten, masked, signal, async (text, stop) => {
        const alone = await ask(text, stop);
        if (alone.matched.length > 0) throw fault('the service judged a part other than the whole');
        return alone.deidentified?.text ?? text;
      });
      return { ...edits, trace };
    };
  },
});

const mayMask = (config: Config, { direction, hook }: Subject): boolean =>
  hook !== 'during_call' &&
  config.on_violation !== 'monitor' &&
  (direction === 'request' ? config.mask_request_content : config.mask_response_content);

async function sanitize(
  line: Line,
  template: string,
  authorizationHeader: string,
  { direction }: Subject,
  text: string,
  signal: AbortSignal,
): Promise<ArmorFindings> {
  const isRequest = direction === 'request';
  const body = JSON.stringify(isRequest ? { userPromptData: { text } } : { modelResponseData: { text } });
  const url = `${template}:${isRequest ? 'sanitizeUserPrompt' : 'sanitizeModelResponse'}`;
  const headers = { 'content-type': 'application/json', authorization: authorizationHeader };
  const answer = await line.ask({ url, headers, body }, signal);
  const findings = armorFindingsOf(readJson(answer.body, armorAnswerSchema).sanitizationResult);
  if (findings === null) throw fault('not every filter of the template gave a verdict');
  return findings;
}

/** How a call proves who asks. */
function authorization(config: Config, ports: Ports, line: Line): (signal: AbortSignal) => Promise<string> {
  const { api_key: token, credentials } = config;
  if (token != null) return async () => `Bearer ${token}`;
  if (credentials == null)
    throw new ConfigProblem(['credentials'], 'give the JSON key of a service account, or api_key');
  let value: unknown = credentials;
  if (typeof credentials === 'string') {
    try {
      value = JSON.parse(credentials);
    } catch {
      throw new ConfigProblem(
        ['credentials'],
        'this is no JSON; give the content of the key file, not its path',
      );
    }
  }
  const account = serviceAccountSchema.safeParse(value);
  if (!account.success) throw new ConfigProblem(['credentials'], 'this is no JSON key of a service account');
  const tokens = new AccessTokens(account.data, ports.clock, line);
  return async (signal) => `Bearer ${await tokens.get(signal)}`;
}
