import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

type Json = Readonly<Record<string, unknown>>;

/** Compares good answers of management routes with what `/openapi.json` says of them. */
export class DescribedAnswers {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #document: Json;
  readonly #validators = new Map<string, ValidateFunction | null>();

  /** @param document of `/openapi.json` */
  constructor(document: Json) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ components: document['components'] }, 'openapi');
  }

  /**
   * @param name method and path, parameters as `{name}` or `:name`
   * @param body the parsed JSON of an answer with 2xx
   * @returns what is not as described, or null
   */
  problem(name: string, body: unknown): string | null {
    const validate = this.#validator(name.replaceAll(/:(\w+)/gu, '{$1}'));
    if (validate === null || validate(body)) return null;
    return (validate.errors ?? [])
      .slice(0, 5)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
      .join('; ');
  }

  /** Whether the answers of this route are described at all. */
  describes(name: string): boolean {
    return this.#validator(name) !== null;
  }

  #validator(name: string): ValidateFunction | null {
    const known = this.#validators.get(name);
    if (known !== undefined) return known;
    const [method = '', path = ''] = name.split(' ');
    const place = ['paths', path, method.toLowerCase(), 'responses', '2XX', 'content'];
    const content = membersOf(place.reduce<unknown>((found, part) => membersOf(found)[part], this.#document));
    // Of a stream the schema is that of the data of one event.
    const schema = content['application/json'] ?? content['text/event-stream'];
    const ref = membersOf(membersOf(schema)['schema'])['$ref'];
    const made = typeof ref === 'string' ? this.#ajv.compile({ $ref: `openapi${ref}` }) : null;
    this.#validators.set(name, made);
    return made;
  }
}

function membersOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
