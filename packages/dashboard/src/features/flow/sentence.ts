import type { PipelineStep, StepAction } from '@portcullis/policy';

/** One step of a pipeline in words: what happens when it passes, when it finds something, and when it fails. */
export function stepSentence(step: PipelineStep, index: number, count: number): string {
  const name = step.guardrail === '' ? 'the guardrail' : step.guardrail;
  const isLast = index === count - 1;
  const onError = step.on_error ?? 'block';
  const handsOn = step.pass_data && step.on_pass !== 'block' ? ', with what it masked masked' : '';
  return [
    `If ${name} passes, ${actionWords(step.on_pass, isLast, step)}${handsOn};`,
    `if it finds something, ${actionWords(step.on_fail, isLast, step)};`,
    `if it cannot answer, ${actionWords(onError, isLast, step)}.`,
  ].join(' ');
}

function actionWords(action: StepAction, isLast: boolean, step: PipelineStep): string {
  switch (action) {
    case 'next':
      return isLast ? 'the pipeline ends by its last outcome' : 'go on with the next step';
    case 'allow':
      return 'let the request go on, without the steps that follow';
    case 'block':
      return 'block';
    case 'modify_response':
      return step.modify_response_message === null
        ? 'answer with a fixed text'
        : `answer “${step.modify_response_message}”`;
  }
}

/** The first step that can never be reached, because one before it ends the pipeline on every way (P6); null if none. */
export function firstDeadStep(steps: readonly PipelineStep[]): number | null {
  const end = steps.findIndex(
    ({ on_pass, on_fail, on_error }) =>
      on_pass !== 'next' && on_fail !== 'next' && (on_error ?? 'block') !== 'next',
  );
  return end === -1 || end === steps.length - 1 ? null : end + 1;
}
