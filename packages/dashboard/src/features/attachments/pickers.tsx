import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { keySearchQuery, modelsQuery, tagsQuery, teamSearchQuery } from '../../api/policies.ts';
import { Combo } from '../../ui/combo.tsx';
import { useDebounced } from '../../ui/use-debounced.ts';

interface PickerProps {
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
  readonly label?: string;
  readonly hint?: ReactNode;
  readonly problem?: string | undefined;
  readonly single?: boolean;
  readonly disabled?: boolean;
}

/** Teams by alias, found by a part of it; a team without one by its id. */
export function TeamPicker({ label = 'Teams', ...props }: PickerProps) {
  const [part, setPart] = useState('');
  const found = useQuery(teamSearchQuery(useDebounced(part, 200)));
  const options = (found.data ?? []).map(({ team_id, team_alias }) => ({
    value: team_alias ?? team_id,
    hint: team_alias === null ? 'no alias' : team_id.slice(0, 8),
  }));
  return <Combo free label={label} placeholder="any team" options={options} onSearch={setPart} {...props} />;
}

/** Keys by alias; a key without one by its hash. */
export function KeyPicker({ label = 'Keys', ...props }: PickerProps) {
  const found = useQuery(keySearchQuery);
  const options = (found.data ?? []).map(({ token, key_alias, key_name }) => ({
    value: key_alias ?? token,
    label: key_alias ?? key_name,
    hint: key_alias === null ? 'no alias' : key_name,
  }));
  return <Combo free label={label} placeholder="any key" options={options} {...props} />;
}

export function ModelPicker({ label = 'Models', ...props }: PickerProps) {
  const found = useQuery(modelsQuery);
  const options = (found.data ?? []).map((value) => ({ value }));
  return <Combo free label={label} placeholder="any model" options={options} {...props} />;
}

export function TagPicker({ label = 'Tags', ...props }: PickerProps) {
  const found = useQuery(tagsQuery);
  const options = (found.data ?? []).map((value) => ({ value }));
  return <Combo free label={label} placeholder="health-*" options={options} {...props} />;
}
