import { z } from 'zod';
import type { Subject } from '../../guardrail.ts';
import { defineService } from '../service/define.ts';
import { documentsOf } from '../service/documents.ts';
import { actionOf, CLEAN, fault, finding, flagged, together } from '../service/inspection.ts';
import { readJson } from '../service/line.ts';
import { azureShape, endpoint, LIMITS } from './shared.ts';

const configSchema = z.strictObject(azureShape);
type Config = z.infer<typeof configSchema>;

const analysis = z.object({ attackDetected: z.boolean() });
const answerSchema = z.object({
  userPromptAnalysis: analysis.nullish(),
  documentsAnalysis: z.array(analysis).nullish(),
});

/** What a person or the operator wrote; everything else is a document, in which an instruction is an attack. */
const PROMPTS: ReadonlySet<string> = new Set(['user', 'system']);

/** Azure AI Content Safety, Prompt Shields: attacks in prompts, and instructions hidden in documents. */
export const azurePromptShield = defineService<Config>({
  ids: ['azure/prompt_shield'],
  title: 'Azure Content Safety: Prompt Shields',
  configSchema,
  timeoutMs: 10_000,
  hooks: () => ['pre_call', 'during_call', 'logging_only', 'pre_mcp_call', 'during_mcp_call'],
  masks: () => false,
  connect: (config, _ports, line) => {
    const at = endpoint(config, 'text:shieldPrompt');
    return async (subject, signal) => {
      const attacks = await together(questionsOf(subject), signal, async (question, stop) => {
        const { body } = await line.ask({ ...at, body: JSON.stringify(question) }, stop);
        const { userPromptAnalysis: prompt, documentsAnalysis: documents } = readJson(body, answerSchema);
        if (prompt == null && question.userPrompt !== '')
          throw fault('the service gave no verdict on the prompt');
        if ((documents ?? []).length !== question.documents.length) {
          throw fault('the service gave no verdict on every document');
        }
        const inDocument = documents?.some(({ attackDetected }) => attackDetected) ?? false;
        return [
          ...(prompt?.attackDetected === true ? ['user_prompt_attack'] : []),
          ...(inDocument ? ['document_attack'] : []),
        ];
      });
      const types = [...new Set(attacks.flat())];
      if (types.length === 0) return CLEAN;
      const detections = types.map((type) =>
        finding(type, actionOf(config.on_violation), { category: 'prompt_injection', method: 'model' }),
      );
      return flagged(config.on_violation, config.violation_message, detections, {
        provider_fields: { error: config.violation_message, attacks: types },
        guardrail_response: { attacks: types },
      });
    };
  },
});

/** A prompt and a document at a time, because the sizes of all documents of a question are added up. */
function questionsOf(subject: Subject) {
  const prompts = documentsOf(subject, LIMITS, ({ kind }) => PROMPTS.has(kind));
  const documents = documentsOf(subject, LIMITS, ({ kind }) => !PROMPTS.has(kind));
  return Array.from({ length: Math.max(prompts.length, documents.length) }, (_, index) => {
    const document = documents[index]?.text;
    return {
      userPrompt: prompts[index]?.text ?? '',
      documents: document === undefined ? [] : [document],
    };
  });
}
