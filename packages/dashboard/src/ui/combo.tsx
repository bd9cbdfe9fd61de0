import { type KeyboardEvent, type ReactNode, useId, useMemo, useRef, useState } from 'react';
import { Field } from './form.tsx';
import { Icon } from './icon.tsx';

export interface ComboOption {
  readonly value: string;
  /** What is shown and searched; the value when it is not given. */
  readonly label?: string;
  readonly hint?: string;
}

interface ComboProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | undefined;
  readonly options: readonly ComboOption[];
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
  /** Told while somebody types, to load what matches. */
  readonly onSearch?: (text: string) => void;
  /** What is typed may be taken as it is, for patterns; gives why not. */
  readonly free?: boolean;
  readonly single?: boolean;
  readonly placeholder?: string;
  readonly disabled?: boolean;
}

const SHOWN = 60;

/** Chosen values as chips, with a search over what may be chosen. The whole of it works by keyboard. */
export function Combo({
  label,
  hint,
  problem,
  options,
  values,
  onChange,
  onSearch,
  free = false,
  single = false,
  placeholder,
  disabled = false,
}: ComboProps) {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const list = useId();
  const input = useRef<HTMLInputElement>(null);

  const found = useMemo(() => {
    const part = text.trim().toLowerCase();
    const matching = options
      .filter(({ value }) => !values.includes(value))
      .filter(
        ({ value, label: shown, hint: more }) =>
          part === '' ||
          value.toLowerCase().includes(part) ||
          (shown ?? '').toLowerCase().includes(part) ||
          (more ?? '').toLowerCase().includes(part),
      );
    const typed = text.trim();
    const isNew =
      free && typed !== '' && !values.includes(typed) && !options.some((one) => one.value === typed);
    const own: readonly ComboOption[] = isNew
      ? [{ value: typed, hint: typed.endsWith('*') ? 'every name that begins so' : 'as typed' }]
      : [];
    return [...own, ...matching.slice(0, SHOWN)];
  }, [free, options, text, values]);

  const choose = (value: string): void => {
    onChange(single ? [value] : [...values, value]);
    setText('');
    onSearch?.('');
    setActive(0);
    if (single) setOpen(false);
  };
  const drop = (value: string): void => {
    onChange(values.filter((other) => other !== value));
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((at) => (found.length === 0 ? 0 : (at + step + found.length) % found.length));
    } else if (event.key === 'Enter') {
      const option = found[active];
      if (isOpen && option !== undefined) {
        event.preventDefault();
        choose(option.value);
      }
    } else if (event.key === ',' && free && text.trim() !== '') {
      event.preventDefault();
      choose(text.trim());
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === 'Backspace' && text === '' && values.length > 0) {
      onChange(values.slice(0, -1));
    }
  };
  const shown = (value: string): string => options.find((option) => option.value === value)?.label ?? value;

  return (
    <Field label={label} {...(hint === undefined ? {} : { hint })} problem={problem}>
      {(ids) => (
        <div className="combo" data-invalid={problem === undefined ? undefined : true}>
          {values.map((value) => (
            <span key={value} className="chip" title={value}>
              {shown(value)}
              {disabled ? null : (
                <button type="button" aria-label={`Remove ${shown(value)}`} onClick={() => drop(value)}>
                  <Icon name="close" />
                </button>
              )}
            </span>
          ))}
          <input
            {...ids}
            ref={input}
            role="combobox"
            aria-expanded={isOpen && found.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={isOpen && found.length > 0 ? `${list}-${active}` : undefined}
            autoComplete="off"
            spellCheck={false}
            disabled={disabled}
            value={text}
            placeholder={values.length === 0 ? placeholder : undefined}
            onChange={(event) => {
              setText(event.target.value);
              onSearch?.(event.target.value.trim());
              setActive(0);
              setOpen(true);
            }}
            onFocus={() => setOpen(true)}
            onClick={() => setOpen(true)}
            onBlur={() => {
              setOpen(false);
              // Whoever types a name and goes on means it.
              if (free && text.trim() !== '') choose(text.trim());
            }}
            onKeyDown={onKeyDown}
          />
          {isOpen && found.length > 0 ? (
            <div className="listbox" role="listbox" id={list} aria-label={label}>
              {found.map((option, index) => (
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the input's
                <div
                  key={option.value}
                  id={`${list}-${index}`}
                  className="option"
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === active}
                  onMouseDown={(event) => event.preventDefault()}
                  onMouseEnter={() => setActive(index)}
                  onClick={() => choose(option.value)}
                >
                  <span>{option.label ?? option.value}</span>
                  {option.hint === undefined ? null : <span className="hint">{option.hint}</span>}
                </div>
              ))}
            </div>
          ) : null}
        </div>
      )}
    </Field>
  );
}
