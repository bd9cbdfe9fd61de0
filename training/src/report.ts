import { FALSE_POSITIVE_RATES, LABELS } from '@portcullis/guardrails';
import { isNearMiss, isOrdinary, type Scored } from './calibrate.ts';

/** Writes what cross-validation found, as Markdown tables. */
export function report(scored: readonly Scored[], thresholds: readonly (readonly number[])[]): string {
  const lines: string[] = [];
  const real = scored.filter(({ example }) => !example.generated);
  lines.push(
    '| label | positives | AUC | threshold at 1 % | found | threshold at 0.1 % | found |',
    '|---|---|---|---|---|---|---|',
  );
  LABELS.forEach((label, l) => {
    const yes = real.filter(({ example }) => example.truth[l] === 1).map(({ scores }) => scores[l] as number);
    const no = real.filter(({ example }) => example.truth[l] === 0).map(({ scores }) => scores[l] as number);
    const cells = FALSE_POSITIVE_RATES.map((_rate, r) => {
      const limit = thresholds[l]?.[r] ?? 1;
      return `${limit.toFixed(3)} | ${percent(yes.filter((score) => score >= limit).length, yes.length)}`;
    });
    lines.push(`| ${label} | ${yes.length} | ${auc(yes, no).toFixed(3)} | ${cells.join(' | ')} |`);
  });
  const content = real.filter(({ example }) =>
    /^(tweets|emoji|identity|implicit|harmful|categories)/.test(example.source),
  );
  const highest = ({ scores }: Scored) => Math.max(...[...scores].slice(3));
  const positive = ({ example }: Scored) => example.truth.slice(3).includes(1);
  const any = auc(
    content.filter(positive).map(highest),
    content.filter((one) => !positive(one)).map(highest),
  );
  lines.push('', `Harmful content, any label, against its harmless counterparts: AUC ${any.toFixed(3)}`);
  lines.push('', '| texts | number | flagged at 1 % | flagged at 0.1 % |', '|---|---|---|---|');
  const groups = new Map<string, Scored[]>();
  for (const one of scored) groups.set(one.example.source, [...(groups.get(one.example.source) ?? []), one]);
  const row = (name: string, some: readonly Scored[]) => {
    const cells = FALSE_POSITIVE_RATES.map((_rate, r) =>
      percent(some.filter((one) => isFlagged(one, thresholds, r)).length, some.length),
    );
    lines.push(`| ${name} | ${some.length} | ${cells.join(' | ')} |`);
  };
  row('**ordinary**', real.filter(isOrdinary));
  row('**near misses**', real.filter(isNearMiss));
  for (const [name, some] of [...groups].sort(([a], [b]) => a.localeCompare(b))) row(name, some);
  return `${lines.join('\n')}\n`;
}

/** Labels of which nothing is known for a text are left out: what a system message says is no attack there. */
function isFlagged(
  { example, scores }: Scored,
  thresholds: readonly (readonly number[])[],
  rate: number,
): boolean {
  return LABELS.some(
    (_label, l) => example.truth[l] !== -1 && (scores[l] as number) >= (thresholds[l]?.[rate] ?? 1),
  );
}

const percent = (part: number, whole: number) =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;

/** The probability that a positive scores higher than a negative. */
function auc(yes: readonly number[], no: readonly number[]): number {
  const all = [...yes.map((score) => ({ score, yes: true })), ...no.map((score) => ({ score, yes: false }))];
  all.sort((a, b) => a.score - b.score);
  let rank = 0;
  let at = 0;
  while (at < all.length) {
    let end = at;
    while (end < all.length && all[end]?.score === all[at]?.score) end += 1;
    for (let i = at; i < end; i++) if (all[i]?.yes === true) rank += (at + end + 1) / 2;
    at = end;
  }
  return (rank - (yes.length * (yes.length + 1)) / 2) / Math.max(1, yes.length * no.length);
}
