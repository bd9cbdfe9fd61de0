import { distance } from 'fastest-levenshtein';

/** The known name that somebody who wrote `name` most likely meant, or null when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const plain = simplified(name);
  // Two slips are common in a long name; in a short one they make another word.
  const patience = Math.min(3, Math.max(1, Math.floor(plain.length / 3)));
  let best: string | null = null;
  let bestDistance = patience + 1;
  for (const candidate of known) {
    const apart = distance(plain, simplified(candidate));
    if (apart < bestDistance) {
      best = candidate;
      bestDistance = apart;
    }
  }
  return best;
}

function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[-\s.]/gu, '_');
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === null ? '' : `; did you mean "${nearest}"?`;
}
