import { type JsonObject, PortcullisError } from '@portcullis/contract';
import { randomUUID } from 'node:crypto';

/** A file of a form, as it came. */
interface FormFile {
  readonly name: string;
  readonly filename: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** A form that was understood: its texts as members of `body`, where a file is a data URL that is made when asked for. */
export interface Form {
  readonly body: JsonObject;
  readonly files: readonly FormFile[];
}

/** The gateway's own fields, which are lists or objects and come as JSON in a form. */
const JSON_FIELDS: ReadonlySet<string> = new Set([
  'guardrails',
  'policies',
  'tags',
  'metadata',
  'litellm_metadata',
  'fallbacks',
]);

/**
 * Takes `multipart/form-data` apart. A field that is given twice is refused, because the provider might read the other
 * one; names that end in `[]` are lists.
 * @throws PortcullisError `invalid_request`.
 */
export async function readForm(raw: Buffer, contentType: string): Promise<Form> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
  } catch (cause) {
    throw new PortcullisError('invalid_request', 'The body is no valid multipart/form-data.', { cause });
  }
  const body: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const files: FormFile[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') {
      if (name.endsWith('[]')) body[name] = [...((body[name] as string[] | undefined) ?? []), value];
      else if (Object.hasOwn(body, name)) throw twice(name);
      else body[name] = JSON_FIELDS.has(name) ? jsonOf(name, value) : value;
      continue;
    }
    if (Object.hasOwn(body, name)) throw twice(name);
    const file = {
      name,
      filename: value.name,
      type: value.type === '' ? 'application/octet-stream' : value.type,
      bytes: Buffer.from(await value.arrayBuffer()),
    };
    files.push(file);
    Object.defineProperty(body, name, { enumerable: true, get: () => dataUrl(file) });
  }
  return { body, files };
}

function dataUrl({ type, bytes }: FormFile): string {
  return `data:${type};base64,${bytes.toString('base64')}`;
}

function twice(name: string): PortcullisError {
  return new PortcullisError('invalid_request', `The field "${name.slice(0, 64)}" is given twice.`, {
    param: name.slice(0, 64),
  });
}

function jsonOf(name: string, value: string): unknown {
  if (name === 'metadata' || name === 'litellm_metadata') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new PortcullisError('invalid_request', `"${name}" must be JSON in a form.`, { param: name });
  }
}

/** The form written anew: the texts of `body`, and the files as they came. */
export function writeForm(
  body: JsonObject,
  files: readonly FormFile[],
): { readonly contentType: string; readonly bytes: Buffer } {
  const boundary = `portcullis-${randomUUID()}`;
  const parts: Buffer[] = [];
  const part = (head: string, content: Buffer): void => {
    parts.push(Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`), content, Buffer.from('\r\n'));
  };
  const ofFile = new Set(files.map(({ name }) => name));
  for (const key of Object.keys(body)) {
    if (ofFile.has(key)) continue;
    const value = body[key];
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      const text = typeof item === 'string' ? item : JSON.stringify(item);
      part(`content-disposition: form-data; name="${quoted(key)}"`, Buffer.from(text));
    }
  }
  for (const { name, filename, type, bytes } of files) {
    const names = `name="${quoted(name)}"; filename="${quoted(filename)}"`;
    part(
      `content-disposition: form-data; ${names}\r\ncontent-type: ${type.replace(/[^\x20-\x7e]/gu, '')}`,
      bytes,
    );
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(parts) };
}

/** As browsers write names: what would end the quotes or the line is percent-encoded. */
function quoted(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
