import { CONTENT_KINDS, commonParamsSchema, type ContentKind, type Edit, HOOKS } from '@portcullis/policy';
import { z } from 'zod';
import { type Detector, type DetectorDefinition, type Inspection, type Subject } from '../guardrail.ts';
import { CLEAN, finding } from '../remote/service/inspection.ts';
import { Rules } from './rules.ts';
import { type SeenTool, toolsIn } from './tools.ts';

const lowerCased = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), schema);
const decision = lowerCased(z.enum(['allow', 'deny']));
const expression = z.string().min(1).max(2_000);

const ruleSchema = z.strictObject({
  id: z.string().min(1).max(256).describe('Named in messages'),
  tool_name: expression.nullish().describe('Expression for the whole name of the tool; any when empty'),
  tool_type: expression.nullish().describe('Expression for the whole type, such as function; any when empty'),
  decision: decision.describe('allow or deny'),
  allowed_param_patterns: z
    .record(z.string().min(1).max(512), expression)
    .nullish()
    .describe('By place in the arguments, such as to[] or mail.subject: expression for its whole value'),
});

const configSchema = z.strictObject({
  ...commonParamsSchema.shape,
  rules: z.array(ruleSchema).max(1_000).default([]).describe('The first that fits decides'),
  default_action: decision.default('deny').describe('For tools that no rule fits'),
  on_disallowed_action: lowerCased(z.enum(['block', 'rewrite']))
    .default('block')
    .describe('rewrite answers with the message instead of a call, and makes an offered tool unusable'),
  violation_message_template: z
    .string()
    .min(1)
    .max(2_000)
    .nullish()
    .describe('With {tool_name}, {rule_id} and {default_message}'),
});
type Config = z.infer<typeof configSchema>;
export type ToolRule = z.infer<typeof ruleSchema>;

/** It looks for tools and needs nothing else: content of every kind is judged when no tool is in it. */
const READS: ReadonlySet<ContentKind> = new Set(CONTENT_KINDS);

/** Which tools a model may be offered and may call, and with which arguments. */
export const toolPermission: DetectorDefinition<Config> = {
  ids: ['tool_permission'],
  title: 'Tool permission',
  configSchema,
  facts: ({ on_disallowed_action: action, mode }) => {
    const hooks = Array.isArray(mode) ? mode : [...mode.default, ...Object.values(mode.tags).flat()];
    return { hooks: HOOKS, masks: action === 'rewrite' && !hooks.includes('during_call') };
  },
  reads: () => READS,
  deterministic: 'subject',
  timeoutMs: 2_000,
  create: (config) => new ToolPermission(config),
};

interface Denied {
  readonly tool: SeenTool;
  readonly ruleId: string | null;
}

class ToolPermission implements Detector {
  readonly #config: Config;
  readonly #rules: Rules;

  constructor(config: Config) {
    this.#config = config;
    this.#rules = new Rules(config.rules);
  }

  inspect(subject: Subject): Inspection {
    const denied = toolsIn(subject.segments).flatMap((tool): readonly Denied[] => {
      // What was called before is the model's to remember; what is called now comes in an answer.
      if (tool.kind === 'call' && subject.direction === 'request') return [];
      const rule = this.#rules.decide(tool);
      const verdict = rule?.decision ?? this.#config.default_action;
      return verdict === 'allow' ? [] : [{ tool, ruleId: rule?.id ?? null }];
    });
    const [first] = denied;
    if (first === undefined) return CLEAN;
    const isOffer = subject.direction === 'request';
    const rewrites = this.#config.on_disallowed_action === 'rewrite' && subject.hook !== 'during_call';
    if (rewrites && isOffer) return withoutOffers(subject, denied);
    const message = this.#message(first);
    const detections = denied.map(({ tool, ruleId }) =>
      finding(ruleId ?? 'default', 'BLOCK', { category: 'tool', method: 'rule', span: spanOf(tool) }),
    );
    return {
      ...CLEAN,
      outcome: { outcome: 'flagged', action: rewrites ? 'respond' : 'block', message },
      detections,
      trace: {
        provider_fields: { error: message, tool_name: nameOf(first.tool), rule_id: first.ruleId },
        guardrail_response: { denied: denied.map(({ ruleId }) => ruleId ?? 'default') },
        // The name of a tool is the caller's or the model's own text.
        reason: `denied by ${first.ruleId === null ? 'the default action' : `rule '${first.ruleId}'`}`,
      },
    };
  }

  dispose(): void {
    this.#rules.free();
  }

  #message({ tool, ruleId }: Denied): string {
    const by = ruleId === null ? 'default action' : `rule '${ruleId}'`;
    const standard = `Tool '${nameOf(tool)}' denied by ${by}`;
    const values: Readonly<Record<string, string>> = {
      tool_name: nameOf(tool),
      rule_id: ruleId ?? 'default',
      default_message: standard,
    };
    const template = this.#config.violation_message_template ?? '{default_message}';
    return template.replaceAll(
      /\{(tool_name|rule_id|default_message)\}/gu,
      (_, name: string) => values[name] ?? '',
    );
  }
}

/** A tool without a name of its own goes by its type, as those do that a provider runs itself. */
const nameOf = (tool: SeenTool): string => (tool.name?.text ?? tool.type).slice(0, 256);

function spanOf({ name }: SeenTool) {
  return name === null ? null : { segment: name.segment, start: 0, end: name.text.length };
}

/**
 * Leaves of a request can be rewritten and not taken away: a denied tool keeps its place in the list, with a name that no
 * rule allows, and says that it must not be used. One without a name cannot be made so, and is blocked.
 */
function withoutOffers(subject: Subject, denied: readonly Denied[]): Inspection {
  const edits: Edit[] = [];
  const replaced = new Map<string, string>();
  for (const [index, { tool }] of denied.entries()) {
    if (tool.name === null) {
      const reason = 'a tool without a name cannot be rewritten';
      return { ...CLEAN, outcome: { outcome: 'error', error_class: 'undeliverable', reason } };
    }
    const replacement = `not_permitted_${index + 1}`;
    replaced.set(tool.name.text, replacement);
    edits.push(whole(tool.name, replacement));
    if (tool.description !== null && tool.description.text !== '') {
      edits.push(whole(tool.description, 'This tool is not permitted. Do not use it.'));
    }
  }
  // A request that demands the tool would contradict itself.
  for (const [segment, { path, text, leaf }] of subject.segments.entries()) {
    const replacement = leaf === 'string' && CHOICE.test(path) ? replaced.get(text) : undefined;
    if (replacement !== undefined) edits.push(whole({ segment, text }, replacement));
  }
  edits.sort((a, b) => a.segment - b.segment);
  return {
    ...CLEAN,
    outcome: { outcome: 'masked' },
    edits,
    detections: denied.map(({ tool, ruleId }) =>
      finding(ruleId ?? 'default', 'MASK', { category: 'tool', method: 'rule', span: spanOf(tool) }),
    ),
  };
}

const CHOICE = /^\/(?:tool_choice|function_call)\/(?:.*\/)?name$/u;

const whole = (
  { segment, text }: { readonly segment: number; readonly text: string },
  replacement: string,
): Edit => ({
  segment,
  start: 0,
  end: text.length,
  replacement,
});
