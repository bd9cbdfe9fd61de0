import type { AnswerOf } from '@portcullis/contract';
import type { Pipeline } from '@portcullis/policy';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Badge, ErrorNotice, type Tone } from '../../ui/feedback.tsx';
import { Checkbox, Select, TextArea } from '../../ui/form.tsx';
import { ModelPicker, TeamPicker } from '../attachments/pickers.tsx';

type Result = AnswerOf<'POST /policies/test-pipeline'>;
type Action = 'allow' | 'block' | 'modify_response';

interface TestCase {
  readonly text: string;
  readonly expected: Action;
}

const ACTION_WORDS: Readonly<Record<Action, { readonly label: string; readonly tone: Tone }>> = {
  allow: { label: 'goes on', tone: 'good' },
  block: { label: 'is blocked', tone: 'bad' },
  modify_response: { label: 'gets a fixed answer', tone: 'info' },
};
const EXPECTED = [
  { value: 'allow', label: 'goes on' },
  { value: 'block', label: 'is blocked' },
  { value: 'modify_response', label: 'gets a fixed answer' },
] as const;
const OUTCOMES: Readonly<Record<string, Tone>> = {
  pass: 'good',
  fail: 'bad',
  error: 'warn',
  skip: 'neutral',
};

const keptAs = (policy: string): string => `portcullis-cases ${policy}`;

function keptCases(policy: string): readonly TestCase[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keptAs(policy)) ?? '[]');
    return Array.isArray(kept) ? (kept as TestCase[]) : [];
  } catch {
    return [];
  }
}

/** Runs the pipeline as it stands, saved or not, on made-up content; nothing of it is logged. */
export function TestDrawer({
  pipeline,
  policy,
  onClose,
}: {
  readonly pipeline: Pipeline;
  readonly policy: string;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('Write to jane.doe@example.org about the invoice');
  const [team, setTeam] = useState<readonly string[]>([]);
  const [model, setModel] = useState<readonly string[]>([]);
  const [isDry, setDry] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [result, setResult] = useState<Result | null>(null);
  const [cases, setCases] = useState(() => keptCases(policy));
  const [expected, setExpected] = useState<Action>('allow');
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, string>>(new Map());
  const isPost = pipeline.mode === 'post_call';

  const run = async (content: string): Promise<Result> => {
    const { body } = await call('POST /policies/test-pipeline', {
      body: {
        pipeline: { ...pipeline },
        test_messages: [{ role: 'user', content: isPost ? 'A question' : content }],
        ...(isPost ? { response: content } : {}),
        context: {
          ...(team[0] === undefined ? {} : { team_alias: team[0] }),
          ...(model[0] === undefined ? {} : { model: model[0] }),
        },
        dry_run: isDry,
      },
    });
    return body;
  };
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const keep = (next: readonly TestCase[]): void => {
    setCases(next);
    localStorage.setItem(keptAs(policy), JSON.stringify(next));
  };

  return (
    <Dialog title="Test the pipeline" shape="drawer" onClose={onClose}>
      <div className="stack">
        <TextArea
          label={isPost ? 'Answer of the model' : 'Message of the user'}
          rows={4}
          value={text}
          onChange={setText}
        />
        <div className="columns">
          <TeamPicker label="As team" single values={team} onChange={setTeam} />
          <ModelPicker label="For model" single values={model} onChange={setModel} />
        </div>
        <Checkbox
          label="Call no services"
          hint="Guardrails that ask a service are passed by."
          checked={isDry}
          onChange={setDry}
        />
        <Button
          look="primary"
          icon="simulator"
          busy={isBusy}
          disabled={text === ''}
          onClick={() => void guarded(async () => setResult(await run(text)))}
        >
          Run
        </Button>
        {error === null ? null : <ErrorNotice error={error} title="The test did not run" />}
        {result === null ? null : <ShownResult result={result} />}
        <h3>Saved cases</h3>
        <p className="hint">They are kept in this browser, for this policy.</p>
        <div className="row" style={{ alignItems: 'end' }}>
          <Select label="This text" choices={EXPECTED} value={expected} onChange={setExpected} />
          <Button
            disabled={text === '' || cases.some((one) => one.text === text)}
            onClick={() => keep([...cases, { text, expected }])}
          >
            Save as a case
          </Button>
          <Button
            disabled={cases.length === 0}
            busy={isBusy}
            onClick={() =>
              void guarded(async () => {
                const all = new Map<string, string>();
                for (const one of cases) all.set(one.text, (await run(one.text)).terminal_action);
                setOutcomes(all);
              })
            }
          >
            Run all
          </Button>
        </div>
        <ul className="results">
          {cases.map((one) => {
            const got = outcomes.get(one.text);
            return (
              <li key={one.text}>
                <span className="row-tight" style={{ flexWrap: 'nowrap' }}>
                  <span className="grow break">{one.text}</span>
                  {got === undefined ? null : (
                    <Badge tone={got === one.expected ? 'good' : 'bad'}>
                      {got === one.expected ? 'as expected' : `was: ${wordsOf(got).label}`}
                    </Badge>
                  )}
                  <IconButton
                    icon="trash"
                    small
                    label="Delete the case"
                    onClick={() => keep(cases.filter((other) => other !== one))}
                  />
                </span>
                <span className="muted small">expected: {wordsOf(one.expected).label}</span>
              </li>
            );
          })}
        </ul>
      </div>
    </Dialog>
  );
}

function wordsOf(action: string): { readonly label: string; readonly tone: Tone } {
  return action === 'allow' || action === 'block' || action === 'modify_response'
    ? ACTION_WORDS[action]
    : { label: action, tone: 'neutral' };
}

function ShownResult({ result }: { readonly result: Result }) {
  const words = wordsOf(result.terminal_action);
  const masked = maskedText(result.modified_data);
  return (
    <section className="stack-tight" aria-label="Result" aria-live="polite">
      <p>
        It <Badge tone={words.tone}>{words.label}</Badge>{' '}
        <span className="muted small">{result.error_message ?? result.modify_response_message ?? ''}</span>
      </p>
      {masked === null ? null : (
        <>
          <span className="label small">What goes on</span>
          <div className="masked">{masked}</div>
        </>
      )}
      <ol className="results">
        {result.step_results.map((step, index) => (
          <li key={`${index} ${step.guardrail_name}`}>
            <span className="row-tight">
              <strong>
                {index + 1}. {step.guardrail_name}
              </strong>
              <Badge tone={OUTCOMES[step.outcome] ?? 'neutral'}>{step.outcome}</Badge>
              <span className="muted small">
                then {step.action_taken}, {(step.duration_seconds * 1_000).toFixed(1)} ms
              </span>
            </span>
            {step.error_detail === null ? null : <span className="small muted">{step.error_detail}</span>}
            {step.detections.length === 0 ? null : (
              <span className="small">
                {step.detections
                  .map(
                    ({ type, action, start, end }) =>
                      `${action} ${type}${start === null ? '' : ` at ${start}–${end ?? start}`}`,
                  )
                  .join(', ')}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The content after all steps, when they changed it. */
function maskedText(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { messages, response } = data as { readonly messages?: unknown; readonly response?: unknown };
  const [first] = Array.isArray(messages) ? (messages as unknown[]) : [];
  if (typeof first === 'object' && first !== null && 'content' in first) return textOf(first.content);
  const choices = (
    response as
      | { readonly choices?: readonly { readonly message?: { readonly content?: unknown } }[] }
      | undefined
  )?.choices;
  return choices?.[0]?.message === undefined ? null : textOf(choices[0].message.content);
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content, null, 2);
}
