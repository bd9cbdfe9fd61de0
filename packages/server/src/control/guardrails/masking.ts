import type { FieldProblem } from '@portcullis/contract';
import type { FindingPath } from '@portcullis/policy';

/**
 * Secrets in answers, and what comes back of them. A secret is shown as its first characters and `****`; a client that
 * sends this back means "unchanged", so a form that was loaded and saved keeps the secret it never knew.
 */

type Params = Readonly<Record<string, unknown>>;

const SHOWN = 4;
/** Of a shorter secret the first characters would be too much of it. */
const SHORTEST_SHOWN = 8;
const STARS = '****';
const MASKED = /^.{0,4}\*{4}$/su;

/** What people see of a secret. */
function maskOf(secret: unknown): string {
  const characters = typeof secret === 'string' ? Array.from(secret) : [];
  return characters.length < SHORTEST_SHOWN ? STARS : characters.slice(0, SHOWN).join('') + STARS;
}

/** The settings with every secret masked. */
export function masked(params: Params, secrets: readonly FindingPath[]): Params {
  return secrets.reduce((shown, path) => replacedAt(shown, path, maskOf(valueAt(params, path))), params);
}

/**
 * The settings as they are meant: where a masked secret came back, the secret of `current` that it stands for. A mask
 * that stands for nothing is a problem, because it would be kept as if it were the secret.
 *
 * @param written with `secrets`, the places of its secrets
 * @param current with open secrets; null for a new guardrail
 */
export function unmasked(
  written: Params,
  secrets: readonly FindingPath[],
  current: Params | null,
): { readonly params: Params; readonly problems: readonly FieldProblem[] } {
  const problems: FieldProblem[] = [];
  let params = written;
  for (const path of secrets) {
    const value = valueAt(written, path);
    if (typeof value !== 'string' || !MASKED.test(value)) continue;
    const secret = current === null ? undefined : valueAt(current, path);
    const isMeant =
      (typeof secret === 'string' || typeof secret === 'number') &&
      (secret === value || maskOf(secret) === value);
    if (isMeant) {
      params = replacedAt(params, path, secret);
    } else {
      problems.push({
        loc: path,
        msg: 'looks masked and stands for no secret that is stored here; send the secret itself, or leave it out',
        type: 'masked_secret',
      });
    }
  }
  return { params, problems };
}

/** A text about the settings, without any of their secrets. */
export function withoutSecrets(text: string, params: Params, secrets: readonly FindingPath[]): string {
  return secrets.reduce((clean, path) => {
    const secret = String(valueAt(params, path));
    return secret === '' ? clean : clean.replaceAll(secret, STARS);
  }, text);
}

/** The places whose secrets differ, for the audit log, where both look alike. */
export function changedSecrets(
  before: Params,
  after: Params,
  secrets: readonly FindingPath[],
): readonly string[] {
  return secrets
    .filter((path) => valueAt(before, path) !== valueAt(after, path))
    .map((path) => path.join('.'));
}

function valueAt(value: unknown, path: FindingPath): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[step];
  }
  return at;
}

/** A copy with another leaf at a place that is there. */
export function replacedAt<T>(value: T, path: FindingPath, leaf: unknown): T {
  const [step, ...rest] = path;
  if (step === undefined) return leaf as T;
  const change = (key: string | number, inner: unknown): unknown =>
    String(key) === String(step) ? replacedAt(inner, rest, leaf) : inner;
  const changed = Array.isArray(value)
    ? value.map((inner: unknown, index) => change(index, inner))
    : Object.fromEntries(
        Object.entries(value as Record<string, unknown>).map(([key, inner]) => [key, change(key, inner)]),
      );
  return changed as T;
}
