import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { LastGood, LastGoodStore } from '../ports/last-good.ts';
import {
  type StoredAttachment,
  type StoredDocuments,
  type StoredGuardrail,
  type StoredModel,
  type StoredPolicy,
  UnreadableRowsError,
} from '../ports/policy-store.ts';
import { SortedDocuments } from './policy-rows.ts';

const FILE = 'last-known-good.jsonl';
const FORMAT = 1;
/** Characters that are put together before they are written. */
const BATCH = 256 * 1024;
/** How many lines are read or made between two yields; some milliseconds. */
const BETWEEN_YIELDS = 50;

const headSchema = z.strictObject({
  format: z.number(),
  database: z.string(),
  revision: z.int().min(0),
  config_digest: z.string().nullable(),
  documents: z.int().min(0),
});
const lineSchema = z.tuple([z.string(), z.string(), z.unknown()]);
const endSchema = z.strictObject({ sha256: z.string() });

/**
 * The last known good documents in the data directory: a line of what they are, a line for each document, and a line with
 * the digest of all before it. Guardrails are kept as they are stored, so their secrets stay sealed.
 */
export function lastGoodStore(dataDir: string, database: 'embedded' | 'postgres'): LastGoodStore {
  const file = join(dataDir, FILE);
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return { kind: 'none' };
        return refused(file, `it cannot be read (${codeOf(error)})`);
      }
      return parse(file, text, database);
    },

    async write(documents) {
      // Replicas on one machine may share the directory.
      const draft = `${file}.${process.pid}`;
      try {
        await mkdir(dataDir, { recursive: true, mode: 0o700 });
        const handle = await open(draft, 'w', 0o600);
        try {
          await writeAll(handle, documents, database);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(draft, file);
        await syncDirectory(dataDir);
      } catch (cause) {
        await rm(draft, { force: true }).catch(() => undefined);
        const kept = await rm(file, { force: true }).then(
          () => 'so none is kept',
          () => 'and the one before, which is too old, cannot be removed',
        );
        throw new Error(
          `${file}: the last known good revision cannot be written (${codeOf(cause)}), ${kept}; make room, or make the data directory writable`,
          { cause },
        );
      }
    },
  };
}

async function writeAll(
  handle: FileHandle,
  { revision, configDigest, policies, attachments, guardrails, models }: StoredDocuments,
  database: string,
): Promise<void> {
  const hash = createHash('sha256');
  let batch = '';
  const flush = async (): Promise<void> => {
    hash.update(batch);
    await handle.write(batch);
    batch = '';
  };
  const documents = policies.length + attachments.length + guardrails.length + models.length;
  const head = { format: FORMAT, database, revision, config_digest: configDigest, documents };
  batch += `${JSON.stringify(head satisfies z.infer<typeof headSchema>)}\n`;
  let count = 0;
  for (const line of linesOf(policies, attachments, guardrails, models)) {
    batch += `${JSON.stringify(line)}\n`;
    count += 1;
    if (batch.length >= BATCH) await flush();
    if (count % BETWEEN_YIELDS === 0) await nextTurn();
  }
  await flush();
  await handle.write(`${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
}

function* linesOf(
  policies: readonly StoredPolicy[],
  attachments: readonly StoredAttachment[],
  guardrails: readonly StoredGuardrail[],
  models: readonly StoredModel[],
): Generator<readonly [string, string, unknown]> {
  for (const stored of policies) yield ['policy', stored.policy.policy_id, stored];
  for (const stored of attachments) yield ['attachment', stored.attachment.attachment_id, stored];
  for (const stored of guardrails) yield ['guardrail', stored.guardrail.guardrail_id, stored];
  for (const stored of models) yield ['model', stored.model.model_id, stored];
}

async function parse(file: string, text: string, database: string): Promise<LastGood> {
  const lines = text.split('\n');
  // The last line ends like every other.
  if (lines.pop() !== '') return refused(file, 'it is torn');
  const end = parsed(endSchema, lines.pop());
  if (end === null) return refused(file, 'it is torn');
  if ((await digestOf(lines)) !== end.sha256) return refused(file, 'it was changed after it was written');
  const head = parsed(headSchema, lines.shift());
  if (head === null || head.format !== FORMAT) {
    return refused(file, 'it was written by another version of Portcullis');
  }
  if (head.database !== database) {
    return refused(file, `it is of a database of the other kind (${head.database})`);
  }
  if (head.documents !== lines.length) return refused(file, 'documents are missing');

  const sorted = new SortedDocuments();
  let count = 0;
  for (const line of lines) {
    const entry = parsed(lineSchema, line);
    if (entry === null) return refused(file, 'a line is no document');
    const [object, id, document] = entry;
    if (object !== 'policy' && object !== 'attachment' && object !== 'guardrail' && object !== 'model') {
      return refused(file, 'a line is no document');
    }
    sorted.add(object, id, document);
    count += 1;
    if (count % BETWEEN_YIELDS === 0) await nextTurn();
  }
  try {
    const { revision, config_digest: configDigest } = head;
    return { kind: 'found', documents: { revision, configDigest, ...sorted.objects() } };
  } catch (error) {
    if (error instanceof UnreadableRowsError) return refused(file, error.message);
    throw error;
  }
}

async function digestOf(lines: readonly string[]): Promise<string> {
  const hash: Hash = createHash('sha256');
  for (let from = 0; from < lines.length; from += BETWEEN_YIELDS) {
    for (const line of lines.slice(from, from + BETWEEN_YIELDS)) hash.update(`${line}\n`);
    await nextTurn();
  }
  return hash.digest('hex');
}

function parsed<T>(schema: z.ZodType<T>, line: string | undefined): T | null {
  try {
    const result = schema.safeParse(JSON.parse(line ?? ''));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

function refused(file: string, reason: string): LastGood {
  return {
    kind: 'refused',
    reason: `${file}: the last known good revision is not used, because ${reason}; it is replaced when the database answers`,
  };
}

/** The new name is only certain to last when the directory is written out, where the system can do that. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Some systems cannot: the file itself is whole in any case.
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
