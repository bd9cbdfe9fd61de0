import { type BlockedWordsFile, blockedWordsFileSchema, PortcullisError } from '@portcullis/contract';
import { HOOKS } from '@portcullis/policy';
import type { GuardrailTools } from '../../ports/guardrail-tools.ts';
import type { ControlContext } from '../context.ts';
import type { Route } from '../route.ts';

/** `POST /guardrails/validate_blocked_words_file`. */
export function blockedWordsFileRoute({ guardrails: { tools } }: ControlContext): Route<BlockedWordsFile> {
  return {
    method: 'POST',
    path: '/guardrails/validate_blocked_words_file',
    permission: 'any_key',
    body: blockedWordsFileSchema,
    takesAnyText: true,
    async handler({ body }) {
      const check = tools.checkBlockedWords(body.file_content);
      if (check.ok) {
        return { body: { valid: true, message: `Valid file with ${check.count} blocked words` } };
      }
      return { body: { valid: false, error: check.problems[0] ?? 'unknown', errors: check.problems } };
    },
  };
}

/** `GET /guardrails/ui/add_guardrail_settings`: what a form needs to offer. */
export function guardrailSettingsRoute({ guardrails: { tools } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/guardrails/ui/add_guardrail_settings',
    permission: 'any_key',
    async handler() {
      return { body: settings(tools) };
    },
  };
}

function settings({ patterns, categories }: GuardrailTools): Readonly<Record<string, unknown>> {
  const byGroup = new Map<string, string[]>();
  for (const { name, group } of patterns) byGroup.set(group, [...(byGroup.get(group) ?? []), name]);
  return {
    supported_entities: patterns.map(({ name }) => name),
    supported_actions: ['BLOCK', 'MASK', 'LOG'],
    supported_modes: HOOKS,
    pii_entity_categories: [...byGroup].map(([category, entities]) => ({ category, entities })),
    content_filter_settings: {
      prebuilt_patterns: patterns.map(({ name, display_name, group, description, action }) => ({
        name,
        display_name,
        category: group,
        description,
        action,
      })),
      pattern_categories: [...byGroup.keys()],
      supported_actions: ['BLOCK', 'MASK', 'LOG'],
      content_categories: categories.map(({ name, display_name, group, description, action }) => ({
        name,
        display_name,
        group,
        description,
        default_action: action,
      })),
    },
  };
}

/** `GET /guardrails/ui/provider_specific_params`: the settings of every kind, read off the schema that checks them. */
export function providerParamsRoute({ guardrails: { tools } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/guardrails/ui/provider_specific_params',
    permission: 'any_key',
    async handler() {
      return { body: Object.fromEntries(tools.kinds.map((kind) => [kind.ids[0], formOf(kind)])) };
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

function formOf({ title, remote, settings: fields }: GuardrailTools['kinds'][number]): Json {
  const form: Record<string, unknown> = { ui_friendly_name: title, remote };
  for (const [name, { schema, required, default: preset }] of Object.entries(fields)) {
    form[name] = fieldOf(schema, required, preset);
  }
  return form;
}

/** One field of a form, in the words of the reference; `schema` is the whole truth. */
function fieldOf(schema: Json, required: boolean, preset: unknown): Json {
  const { type, options, fields } = typeOf(schema);
  const { secret, description } = schema;
  return {
    description: description ?? null,
    required,
    type: secret === true && type === 'string' ? 'password' : type,
    options,
    default_value: preset,
    ...(fields === null ? {} : { fields }),
    ...(secret === true ? { secret } : {}),
    schema,
  };
}

interface FieldType {
  readonly type: string;
  readonly options: readonly unknown[] | null;
  readonly fields: Json | null;
}

function typeOf(schema: Json): FieldType {
  const variants = variantsOf(schema);
  if (variants.length !== 1) {
    const choices = variants.map(typeOf);
    const options = choices.find((choice) => choice.options !== null)?.options ?? null;
    if (options !== null && choices.some(({ type }) => type === 'multiselect')) {
      return { type: 'multiselect', options, fields: null };
    }
    return { type: options === null ? 'json' : 'select', options, fields: null };
  }
  const [only = {}] = variants;
  if (Array.isArray(only['enum']))
    return { type: 'select', options: only['enum'] as unknown[], fields: null };
  switch (only['type']) {
    case 'boolean':
      return { type: 'bool', options: null, fields: null };
    case 'integer':
    case 'number':
      return { type: 'number', options: null, fields: null };
    case 'string':
      return { type: 'string', options: null, fields: null };
    case 'array':
      return listType(only);
    case 'object':
      return objectType(only);
    default:
      return { type: 'json', options: null, fields: null };
  }
}

function listType({ items }: Json): FieldType {
  const item = typeOf(asObject(items));
  if (item.options !== null && item.type === 'select') {
    return { type: 'multiselect', options: item.options, fields: null };
  }
  return { type: item.type === 'string' ? 'array' : 'json', options: null, fields: null };
}

function objectType({ properties, required }: Json): FieldType {
  if (properties === undefined) return { type: 'dict', options: null, fields: null };
  const names = new Set(Array.isArray(required) ? (required as unknown[]) : []);
  const fields = Object.entries(asObject(properties)).map(([name, inner]) => {
    const schema = asObject(inner);
    return [name, fieldOf(schema, names.has(name), schema['default'] ?? null)];
  });
  return { type: 'nested', options: null, fields: Object.fromEntries(fields) as Json };
}

/** The forms a value may have; that it may be left empty is no form. */
function variantsOf(schema: Json): readonly Json[] {
  const given = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(given)) return given.flatMap((inner: unknown) => variantsOf(asObject(inner)));
  const { type } = schema;
  if (type === 'null') return [];
  if (!Array.isArray(type)) return [schema];
  return type.filter((one) => one !== 'null').map((one: unknown) => ({ ...schema, type: one }));
}

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};

/** `GET /guardrails/ui/category_yaml/{name}`: the words of a shipped category, as a file to start one's own from. */
export function categoryYamlRoute({ guardrails: { tools } }: ControlContext): Route {
  return {
    method: 'GET',
    path: '/guardrails/ui/category_yaml/:category_name',
    permission: 'any_key',
    async handler({ params }) {
      const name = params['category_name'] ?? '';
      const category = tools.categories.find((shipped) => shipped.name === name);
      if (category === undefined) {
        throw new PortcullisError('not_found', `There is no category "${name}".`, { param: 'category_name' });
      }
      return { body: { category_name: name, yaml_content: category.yaml(), file_type: 'yaml' } };
    },
  };
}
