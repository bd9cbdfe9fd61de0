import {
  type ApplyGuardrail,
  applyGuardrailSchema,
  chatRequestSegments,
  errorAnswer,
  FieldsError,
  PortcullisError,
  withSegments,
} from '@portcullis/contract';
import type { Identity } from '../../ports/identity.ts';
import type { Trial, TrialResult } from '../../ports/guardrail-tools.ts';
import { type ControlContext, seesAll } from '../context.ts';
import type { Route, RouteAnswer } from '../route.ts';

const CONTEXT = ['team_id', 'team_alias', 'key_alias', 'user_id', 'tags'] as const;
/** Fields that only detectors of the reference read. */
const UNUSED = ['language', 'entities'] as const;

/** `POST /guardrails/apply_guardrail`: runs one guardrail on one text, for the caller or in a context that is given. */
export function applyGuardrailRoute(
  { guardrails: { tools } }: ControlContext,
  path: '/guardrails/apply_guardrail' | '/apply_guardrail',
): Route<ApplyGuardrail> {
  return {
    method: 'POST',
    path,
    permission: 'any_key',
    body: applyGuardrailSchema,
    takesAnyText: true,
    async handler({ body, identity, callId }) {
      refuseForeignContext(body, identity);
      const conversation = { messages: body.messages ?? [] };
      const around = chatRequestSegments(conversation);
      const result = await tools.apply({
        guardrailName: body.guardrail_name,
        direction: body.input_type ?? null,
        text: body.text,
        around,
        facts: factsOf(body, identity, callId),
        tags: body.tags ?? identity.policy.tags.map(({ value }) => value),
      });
      if (result === null) {
        throw new PortcullisError(
          'not_found',
          `Guardrail '${body.guardrail_name}' not found or not in force.`,
          {
            param: 'guardrail_name',
          },
        );
      }
      const report = reportOf(result);
      if (result.block !== null && !result.monitored) return blockAnswer(result.block, report);
      return {
        body: {
          response_text: responseText(body.text, result),
          ...(body.messages == null || result.monitored
            ? {}
            : rewrittenMessages(conversation, around, result)),
          ...report,
          ...ignoredFields(body),
        },
      };
    },
  };
}

/** What a service is told of the asker comes from authentication; only an administrator may ask for somebody else. */
function refuseForeignContext(body: ApplyGuardrail, identity: Identity): void {
  if (seesAll(identity)) return;
  const given = CONTEXT.filter((field) => body[field] !== undefined && body[field] !== null);
  if (given.length === 0) return;
  throw new PortcullisError(
    'admin_only',
    `Only an administrator may judge a text in the name of somebody else: leave out ${given.join(', ')}. Your role=${identity.role}.`,
    { param: given[0] ?? null },
  );
}

function factsOf(body: ApplyGuardrail, { policy, ...identity }: Identity, callId: string): Trial['facts'] {
  const isOther = CONTEXT.some((field) => body[field] !== undefined && body[field] !== null);
  const own = <T>(value: T): T | null => (isOther ? null : value);
  return {
    callId,
    model: body.model ?? null,
    keyHash: own(policy.key_hash),
    keyAlias: body.key_alias ?? own(policy.key_alias?.value ?? null),
    userId: body.user_id ?? own(policy.user_id),
    userEmail: own(identity.userEmail),
    teamId: body.team_id ?? own(policy.team_id),
    teamAlias: body.team_alias ?? own(policy.team_alias),
    endUserId: null,
    organizationId: own(identity.organizationId),
    headers: {},
    body: {
      ...(body.model == null ? {} : { model: body.model }),
      messages: [...(body.messages ?? []), { role: 'user', content: body.text }],
    },
  };
}

/** What was found: kinds and places, never the text itself. */
function reportOf({ record, hook, path, monitored }: TrialResult): Readonly<Record<string, unknown>> {
  return {
    action: record.verdict,
    outcome: record.outcome,
    reason: record.reason,
    guardrail_name: record.guardrail_name,
    guardrail_mode: hook,
    enforcement: monitored ? 'monitor' : 'enforce',
    detections: record.match_details.map(
      ({ type, action_taken, detection_method, category, severity, score, path: place, start, end }) => ({
        type,
        action: action_taken,
        detection_method,
        category,
        severity,
        score,
        /** `text`, or a JSON pointer into `messages`. */
        place: place === path ? 'text' : place,
        start,
        end,
      }),
    ),
    masked_entity_count: record.masked_entity_count,
    latency_ms: Math.round(record.duration * 1_000_000) / 1_000,
    failed_open: record.failed_open,
    unscanned: record.unscanned.map(({ kind, setting, reason }) => ({ kind, setting, reason })),
  };
}

/** The body that a caller of the gateway gets, with the report beside the guardrail's own fields (E7). */
function blockAnswer(
  { type, message, provider_specific_fields: fields }: NonNullable<TrialResult['block']>,
  { detections, latency_ms }: Readonly<Record<string, unknown>>,
): RouteAnswer {
  const error = new PortcullisError(type, message, {
    fields: { provider_specific_fields: { ...fields, detections, latency_ms } },
  });
  return { ...errorAnswer(error), headers: { 'x-should-retry': 'false' } };
}

function responseText(text: string, { respond, monitored, segments, path }: TrialResult): string {
  // A monitored guardrail changes nothing; the report says what it would have done.
  if (monitored) return text;
  if (respond !== null) return respond.message;
  return segments.find((segment) => segment.path === path)?.text ?? text;
}

function rewrittenMessages(
  conversation: { readonly messages: readonly unknown[] },
  around: Trial['around'],
  { segments }: TrialResult,
): Readonly<Record<string, unknown>> {
  const rewritten = withSegments(conversation, around, segments.slice(0, around.length));
  if (rewritten.ok) return { response_messages: rewritten.body.messages };
  const { path, reason } = rewritten.undeliverable;
  throw new FieldsError([{ loc: ['body', ...path.split('/').slice(1)], msg: reason, type: 'undeliverable' }]);
}

function ignoredFields(body: ApplyGuardrail): Readonly<Record<string, unknown>> {
  const ignored = UNUSED.filter((field) => body[field] !== undefined && body[field] !== null);
  return ignored.length === 0 ? {} : { ignored_fields: ignored };
}
