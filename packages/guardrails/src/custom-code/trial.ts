import type { Ports } from '../guardrail.ts';
import { syntaxProblem, USUAL_LIMITS } from './index.ts';
import { type CodeVerdict, verdictSchema } from './inspect.ts';
import { requestsFor } from './requests.ts';
import { runInSandbox } from './sandbox.ts';

/** Code to try on made-up content. */
export interface CodeTrial {
  readonly source: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly inputType: 'request' | 'response';
  readonly requestData: Readonly<Record<string, unknown>>;
  /** Hosts that the code may ask, as in `allowed_hosts`. */
  readonly allowedHosts: readonly string[];
}

/** What came of it. Unlike in a record the error is whole, because whoever tries code wrote its content too. */
export type CodeTrialResult =
  | { readonly ok: true; readonly verdict: CodeVerdict }
  | { readonly ok: false; readonly type: 'compilation' | 'execution'; readonly error: string };

/** Runs code once, with the limits of a guardrail that sets none. Never throws. */
export async function tryCode(trial: CodeTrial, ports: Pick<Ports, 'http'>): Promise<CodeTrialResult> {
  const problem = syntaxProblem(trial.source);
  if (problem !== null) return { ok: false, type: 'compilation', error: problem };
  const result = await runInSandbox(
    {
      source: trial.source,
      inputs: JSON.stringify({
        texts: [],
        images: [],
        tools: [],
        tool_calls: [],
        structured_messages: [],
        model: null,
        ...trial.inputs,
      }),
      requestData: JSON.stringify(trial.requestData),
      inputType: trial.inputType,
      limits: USUAL_LIMITS,
      request: requestsFor(trial.allowedHosts, ports.http),
    },
    new AbortController().signal,
  );
  if (!result.ok) {
    const type = result.type === 'compilation' ? 'compilation' : 'execution';
    return { ok: false, type, error: result.error };
  }
  const verdict = verdictSchema.safeParse(result.value);
  if (verdict.success) return { ok: true, verdict: verdict.data };
  return { ok: false, type: 'execution', error: 'the code did not answer with allow(), block() or modify()' };
}
