import { FieldsError } from '@portcullis/contract';
import { z } from 'zod';

/**
 * Lists that begin with the rows of the database and end with the objects of the configuration file. A place in such a
 * list is the last row seen, so that what is added or deleted meanwhile moves nothing to another page (D-59).
 */
const placeSchema = z.union([
  z.strictObject({ at: z.int(), id: z.string() }),
  z.strictObject({ config: z.int().min(0) }),
]);
type Place = z.infer<typeof placeSchema>;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** What to send as `after` for the rows that follow; null at the end. */
  readonly next: string | null;
}

/** @param after the place that an earlier page gave; a text of other origin is refused. */
export async function pageOf<Stored, Row>(
  { limit, after }: { readonly limit?: number | undefined; readonly after?: string | undefined },
  sources: {
    readonly stored: (
      limit: number | undefined,
      after: { createdAtMs: number; id: string } | undefined,
    ) => Promise<readonly Stored[]>;
    readonly placeOf: (stored: Stored) => { readonly createdAtMs: number; readonly id: string };
    readonly storedRow: (stored: Stored) => Row;
    readonly configRows: readonly Row[];
  },
): Promise<Page<Row>> {
  const place = after === undefined ? null : readPlace(after);
  const configStart = place !== null && 'config' in place ? place.config : 0;
  const fromStore =
    place !== null && 'config' in place
      ? []
      : await sources.stored(limit, place === null ? undefined : { createdAtMs: place.at, id: place.id });
  const room = limit === undefined ? undefined : limit - fromStore.length;
  const fromConfig = sources.configRows.slice(
    configStart,
    room === undefined ? undefined : configStart + room,
  );
  const configEnd = configStart + fromConfig.length;
  const last = fromStore.at(-1);
  const isFull = room === 0 && last !== undefined && fromConfig.length === 0;
  let next: Place | null = null;
  if (isFull) {
    const { createdAtMs, id } = sources.placeOf(last);
    next = { at: createdAtMs, id };
  } else if (configEnd < sources.configRows.length) next = { config: configEnd };
  return {
    rows: [...fromStore.map(sources.storedRow), ...fromConfig],
    next: next === null ? null : Buffer.from(JSON.stringify(next)).toString('base64url'),
  };
}

function readPlace(text: string): Place {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch {
    throw new FieldsError([
      {
        loc: ['query', 'after'],
        msg: 'is no place in this list: send "next" of the page before',
        type: 'value',
      },
    ]);
  }
}
