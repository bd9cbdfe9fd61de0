import { momentOf, PortcullisError, type UsageQuery } from '@portcullis/contract';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const MOST_DAYS = 366;

/** Days of a question, both included, and the seven before them, which a trend is measured against. */
export interface UsageRange {
  readonly fromDay: string;
  readonly toDay: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly previousFromDay: string;
  readonly previousToDay: string;
}

/**
 * The asked days; by default the last seven, today (UTC) included.
 * @throws PortcullisError `invalid_request` in the words of the reference.
 */
export function usageRange({ start_date: start, end_date: end }: UsageQuery, nowMs: number): UsageRange {
  const today = nowMs - (nowMs % DAY_MS);
  const to = end === undefined ? today : dayOf(end);
  const from = start === undefined ? to - (DEFAULT_DAYS - 1) * DAY_MS : dayOf(start);
  if (from > to) throw refused('start_date must be on or before end_date', 'start_date');
  if (to - from > MOST_DAYS * DAY_MS) {
    throw refused(`Date range too large; maximum is ${MOST_DAYS} days`, 'start_date');
  }
  return {
    fromDay: textOf(from),
    toDay: textOf(to),
    fromMs: from,
    toMs: to + DAY_MS,
    previousFromDay: textOf(from - DEFAULT_DAYS * DAY_MS),
    previousToDay: textOf(from - DAY_MS),
  };
}

function dayOf(text: string): number {
  const moment = momentOf(text);
  if (moment?.isDay === true) return moment.ms;
  throw refused('start_date and end_date must be in YYYY-MM-DD format', 'start_date');
}

function textOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function refused(message: string, param: string): PortcullisError {
  return new PortcullisError('invalid_request', message, { param });
}
