import { useSortable } from '@dnd-kit/sortable';
import type { StepAction } from '@portcullis/policy';
import { IconButton } from '../../ui/button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { Checkbox, Select, TextArea } from '../../ui/form.tsx';
import type { DraftStep } from './draft.ts';
import { stepSentence } from './sentence.ts';

const ACTIONS: readonly { readonly value: StepAction; readonly label: string }[] = [
  { value: 'next', label: 'Next step' },
  { value: 'allow', label: 'Allow' },
  { value: 'block', label: 'Block' },
  { value: 'modify_response', label: 'Answer with a text' },
];

export interface StepCardProps {
  readonly step: DraftStep;
  readonly index: number;
  readonly count: number;
  readonly guardrails: readonly string[];
  readonly isDead: boolean;
  readonly isLocked: boolean;
  readonly problems: readonly string[];
  /** `kind` names what is typed into, so that one word is one step back. */
  readonly onChange: (change: Partial<DraftStep>, kind?: string) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onCopy: () => void;
  readonly onDelete: () => void;
}

/** One step of the rail. It is dragged by its grip, or moved by keys and buttons. */
export function StepCard({
  step,
  index,
  count,
  guardrails,
  isDead,
  isLocked,
  problems,
  onChange,
  onMove,
  onCopy,
  onDelete,
}: StepCardProps) {
  const sortable = useSortable({ id: step.id, disabled: isLocked });
  const { transform, transition, isDragging } = sortable;
  const number = index + 1;
  const speaks = [step.on_pass, step.on_fail, step.on_error].includes('modify_response');
  const names =
    guardrails.includes(step.guardrail) || step.guardrail === ''
      ? guardrails
      : [step.guardrail, ...guardrails];
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of the controls inside it
    <li
      ref={sortable.setNodeRef}
      className="flow-step"
      data-dead={isDead}
      data-dragged={isDragging}
      style={{
        ...(transform === null ? {} : { transform: `translate3d(0, ${Math.round(transform.y)}px, 0)` }),
        ...(transition === undefined ? {} : { transition }),
      }}
      onKeyDown={(event) => {
        if (!event.altKey || isLocked) return;
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
        event.preventDefault();
        onMove(event.key === 'ArrowUp' ? -1 : 1);
      }}
    >
      <span className="flow-number" aria-hidden="true">
        {number}
      </span>
      <section className="card" aria-label={`Step ${number}`}>
        <div className="card-body">
          <div className="flow-head">
            <span
              {...sortable.attributes}
              {...sortable.listeners}
              className="flow-grip"
              role="presentation"
              tabIndex={-1}
            >
              <IconButton
                icon="grip"
                label={`Drag step ${number}; with keys: space, arrows, space`}
                disabled={isLocked}
                {...sortable.listeners}
              />
            </span>
            <Select
              label={`Step ${number}: guardrail`}
              disabled={isLocked}
              choices={[
                { value: '', label: 'Choose a guardrail' },
                ...names.map((name) => ({ value: name, label: name })),
              ]}
              value={step.guardrail}
              onChange={(guardrail) => onChange({ guardrail })}
            />
            <span className="row-tight" style={{ flexWrap: 'nowrap' }}>
              <IconButton
                icon="up"
                label={`Move step ${number} up`}
                disabled={isLocked || index === 0}
                onClick={() => onMove(-1)}
              />
              <IconButton
                icon="down"
                label={`Move step ${number} down`}
                disabled={isLocked || number === count}
                onClick={() => onMove(1)}
              />
              <IconButton icon="copy" label={`Copy step ${number}`} disabled={isLocked} onClick={onCopy} />
              <IconButton
                icon="trash"
                label={`Delete step ${number}`}
                disabled={isLocked}
                onClick={onDelete}
              />
            </span>
          </div>
          {isDead ? (
            <Notice tone="bad" title="This step can never run">
              Every way out of a step before it ends the pipeline. Give it “Next step” for one of its results.
            </Notice>
          ) : null}
          {problems.map((problem) => (
            <Notice key={problem} tone="warn">
              {problem}
            </Notice>
          ))}
          <div className="flow-choices">
            <Select
              label="When it passes"
              disabled={isLocked}
              choices={ACTIONS}
              value={step.on_pass}
              onChange={(on_pass) => onChange({ on_pass })}
            />
            <Select
              label="When it finds something"
              disabled={isLocked}
              choices={ACTIONS}
              value={step.on_fail}
              onChange={(on_fail) => onChange({ on_fail })}
            />
            <Select
              label="When it cannot answer"
              disabled={isLocked}
              choices={[{ value: '', label: 'Block (default)' }, ...ACTIONS]}
              value={step.on_error ?? ''}
              onChange={(on_error) => onChange({ on_error: on_error === '' ? null : on_error })}
            />
          </div>
          {speaks ? (
            <TextArea
              label="Text of the answer"
              rows={2}
              disabled={isLocked}
              value={step.modify_response_message ?? ''}
              onChange={(text) =>
                onChange({ modify_response_message: text === '' ? null : text }, `${step.id} message`)
              }
            />
          ) : null}
          <Checkbox
            label="Hand on what it changed"
            hint="Later steps and the model see the masked content; otherwise its changes are dropped."
            disabled={isLocked}
            checked={step.pass_data}
            onChange={(pass_data) => onChange({ pass_data })}
          />
          <p className="flow-sentence">{stepSentence(step, index, count)}</p>
        </div>
      </section>
    </li>
  );
}
