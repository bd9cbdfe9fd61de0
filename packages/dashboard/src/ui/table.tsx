import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';
import { formatCount } from './time.tsx';
import { useSearchState } from './search-state.ts';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** What it is sorted by; without it the column cannot be. */
  readonly sort?: (row: Row) => string | number;
  readonly numeric?: boolean;
  /** The name of the row: on narrow screens it is the head of the card. */
  readonly main?: boolean;
  readonly actions?: boolean;
}

interface TableProps<Row> {
  /** What the table is of, for those who cannot see it. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  /** Sorted by this column at first; `-` in front for descending. */
  readonly initialSort?: string;
  readonly pageSize?: number;
  /** In front of the names of the address' parameters, where a page has more than one table. */
  readonly prefix?: string;
}

const PAGE_SIZE = 25;

/** A table whose sorting and page are part of the address. */
export function Table<Row>({
  label,
  rows,
  columns,
  rowKey,
  initialSort = '',
  pageSize = PAGE_SIZE,
  prefix = '',
}: TableProps<Row>) {
  const [search, setSearch] = useSearchState();
  const sort = search[`${prefix}sort`] ?? initialSort;
  const isDescending = sort.startsWith('-');
  const sortId = isDescending ? sort.slice(1) : sort;
  const by = columns.find(({ id }) => id === sortId)?.sort;
  const sorted =
    by === undefined ? rows : rows.toSorted((a, b) => compared(by(a), by(b)) * (isDescending ? -1 : 1));
  const pages = Math.max(1, Math.ceil(sorted.length / pageSize));
  const page = Math.min(Math.max(1, Number(search[`${prefix}page`] ?? 1) || 1), pages);
  const shown = sorted.slice((page - 1) * pageSize, page * pageSize);
  const go = (to: number) => setSearch({ [`${prefix}page`]: to === 1 ? undefined : String(to) });
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <div className="table-wrap" tabIndex={0} role="region" aria-label={label}>
        <table className="table table-cards">
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.id}
                  scope="col"
                  className={column.numeric === true ? 'numeric' : undefined}
                  aria-sort={
                    column.id === sortId && by !== undefined
                      ? isDescending
                        ? 'descending'
                        : 'ascending'
                      : undefined
                  }
                >
                  {column.sort === undefined ? (
                    <span className={column.actions === true ? 'sr-only' : undefined}>{column.header}</span>
                  ) : (
                    <button
                      type="button"
                      onClick={() =>
                        setSearch({
                          [`${prefix}sort`]:
                            column.id === sortId && !isDescending ? `-${column.id}` : column.id,
                          [`${prefix}page`]: undefined,
                        })
                      }
                    >
                      {column.header}
                      <Icon name={column.id !== sortId ? 'sort' : isDescending ? 'down' : 'up'} />
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column) => (
                  <td
                    key={column.id}
                    data-label={column.header}
                    className={
                      column.main === true
                        ? 'cell-main'
                        : column.actions === true
                          ? 'cell-actions'
                          : column.numeric === true
                            ? 'numeric'
                            : undefined
                    }
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > pageSize ? (
        <div className="pager">
          <span>
            {formatCount((page - 1) * pageSize + 1)}–{formatCount(Math.min(page * pageSize, sorted.length))}{' '}
            of {formatCount(sorted.length)}
          </span>
          <Button small icon="left" disabled={page === 1} onClick={() => go(page - 1)}>
            Previous
          </Button>
          <Button small disabled={page === pages} onClick={() => go(page + 1)}>
            Next <Icon name="right" />
          </Button>
        </div>
      ) : null}
    </>
  );
}

function compared(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
