import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { DatabaseError } from '../ports/database.ts';
import type { StorageEvents } from '../ports/storage-events.ts';

/** The same place from `src` and from `dist`. */
const DIRECTORY = fileURLToPath(new URL('../../migrations', import.meta.url));
const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/u;
/** "portcullis" has no number; any constant will do that other programs are not likely to use. */
const LOCK = 7_076_171_203;
const LOCK_LIMIT = '60s';
const OLDEST_MAJOR = 15;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly digest: string;
}

/** The steps that come with this version, in order and without gaps. */
export function readMigrations(directory: string = DIRECTORY): readonly Migration[] {
  const migrations = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const match = FILE_NAME.exec(file);
      if (match === null) throw new Error(`${file} is not named like a migration`);
      const text = readFileSync(`${directory}/${file}`, 'utf8');
      const digest = createHash('sha256').update(text).digest('hex');
      return { number: Number(match[1]), name: file, text, digest };
    });
  migrations.forEach(({ number, name }, index) => {
    if (number !== index + 1) throw new Error(`${name} is out of order`);
  });
  return migrations;
}

const doneSchema = z.array(z.object({ number: z.number(), name: z.string(), digest: z.string() }));
const versionSchema = z.tuple([z.object({ major: z.number() })]);

/**
 * Brings the tables to this version: all steps or none, one process at a time. Refuses a database that a newer version
 * has changed, and one whose steps are not the ones that this version knows.
 */
export async function migrate(
  sql: Sql,
  migrations: readonly Migration[],
  onEvent: StorageEvents,
): Promise<void> {
  const fresh: string[] = [];
  await sql.begin(async (tx) => {
    const [{ major }] = versionSchema.parse(
      await tx`select current_setting('server_version_num')::int / 10000 as major`,
    );
    if (major < OLDEST_MAJOR) {
      throw new DatabaseError(
        'incompatible',
        `this is PostgreSQL ${major}; Portcullis needs ${OLDEST_MAJOR} or newer`,
      );
    }
    // Replicas that start together wait here for the first of them.
    await tx.unsafe(`set local statement_timeout = 0; set local lock_timeout = '${LOCK_LIMIT}'`);
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    await tx.unsafe(`
      create schema if not exists portcullis;
      create table if not exists portcullis.migrations (
        number integer primary key,
        name text not null,
        digest text not null,
        applied_at timestamptz not null default now()
      )`);
    const done = doneSchema.parse(
      await tx`select number, name, digest from portcullis.migrations order by number`,
    );
    for (const [index, step] of done.entries()) {
      const known = migrations[index];
      if (known === undefined) {
        throw new DatabaseError(
          'incompatible',
          `a newer version of Portcullis has changed this database (${step.name}); start that version`,
        );
      }
      if (known.digest !== step.digest) {
        throw new DatabaseError(
          'incompatible',
          `the step ${step.name} of this database is not the ${known.name} of this version`,
        );
      }
    }
    for (const step of migrations.slice(done.length)) {
      await tx.unsafe(step.text);
      await tx`insert into portcullis.migrations (number, name, digest) values (${step.number}, ${step.name}, ${step.digest})`;
      fresh.push(step.name);
    }
  });
  for (const name of fresh) onEvent({ kind: 'migrated', name });
}
