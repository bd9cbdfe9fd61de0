// Renders the pages about guardrails from the descriptions of their kinds.

/**
 * @typedef {{ ids: readonly [string, ...string[]], title: string, remote: boolean, settings: Readonly<Record<string, Setting>> }} Kind
 * @typedef {{ required: boolean, default: unknown, schema: Readonly<Record<string, unknown>> }} Setting
 * @typedef {import('./notes.mjs').Note} Note
 */

const GENERATED = '<!-- written by `npm run docs:guardrails` from the schemas that check configurations -->';

/** The file of a kind. @param {Kind} kind */
const fileOf = ({ ids: [id] }) => `${id.replaceAll('/', '-')}.md`;

/**
 * Every page by its file name.
 * @param {readonly Kind[]} kinds
 * @param {Readonly<Record<string, Note>>} notes by the first id of a kind
 * @param {ReadonlySet<string>} common settings that every kind has
 * @returns {Record<string, string>}
 */
export function pages(kinds, notes, common) {
  const [first] = kinds;
  if (first === undefined) throw new Error('there are no kinds of guardrails');
  /** @type {Record<string, string>} */
  const all = { 'README.md': index(kinds, notes, first, common) };
  for (const kind of kinds) all[fileOf(kind)] = page(kind, notes[kind.ids[0]], common);
  return all;
}

/** @param {readonly Kind[]} kinds @param {Readonly<Record<string, Note>>} notes @param {Kind} first @param {ReadonlySet<string>} common */
function index(kinds, notes, first, common) {
  const shared = Object.entries(first.settings).filter(([name]) => common.has(name));
  return [
    GENERATED,
    '',
    '# Guardrails',
    '',
    'A guardrail is an entry of `guardrails:` in the configuration file, or of `POST /guardrails`: a name and its',
    '`litellm_params`. `GET /guardrails/ui/provider_specific_params` gives what stands here as JSON.',
    '',
    '| `guardrail` | what it does | asks |',
    '|---|---|---|',
    ...kinds.map(
      (kind) =>
        `| [${kind.ids.map((id) => `\`${id}\``).join(', ')}](${fileOf(kind)}) | ${cell(notes[kind.ids[0]]?.about ?? kind.title)} | ${kind.remote ? 'outside the process' : 'nobody'} |`,
    ),
    '',
    '## Settings of every guardrail',
    '',
    ...table(shared),
    '',
    'A guardrail without an answer (timeout, refused connection, another form than agreed) blocks, unless `on_error` names the',
    'class of the failure: `unreachable`, `fault`, `too_complex` or `undeliverable`. Several guardrails of one name share the load',
    'by `weight`; one whose service fails again and again is passed over as long as another one can be asked.',
    '',
    'A setting that is marked secret is encrypted where it is stored and masked where it is shown. `os.environ/NAME` is read in',
    'the configuration file.',
    '',
  ].join('\n');
}

/** @param {Kind} kind @param {Note | undefined} note @param {ReadonlySet<string>} common */
function page(kind, note, common) {
  const own = Object.entries(kind.settings).filter(([name]) => !common.has(name));
  const [id, ...others] = kind.ids;
  const lines = [GENERATED, '', `# ${kind.title}`, ''];
  if (note !== undefined) lines.push(note.about, '');
  lines.push(
    `\`guardrail: ${id}\`${others.length === 0 ? '' : ` (also ${others.map((one) => `\`${one}\``).join(', ')})`}`,
    '',
  );
  if (note !== undefined) lines.push('```yaml', exampleOf(id, note), '```', '');
  lines.push('## Settings', '');
  if (own.length === 0) lines.push('None of its own.', '');
  else lines.push(...table(own), '');
  lines.push('And the [settings of every guardrail](README.md#settings-of-every-guardrail).', '');
  const notes = note?.notes ?? [];
  if (notes.length > 0) lines.push('## Worth knowing', '', ...notes.map((one) => `- ${one}`), '');
  return lines.join('\n');
}

/** A whole entry of `guardrails:`. @param {string} id @param {Note} note */
export function exampleOf(id, { example }) {
  const settings =
    example === '' ? [] : example.split('\n').map((line) => (line === '' ? '' : `      ${line}`));
  return [
    'guardrails:',
    `  - guardrail_name: my-${id.replaceAll(/[/_]/gu, '-')}`,
    '    litellm_params:',
    `      guardrail: ${id}`,
    '      mode: pre_call',
    ...settings,
  ].join('\n');
}

/** @param {readonly (readonly [string, Setting])[]} settings */
function table(settings) {
  return [
    '| setting | value | default | what it does |',
    '|---|---|---|---|',
    ...settings.map(([name, { required, default: preset, schema }]) => {
      const secret = schema['secret'] === true ? ' (secret)' : '';
      const value = required ? '**required**' : preset === null ? '' : code(JSON.stringify(preset));
      const description = typeof schema['description'] === 'string' ? schema['description'] : '';
      return `| \`${name}\`${secret} | ${cell(typeOf(schema))} | ${value} | ${cell(description)} |`;
    }),
  ];
}

/** @param {unknown} schema @returns {string} */
function typeOf(schema) {
  if (!isObject(schema)) return 'any';
  const variants = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(variants)) {
    const texts = variants.filter((one) => !isObject(one) || one['type'] !== 'null').map(typeOf);
    return [...new Set(texts)].join(' or ');
  }
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => code(String(one))).join(', ');
  if (schema['const'] !== undefined) return code(JSON.stringify(schema['const']));
  switch (schema['type']) {
    case 'array':
      return `list of ${typeOf(schema['items'])}`;
    case 'object':
      return objectType(schema);
    case 'integer':
    case 'number':
      return range(schema);
    case 'string':
      return 'text';
    case 'boolean':
      return 'true, false';
    default:
      return 'any';
  }
}

/** @param {Readonly<Record<string, unknown>>} schema */
function objectType({ properties, additionalProperties, required }) {
  if (!isObject(properties)) {
    return isObject(additionalProperties)
      ? `values by name: ${typeOf(additionalProperties)}`
      : 'values by name';
  }
  const needed = new Set(Array.isArray(required) ? required : []);
  const fields = Object.entries(properties).map(
    ([name, inner]) => `\`${name}\`${needed.has(name) ? '' : '?'}: ${typeOf(inner)}`,
  );
  return `{${fields.join('; ')}}`;
}

const HUGE = 1e15;

/** @param {Readonly<Record<string, unknown>>} schema */
function range({ type, minimum, exclusiveMinimum, maximum }) {
  const word = type === 'integer' ? 'whole number' : 'number';
  const low = typeof minimum === 'number' && minimum > -2_147_483_648 ? ` from ${minimum}` : '';
  const above =
    typeof exclusiveMinimum === 'number' && exclusiveMinimum > -HUGE ? ` above ${exclusiveMinimum}` : '';
  const high = typeof maximum === 'number' && maximum < 2_147_483_647 ? ` to ${maximum}` : '';
  return word + (low || above) + high;
}

/** @param {unknown} value @returns {value is Readonly<Record<string, unknown>>} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param {string} text */
const code = (text) => `\`${text.replaceAll('|', '\\|').replaceAll('\n', ' ')}\``;

/** @param {string} text */
const cell = (text) => text.replaceAll(/(?<!\\)\|/gu, '\\|').replaceAll('\n', ' ');
