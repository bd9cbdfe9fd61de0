import type { FindingPath } from '@portcullis/policy';
import type { ConfigDocument } from './document.ts';

export interface WrittenPlaces {
  /** Path in the file by `guardrail_id`. */
  readonly guardrails: ReadonlyMap<string, FindingPath>;
  /** Indices in `model_list` by `model_name`, in the order of the group's deployments. */
  readonly models: ReadonlyMap<string, readonly number[]>;
}

/** Turns a path in the documents (by name or id) into the path in the file that they were read from. */
export function placeInFile(
  path: FindingPath,
  document: ConfigDocument,
  written: WrittenPlaces,
): FindingPath {
  const [section, id, ...rest] = path;
  const name = String(id ?? '');
  switch (String(section ?? '')) {
    case 'policies':
      return id === undefined ? ['policies'] : ['policies', name, ...policyFields(rest, document, name)];
    case 'attachments': {
      const index = Number(/^config-(\d+)$/u.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(index)) return ['policy_attachments'];
      return ['policy_attachments', index, ...rest.map((step) => (step === 'policy_name' ? 'policy' : step))];
    }
    case 'guardrails':
      return id === undefined ? ['guardrails'] : [...guardrailPath(name, document, written), ...rest];
    case 'models':
      return modelPath(name, rest, written);
    case 'model_aliases':
      return ['router_settings', 'model_group_alias', ...path.slice(1)];
    case 'settings':
      return ['policy_engine', ...path.slice(1)];
    default:
      return path;
  }
}

/** `guardrails_add` is `guardrails.add` in the file, or the plain list `guardrails`. */
function policyFields(rest: FindingPath, document: ConfigDocument, name: string): FindingPath {
  const [field, ...deeper] = rest;
  const list = /^guardrails_(add|remove|lock)$/u.exec(String(field ?? ''))?.[1];
  if (list === undefined) return rest;
  const plain = document.nodeAt(['policies', name, 'guardrails'])?.kind === 'list';
  return plain ? ['guardrails', ...deeper] : ['guardrails', list, ...deeper];
}

function guardrailPath(name: string, document: ConfigDocument, written: WrittenPlaces): FindingPath {
  const byId = written.guardrails.get(name);
  if (byId !== undefined) return byId;
  for (const path of written.guardrails.values()) {
    if (document.valueAt([...path, 'guardrail_name']) === name) return path;
  }
  return ['guardrails'];
}

function modelPath(name: string, rest: FindingPath, written: WrittenPlaces): FindingPath {
  const indices = written.models.get(name);
  if (indices === undefined) return ['model_list'];
  const [field, at, ...deeper] = rest;
  const index =
    (field === 'deployments' && typeof at === 'number' ? indices[at] : undefined) ?? indices[0] ?? 0;
  return field === 'deployments' && deeper.length > 0
    ? ['model_list', index, 'litellm_params', ...deeper]
    : ['model_list', index];
}
