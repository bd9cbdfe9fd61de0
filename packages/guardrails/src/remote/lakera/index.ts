import type { ContentKind, Edit } from '@portcullis/policy';
import { z } from 'zod';
import type { Detection, Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { CodePoints, type Document, documentsOf, placesIn, withoutOverlaps } from '../service/documents.ts';
import { actionOf, CLEAN, fault, finding, flagged } from '../service/inspection.ts';
import { readJson } from '../service/line.ts';
import { flaggingShape, secretValue, serviceUrl } from '../service/settings.ts';

const configSchema = z.strictObject({
  ...flaggingShape,
  api_key: secretValue('Key of Lakera Guard'),
  api_base: serviceUrl('Where /v2/guard is').default('https://api.lakera.ai'),
  project_id: z
    .string()
    .min(1)
    .nullish()
    .describe('Project whose policy decides; the default one when empty'),
  pii_action: z
    .enum(['MASK', 'BLOCK'])
    .default('MASK')
    .describe('What becomes of content in which personal data is all that was found'),
  on_flagged: z.enum(['block', 'monitor']).nullish().describe('The word of the reference for on_violation'),
  payload: z.boolean().default(true).describe('Asks for the places of what was found, which masking needs'),
  breakdown: z.boolean().default(true).describe('Asks which detectors found something'),
  metadata: z.record(z.string(), z.json()).nullish().describe('Passed to the service as it is'),
});
type Config = z.infer<typeof configSchema>;

const answerSchema = z.object({
  flagged: z.boolean(),
  payload: z
    .array(
      z.object({
        start: z.int(),
        end: z.int(),
        text: z.string().nullish(),
        detector_type: z.string(),
        message_id: z.int().nullish(),
      }),
    )
    .nullish(),
  breakdown: z
    .array(z.object({ detector_type: z.string(), detected: z.boolean(), message_id: z.int().nullish() }))
    .nullish(),
});
type Answer = z.infer<typeof answerSchema>;

const LIMITS = { maxChars: 100_000, overlap: 1_000 };

type Role = 'system' | 'user' | 'assistant' | 'tool';
const ROLES: Readonly<Partial<Record<ContentKind, Role>>> = {
  system: 'system',
  tool_defs: 'system',
  assistant: 'assistant',
  reasoning: 'assistant',
  refusal: 'assistant',
  tool_args: 'assistant',
  tool_result: 'tool',
};

/** Lakera Guard, version 2 of its interface. Personal data alone is masked where its places are told. */
export const lakera = defineService<Config>({
  ids: ['lakera_v2', 'lakera'],
  title: 'Lakera Guard',
  configSchema,
  timeoutMs: 10_000,
  masks: ({ pii_action: action }) => action === 'MASK',
  connect: (config, _ports, line) => {
    const url = `${config.api_base.replace(/\/+$/u, '')}/v2/guard`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${config.api_key}` };
    return async (subject, signal) => {
      const messages = messagesOf(subject);
      if (messages.length === 0) return CLEAN;
      const body = JSON.stringify({
        messages: messages.map(({ role, document }) => ({ role, content: document.text })),
        payload: config.payload,
        breakdown: config.breakdown,
        ...(config.project_id == null ? {} : { project_id: config.project_id }),
        ...(config.metadata == null ? {} : { metadata: config.metadata }),
      });
      const answer = readJson((await line.ask({ url, headers, body }, signal)).body, answerSchema);
      return inspectionOf(config, subject, messages, answer);
    };
  },
});

interface Message {
  readonly role: Role;
  readonly document: Document;
}

/** The segments as a conversation; what one author says in a row is one message. */
function messagesOf(subject: Subject): readonly Message[] {
  const roleAt = (index: number): Role => {
    const kind = subject.segments[index]?.kind;
    return (kind === undefined ? undefined : ROLES[kind]) ?? 'user';
  };
  const messages: Message[] = [];
  for (let from = 0; from < subject.segments.length; ) {
    let to = from + 1;
    while (to < subject.segments.length && roleAt(to) === roleAt(from)) to++;
    const [first, end] = [from, to];
    for (const document of documentsOf(subject, LIMITS, (_, index) => index >= first && index < end)) {
      messages.push({ role: roleAt(from), document });
    }
    from = to;
  }
  return messages;
}

function inspectionOf(config: Config, subject: Subject, messages: readonly Message[], answer: Answer) {
  if (!answer.flagged) return CLEAN;
  const detected = [
    ...(answer.breakdown ?? []).filter((one) => one.detected).map((one) => one.detector_type),
    ...(answer.payload ?? []).map((one) => one.detector_type),
  ];
  const types = [...new Set(detected)].sort();
  const setting = config.on_flagged ?? config.on_violation;
  const onlyPii = types.length > 0 && types.every((type) => type.startsWith('pii'));
  const masks = config.pii_action === 'MASK' && setting !== 'monitor' && subject.hook !== 'during_call';
  const payload = answer.payload ?? [];
  if (masks && onlyPii && payload.length > 0) {
    const edits: Edit[] = [];
    const detections: Detection[] = [];
    for (const found of payload) {
      const label = found.detector_type.split('/').at(-1) ?? 'pii';
      for (const span of spansOf(messages, found)) {
        edits.push({ ...span, replacement: `[MASKED ${label.toUpperCase()}]` });
        detections.push(finding(found.detector_type, 'MASK', { span, category: 'pii' }));
      }
    }
    return { ...CLEAN, outcome: { outcome: 'masked' }, edits: withoutOverlaps(edits), detections } as const;
  }
  const detections = (types.length === 0 ? ['flagged'] : types).map((type) =>
    finding(type, actionOf(setting), { category: type.split('/')[0] ?? null }),
  );
  return flagged(setting, config.violation_message, detections, {
    provider_fields: { error: config.violation_message, detectors: types },
    guardrail_response: { flagged: true, detectors: types },
  });
}

/** Where something is, by the text it is said to be: services have counted in more than one way. */
function spansOf(messages: readonly Message[], found: NonNullable<Answer['payload']>[number]) {
  const message = messages[found.message_id ?? messages.length - 1];
  if (message === undefined) throw fault('the service named a message that it was not asked about');
  const { document } = message;
  const points = new CodePoints(document.text);
  const start = points.utf16(found.start);
  const end = points.utf16(found.end);
  const { text } = found;
  if (text == null || document.text.slice(start, end) === text) return placesIn(document, start, end);
  for (const at of [start, found.start]) {
    if (document.text.startsWith(text, at)) return placesIn(document, at, at + text.length);
  }
  throw fault('the service gave a place where its finding is not');
}
