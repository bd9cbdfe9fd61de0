import type { DailySpend } from '../../ports/logs.ts';

const DAY_MS = 86_400_000;

/**
 * Sums by day in the reference's shape: `spend`, one member for each key hash, `users`, `models`. Days without requests at
 * the end of the range are there with zeros, as in the reference. Additive: `requests`, `total_tokens`, and `cost_known`,
 * which is false as long as a spend of 0 means "unknown".
 */
export function summaries(rows: readonly DailySpend[], lastDay: string): readonly object[] {
  const days = new Map<string, Summary>();
  for (const row of rows) {
    let day = days.get(row.day);
    if (day === undefined) {
      day = new Summary();
      days.set(row.day, day);
    }
    day.add(row);
  }
  const answers = [...days].map(([startTime, day]) => day.answer(startTime));
  const last = rows.at(-1)?.day;
  if (last === undefined) return answers;
  for (let ms = Date.parse(last) + DAY_MS; ms <= Date.parse(lastDay); ms += DAY_MS) {
    answers.push(new Summary().answer(new Date(ms).toISOString().slice(0, 10)));
  }
  return answers;
}

class Summary {
  readonly #keys = new Map<string, number>();
  readonly #users = new Map<string, number>();
  readonly #models = new Map<string, number>();
  #spend = 0;
  #requests = 0;
  #tokens = 0;
  #isKnown = true;

  add(row: DailySpend): void {
    this.#spend += row.spend;
    this.#requests += row.requests;
    this.#tokens += row.totalTokens;
    this.#isKnown &&= row.costKnown;
    for (const [sums, name] of [
      [this.#keys, row.keyHash],
      [this.#users, row.userId],
      [this.#models, row.model],
    ] as const) {
      sums.set(name ?? '', (sums.get(name ?? '') ?? 0) + row.spend);
    }
  }

  answer(startTime: string): object {
    return {
      // First, so that no key can pose as one of the other members.
      ...Object.fromEntries(this.#keys),
      startTime,
      spend: this.#spend,
      users: Object.fromEntries(this.#users),
      models: Object.fromEntries(this.#models),
      requests: this.#requests,
      total_tokens: this.#tokens,
      cost_known: this.#requests === 0 || this.#isKnown,
    };
  }
}
