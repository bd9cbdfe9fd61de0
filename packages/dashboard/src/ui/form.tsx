import { type ReactNode, useId } from 'react';
import { Icon } from './icon.tsx';

interface Described {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with the value. */
  readonly problem?: string | undefined;
}

interface FieldIds {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

/** A label, a control, what it means, and what is wrong with it. */
export function Field({
  label,
  hint,
  problem,
  children,
}: Described & { readonly children: (ids: FieldIds) => ReactNode }) {
  const id = useId();
  const described = [hint === undefined ? '' : `${id}-hint`, problem === undefined ? '' : `${id}-problem`]
    .filter((part) => part !== '')
    .join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': problem === undefined ? undefined : true,
      })}
      {hint === undefined ? null : (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <Problem id={`${id}-problem`} text={problem} />
    </div>
  );
}

export function Problem({ id, text }: { readonly id?: string; readonly text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p className="problem" id={id}>
      <Icon name="bad" />
      <span>{text}</span>
    </p>
  );
}

interface TextProps extends Described {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly mono?: boolean;
  readonly autoFocus?: boolean;
  readonly required?: boolean;
}

export function TextField({
  type = 'text',
  autoComplete = 'off',
  ...props
}: TextProps & { readonly type?: 'text' | 'password' | 'email' | 'number'; readonly autoComplete?: string }) {
  return (
    <Field {...described(props)}>
      {(ids) => (
        <input
          {...ids}
          className={props.mono === true ? 'input mono' : 'input'}
          type={type}
          autoComplete={autoComplete}
          spellCheck={false}
          value={props.value}
          placeholder={props.placeholder}
          disabled={props.disabled}
          required={props.required}
          autoFocus={props.autoFocus}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function TextArea({ rows = 3, ...props }: TextProps & { readonly rows?: number }) {
  return (
    <Field {...described(props)}>
      {(ids) => (
        <textarea
          {...ids}
          className={props.mono === true ? 'input mono' : 'input'}
          rows={rows}
          value={props.value}
          placeholder={props.placeholder}
          disabled={props.disabled}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export interface Choice<Value extends string = string> {
  readonly value: Value;
  readonly label: string;
}

export function Select<Value extends string>({
  choices,
  value,
  onChange,
  disabled,
  ...props
}: Described & {
  readonly choices: readonly Choice<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly disabled?: boolean;
}) {
  return (
    <Field {...described(props)}>
      {(ids) => (
        <select
          {...ids}
          className="input"
          value={value}
          disabled={disabled}
          onChange={(event) => {
            const chosen = choices.find((choice) => choice.value === event.target.value);
            if (chosen !== undefined) onChange(chosen.value);
          }}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A select without a visible label, for toolbars. */
export function Filter<Value extends string>({
  label,
  choices,
  value,
  onChange,
}: {
  readonly label: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}) {
  return (
    <select
      className="input"
      style={{ width: 'auto' }}
      aria-label={label}
      value={value}
      onChange={(event) => {
        const chosen = choices.find((choice) => choice.value === event.target.value);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

export function Search({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <div className="search">
      <Icon name="search" />
      <input
        className="input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        data-search=""
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

export function Checkbox({
  label,
  hint,
  checked,
  onChange,
  disabled,
}: {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {label}
        {hint === undefined ? null : <span className="hint"> {hint}</span>}
      </span>
    </label>
  );
}

/** A few choices, all visible. */
export function Segments<Value extends string>({
  label,
  choices,
  value,
  onChange,
  disabled,
  hint,
}: {
  readonly label: string;
  readonly choices: readonly Choice<Value>[];
  /** Empty when nothing is chosen yet. */
  readonly value: Value | '';
  readonly onChange: (value: Value) => void;
  readonly disabled?: boolean;
  readonly hint?: ReactNode;
}) {
  const name = useId();
  return (
    <fieldset className="field" style={{ border: 0, padding: 0, margin: 0 }} disabled={disabled}>
      <legend className="label" style={{ padding: 0, marginBottom: 4, fontSize: 13, fontWeight: 580 }}>
        {label}
      </legend>
      <div className="segments">
        {choices.map((choice) => (
          <label key={choice.value}>
            <input
              type="radio"
              name={name}
              checked={choice.value === value}
              onChange={() => onChange(choice.value)}
            />
            {choice.label}
          </label>
        ))}
      </div>
      {hint === undefined ? null : <p className="hint">{hint}</p>}
    </fieldset>
  );
}

function described({ label, hint, problem }: Described): Described {
  return { label, ...(hint === undefined ? {} : { hint }), problem };
}
