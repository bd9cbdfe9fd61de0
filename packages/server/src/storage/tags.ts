import { asc, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import type { TagRecord, TagStore } from '../ports/tags.ts';
import { read } from './rows.ts';
import type { Session } from './session.ts';
import { tags } from './tables.ts';

const tagRow = z.object({
  name: z.string(),
  description: z.string().nullable(),
  models: z.array(z.string()),
  createdAt: z.date(),
  createdBy: z.string(),
  updatedAt: z.date(),
  updatedBy: z.string(),
});

/** Tags that were described, on a connection or in a transaction. */
export function tagStore(session: Session): TagStore {
  return {
    async insert(tag) {
      const made = await session.ask((queries) =>
        queries
          .insert(tags)
          .values({
            name: tag.name,
            description: tag.description,
            models: [...tag.models],
            createdAt: new Date(tag.createdAtMs),
            createdBy: tag.createdBy,
            updatedAt: new Date(tag.updatedAtMs),
            updatedBy: tag.updatedBy,
          })
          .onConflictDoNothing()
          .returning({ name: tags.name }),
      );
      return made.length > 0 ? 'inserted' : 'name_taken';
    },

    async find(names) {
      if (names.length === 0) return [];
      const rows = await session.ask((queries) =>
        queries
          .select()
          .from(tags)
          .where(inArray(tags.name, [...names]))
          .orderBy(asc(tags.name)),
      );
      return rows.map(readTagRow);
    },

    async update(name, changes) {
      const changed = await session.ask((queries) =>
        queries
          .update(tags)
          .set({
            ...(changes.description === undefined ? {} : { description: changes.description }),
            ...(changes.models === undefined ? {} : { models: [...changes.models] }),
            updatedAt: new Date(changes.updatedAtMs),
            updatedBy: changes.updatedBy,
          })
          .where(eq(tags.name, name))
          .returning({ name: tags.name }),
      );
      return changed.length > 0 ? 'updated' : 'not_found';
    },

    async delete(name) {
      const gone = await session.ask((queries) =>
        queries.delete(tags).where(eq(tags.name, name)).returning({ name: tags.name }),
      );
      return gone.length > 0 ? 'deleted' : 'not_found';
    },

    async list() {
      const rows = await session.ask((queries) => queries.select().from(tags).orderBy(asc(tags.name)));
      return rows.map(readTagRow);
    },
  };
}

function readTagRow(row: unknown): TagRecord {
  const tag = read(tagRow, row, 'tag');
  return {
    name: tag.name,
    description: tag.description,
    models: tag.models,
    createdAtMs: tag.createdAt.getTime(),
    createdBy: tag.createdBy,
    updatedAtMs: tag.updatedAt.getTime(),
    updatedBy: tag.updatedBy,
  };
}
