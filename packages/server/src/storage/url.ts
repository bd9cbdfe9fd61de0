import type { Options } from 'postgres';
import { DatabaseError } from '../ports/database.ts';

/** Options that clients of the reference put into `DATABASE_URL` for Prisma, and that no server understands. */
const POOL_SIZE = 10;

/**
 * Reads `DATABASE_URL`. Settings of other programs in it (such as `schema` and `connection_limit` of Prisma) would be
 * sent to the server, which would refuse the connection: the known ones are translated, the others left out.
 */
export function connectionOptions(text: string): { url: string; options: Options<Record<string, never>> } {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new DatabaseError(
      'incompatible',
      'the database URL is not a URL (postgres://user@host:5432/name)',
      {
        cause,
      },
    );
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new DatabaseError(
      'incompatible',
      `a database URL begins with postgres://, not with ${url.protocol}//`,
    );
  }
  const given = url.searchParams;
  const size = Number(given.get('connection_limit'));
  const applicationName = given.get('application_name') ?? 'portcullis';
  const pooled = given.get('pgbouncer') === 'true';
  // A copy, because the names are taken out while they are gone through.
  for (const name of Array.from(given.keys())) {
    if (name !== 'sslmode' && name !== 'host') given.delete(name);
  }
  return {
    url: url.href,
    options: {
      max: Number.isInteger(size) && size > 0 ? size : POOL_SIZE,
      // A pooler between the two hands each transaction another connection, where prepared statements are unknown.
      ...(pooled ? { prepare: false } : {}),
      connection: { application_name: applicationName },
    },
  };
}
