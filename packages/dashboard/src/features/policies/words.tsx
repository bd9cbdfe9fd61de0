import type { VersionStatus } from '@portcullis/policy';
import { Badge } from '../../ui/feedback.tsx';
import type { AttachmentRow, PolicyRow } from '../../api/policies.ts';

const TONES = { production: 'good', published: 'info', draft: 'neutral' } as const;

export function StatusBadge({ status }: { readonly status: VersionStatus }) {
  return (
    <Badge tone={TONES[status]} dot>
      {status}
    </Badge>
  );
}

/** Where the object was written, when it cannot be changed here. */
export function ConfigBadge({
  row,
}: {
  readonly row: Pick<PolicyRow | AttachmentRow, 'definition_location'>;
}) {
  if (row.definition_location !== 'config') return null;
  return (
    <Badge tone="violet" title="Written in the configuration file; change it there">
      config file
    </Badge>
  );
}

/** A condition on the model in words. */
export function conditionText(condition: PolicyRow['condition']): string | null {
  const model = condition?.model;
  if (model === undefined) return null;
  if (typeof model === 'string') return `model is or matches ${model}`;
  if (Array.isArray(model)) return `model is or matches one of ${model.join(', ')}`;
  if ('exact' in model) return `model is exactly ${model.exact}`;
  if ('prefix' in model) return `model begins with ${model.prefix}`;
  return `model matches the expression ${model.regex}`;
}
