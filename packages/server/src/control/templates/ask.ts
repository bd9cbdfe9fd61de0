import { PortcullisError } from '@portcullis/contract';
import type { ModelQuestion } from '../../ports/model-caller.ts';
import type { ControlContext } from '../context.ts';

/** An administrator waits for the answer. */
const LONGEST_MS = 60_000;
/** As in the reference: the same question should be answered much the same. */
const TEMPERATURE = 0.2;

/**
 * What a configured model answers, not checked; at the operator's expense.
 * @throws PortcullisError where there is no model, and where it does not answer as asked.
 */
export async function askModel(
  { models }: ControlContext,
  question: Pick<ModelQuestion, 'model' | 'system' | 'user' | 'tool'>,
): Promise<unknown> {
  if (models === undefined) {
    throw new PortcullisError(
      'model_not_found',
      'No model is configured that could be asked: add one to model_list.',
    );
  }
  const asked = { ...question, temperature: TEMPERATURE, accounts: [], timeoutMs: LONGEST_MS };
  const { value } = await models.ask(asked);
  return value;
}

export function unusable(why: string): PortcullisError {
  return new PortcullisError(
    'upstream_invalid',
    `The model's answer cannot be used: ${why}. Ask again, say more, or name another model in "model".`,
  );
}
