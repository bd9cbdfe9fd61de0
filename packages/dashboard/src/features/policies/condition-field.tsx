import type { Condition } from '@portcullis/policy';
import { Combo } from '../../ui/combo.tsx';
import { Select, TextField } from '../../ui/form.tsx';

export type ConditionKind = 'none' | 'exact' | 'prefix' | 'regex' | 'text';

const KINDS = [
  { value: 'none', label: 'for every model' },
  { value: 'exact', label: 'when the model is exactly' },
  { value: 'prefix', label: 'when the model begins with' },
  { value: 'regex', label: 'when the model matches the expression' },
  { value: 'text', label: 'when the model is or matches one of' },
] as const;

export interface ConditionDraft {
  readonly kind: ConditionKind;
  readonly texts: readonly string[];
}

export function draftOfCondition(condition: Condition | null): ConditionDraft {
  const model = condition?.model;
  if (model === undefined) return { kind: 'none', texts: [] };
  if (typeof model === 'string') return { kind: 'text', texts: [model] };
  if (Array.isArray(model)) return { kind: 'text', texts: model };
  if ('exact' in model) return { kind: 'exact', texts: [model.exact] };
  if ('prefix' in model) return { kind: 'prefix', texts: [model.prefix] };
  return { kind: 'regex', texts: [model.regex] };
}

/** Null for no condition; what is not filled in yet is sent as it is, so that the gateway says what is missing. */
export function conditionOfDraft({ kind, texts }: ConditionDraft): Condition | null {
  const text = texts[0] ?? '';
  switch (kind) {
    case 'none':
      return null;
    case 'exact':
      return { model: { exact: text } };
    case 'prefix':
      return { model: { prefix: text } };
    case 'regex':
      return { model: { regex: text } };
    case 'text':
      return { model: texts.length === 1 ? text : [...texts] };
  }
}

/** When the policy applies. */
export function ConditionField({
  value,
  onChange,
  models,
  problem,
}: {
  readonly value: ConditionDraft;
  readonly onChange: (value: ConditionDraft) => void;
  readonly models: readonly string[];
  readonly problem: string | undefined;
}) {
  return (
    <div className="stack-tight">
      <Select
        label="Applies"
        choices={KINDS}
        value={value.kind}
        onChange={(kind) => onChange({ kind, texts: kind === 'none' ? [] : value.texts })}
      />
      {value.kind === 'none' ? null : value.kind === 'regex' ? (
        <TextField
          label="Expression"
          mono
          hint="It must match the whole name. It runs in linear time; lookaround and back references do not exist."
          value={value.texts[0] ?? ''}
          problem={problem}
          onChange={(text) => onChange({ ...value, texts: [text] })}
        />
      ) : (
        <Combo
          label={value.kind === 'prefix' ? 'Beginning' : 'Model'}
          free
          single={value.kind !== 'text'}
          options={models.map((model) => ({ value: model }))}
          values={value.texts.filter((text) => text !== '')}
          problem={problem}
          onChange={(texts) => onChange({ ...value, texts })}
        />
      )}
    </div>
  );
}
