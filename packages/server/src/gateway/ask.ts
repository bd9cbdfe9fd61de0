import { isObject, PortcullisError, usageOf } from '@portcullis/contract';
import { HttpFailure, type ModelPort } from '@portcullis/guardrails';
import { expandModel } from '@portcullis/policy';
import { randomUUID } from 'node:crypto';
import { costOf } from '../ports/limits.ts';
import type { ModelAnswer, ModelCaller, ModelQuestion } from '../ports/model-caller.ts';
import type { Deployment } from '../ports/models.ts';
import type { ActiveSnapshot } from '../ports/snapshot.ts';
import type { Gateway } from './gateway.ts';
import { gather } from './output/gather.ts';
import { readRejection } from './output/rejected.ts';
import { chooseDeployment, upstreamModelName } from './routing.ts';
import { adapterOf } from './upstreams/adapter.ts';
import { callMock } from './upstreams/mock.ts';
import type { UpstreamExchange } from './upstreams/upstream.ts';

const ANSWER_BYTES = 1_000_000;

type Parts = Pick<Gateway, 'snapshots' | 'upstreams' | 'limits' | 'clock'>;

/** Asks the models of the snapshot in force, over the connections of the data plane. */
export function modelCaller(parts: Parts): ModelCaller {
  return {
    async ask(question) {
      const snapshot = parts.snapshots.acquire();
      if (snapshot === null) {
        throw new PortcullisError('policy_not_ready', 'No model is configured yet: nothing is loaded.');
      }
      try {
        return await answerTo(question, snapshot, parts);
      } finally {
        parts.snapshots.release(snapshot);
      }
    },
  };
}

/** The same for guardrails: what goes wrong is one of the classes of E1. */
export function guardrailModels(caller: ModelCaller): ModelPort {
  return {
    async ask(question) {
      try {
        return await caller.ask(question);
      } catch (error) {
        if (!(error instanceof PortcullisError)) throw error;
        const away = UNREACHABLE.has(error.code);
        // What a provider says may quote the question, so that only the code is told.
        throw new HttpFailure(away ? 'unreachable' : 'fault', `the model gave no answer (${error.code})`);
      }
    },
  };
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'client_disconnected',
  'policy_not_ready',
]);

async function answerTo(
  question: ModelQuestion,
  snapshot: ActiveSnapshot,
  parts: Parts,
): Promise<ModelAnswer> {
  const { deployment, model, group } = chosen(question, snapshot);
  const exchange = send(question, deployment, model, parts);
  const stop = () => exchange.abort();
  question.signal?.addEventListener('abort', stop);
  if (question.signal?.aborted === true) stop();
  try {
    const reply = await exchange.reply;
    if (reply.status !== 200) {
      const { message, status } = await readRejection(reply);
      const away = status === 502 || status === 503 || status === 504;
      throw new PortcullisError(away ? 'upstream_unreachable' : 'upstream_rejected', message);
    }
    const body = parsed((await gather(reply, ANSWER_BYTES)).toString('utf8'));
    const usage = usageOf(body);
    const costNano = usage === null || deployment.price === undefined ? 0 : costOf(deployment.price, usage);
    if (costNano > 0 && question.accounts.length > 0) parts.limits.spend(question.accounts, costNano);
    return { value: argumentsIn(body, question.tool.name), model: group, usage, costNano };
  } finally {
    question.signal?.removeEventListener('abort', stop);
  }
}

function chosen({ model: asked }: ModelQuestion, snapshot: ActiveSnapshot) {
  const requested = asked ?? [...snapshot.groups.keys()].find((name) => !name.endsWith('*')) ?? null;
  if (requested === null) {
    throw new PortcullisError(
      'model_not_found',
      'No model is configured that could be asked: add one to model_list, or name one in "model".',
      { param: 'model' },
    );
  }
  const names = expandModel(snapshot.policy.models, {}, requested);
  const group = names === 'alias_loop' || names.group === null ? undefined : snapshot.groups.get(names.group);
  if (names === 'alias_loop' || group === undefined) {
    throw new PortcullisError('model_not_found', `The model '${requested}' is not configured.`, {
      param: 'model',
    });
  }
  const deployment = chooseDeployment(group, Math.random());
  if (!adapterOf(deployment).speaks(DIALECT)) {
    throw new PortcullisError(
      'dialect_not_supported',
      `The model '${requested}' cannot be asked, because its provider does not serve chat completions.`,
      { param: 'model' },
    );
  }
  return { deployment, model: upstreamModelName(deployment, group, names), group: group.name };
}

const DIALECT = 'openai-chat';

function send(
  { system, user, tool, temperature, timeoutMs }: ModelQuestion,
  deployment: Deployment,
  model: string,
  { upstreams, clock }: Parts,
): UpstreamExchange {
  const body = {
    ...deployment.defaults,
    model,
    temperature,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
    tools: [{ type: 'function', function: tool }],
    tool_choice: { type: 'function', function: { name: tool.name } },
  };
  if (deployment.provider === 'mock') {
    return callMock({
      dialect: DIALECT,
      body,
      model,
      stream: false,
      text: deployment.mockResponse,
      id: `chatcmpl-${randomUUID()}`,
      createdSeconds: Math.floor(clock.now() / 1_000),
    });
  }
  return upstreams.call({
    deployment,
    method: 'POST',
    path: '/chat/completions',
    contentType: 'application/json',
    headers: {},
    body: JSON.stringify(body),
    stream: false,
    plain: true,
    acceptEncoding: null,
    timeoutMs: Math.min(deployment.timeoutMs, timeoutMs),
  });
}

/** The arguments of the tool call; of a model that knows no tools, a content that is JSON. */
function argumentsIn(body: unknown, tool: string): unknown {
  const choices = isObject(body) ? body['choices'] : null;
  const first: unknown = Array.isArray(choices) ? choices[0] : null;
  const message = isObject(first) ? first['message'] : null;
  if (!isObject(message)) throw invalid('it has no message');
  const { tool_calls: calls, content } = message;
  for (const call of Array.isArray(calls) ? (calls as readonly unknown[]) : []) {
    const called = isObject(call) ? call['function'] : null;
    if (isObject(called) && called['name'] === tool && typeof called['arguments'] === 'string') {
      return parsed(called['arguments']);
    }
  }
  if (typeof content === 'string') return parsed(content);
  throw invalid('it neither calls the tool nor has a text');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('it is no JSON');
  }
}

function invalid(why: string): PortcullisError {
  return new PortcullisError(
    'upstream_invalid',
    `The model's answer cannot be used: ${why}. Ask again, or name another model in "model".`,
  );
}
