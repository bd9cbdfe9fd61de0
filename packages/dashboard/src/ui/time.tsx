const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** How long ago, with the exact moment on hover. */
export function Ago({ at, none = '–' }: { readonly at: string | null; readonly none?: string }) {
  if (at === null) return <span className="muted">{none}</span>;
  const seconds = (Date.parse(at) - Date.now()) / 1_000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return (
    <time dateTime={at} title={absolute.format(new Date(at))} className="nowrap">
      {Math.abs(seconds) < 45 ? 'just now' : relative.format(Math.round(seconds / size), unit)}
    </time>
  );
}

const count = new Intl.NumberFormat('en');

/** A count as people write it. */
export function formatCount(value: number): string {
  return count.format(value);
}

/** A share between 0 and 1 as percent; never "0 %" for something. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
}
