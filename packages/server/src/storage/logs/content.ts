import type { LoggedRequest } from '../../ports/logs.ts';

/** A prompt or answer above this many characters of JSON is not stored. */
const MAX_CHARACTERS = 256 * 1024;
const SNIPPET_CHARACTERS = 200;

/** Prompt and answer as they are stored. */
export interface ContentRow {
  readonly request_id: string;
  readonly messages: unknown;
  readonly response: unknown;
  readonly input_snippet: string | null;
  readonly output_snippet: string | null;
  readonly withheld: string | null;
}

/** Null when storing was not asked for. */
export function contentRow(request: LoggedRequest): ContentRow | null {
  const { content } = request.details;
  if (content === null) return null;
  const kept = { request_id: request.summary.call_id, messages: null, response: null };
  const withhold = (withheld: string): ContentRow => {
    return { ...kept, input_snippet: null, output_snippet: null, withheld };
  };
  const found = withFindings(request);
  if (found.length > 0) return withhold(`matched by ${found.join(', ')}`);
  if (content.withheld !== null) return withhold(content.withheld);
  const leaves = content.answer;
  const response = tree(leaves);
  if (sizeOf(content.messages) + sizeOf(response) > MAX_CHARACTERS) return withhold('too large');
  return {
    ...kept,
    messages: content.messages,
    response,
    input_snippet: snippet(lastText(content.messages)),
    output_snippet: snippet(leaves.find(({ path }) => path.endsWith('/message/content'))?.text ?? null),
    withheld: null,
  };
}

/**
 * The guardrails that matched something which is still in the content: flagged, only logged, found by a monitored run, or
 * masked by a run whose change was thrown away. Matched values are never stored, and where they stand is not always known
 * (remote services say nothing of places), so nothing of such a request is.
 */
function withFindings({ summary, runs }: LoggedRequest): readonly string[] {
  const names = new Set<string>();
  for (const run of runs) {
    const isGone =
      run.outcome === 'masked' &&
      run.enforcement === 'enforce' &&
      run.pipeline === null &&
      (run.executed_hook === 'pre_call' || run.executed_hook === 'post_call') &&
      summary.verdicts[run.executed_hook] === 'mask' &&
      run.match_details.every((match) => match.action_taken === 'MASK');
    const hasFound = run.outcome === 'flagged' || run.outcome === 'masked' || run.match_details.length > 0;
    if (hasFound && !isGone) names.add(run.guardrail_name);
  }
  return [...names].slice(0, 10);
}

function sizeOf(value: unknown): number {
  return value === null || value === undefined ? 0 : JSON.stringify(value).length;
}

function snippet(text: string | null): string | null {
  return text === null ? null : text.slice(0, SNIPPET_CHARACTERS);
}

/** The last text of the last message. */
function lastText(messages: unknown): string | null {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : null;
  const content = isObject(last) ? last['content'] : null;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((part: unknown) =>
    isObject(part) && typeof part['text'] === 'string' ? [part['text']] : [],
  );
  return texts.at(-1) ?? null;
}

/** An answer of these leaves: the shape of the body they were taken from, without what was no leaf. */
function tree(leaves: readonly { readonly path: string; readonly text: string }[]): unknown {
  if (leaves.length === 0) return null;
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const { path, text } of leaves) {
    if (path.endsWith('~key')) continue;
    // A leaf inside a JSON text keeps its whole pointer as the last name.
    const at = path.indexOf('#');
    const names = (at < 0 ? path : path.slice(0, at)).split('/').slice(1).map(unescaped);
    if (at >= 0) names.push(path.slice(at));
    let node = root;
    for (const name of names.slice(0, -1)) {
      const next = node[name];
      if (isObject(next)) node = next;
      else node = node[name] = Object.create(null) as Record<string, unknown>;
    }
    node[names.at(-1) ?? ''] = text;
  }
  return listed(root);
}

const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~');

/** Objects whose names are 0, 1, 2, ... are lists. */
function listed(node: unknown): unknown {
  if (!isObject(node)) return node;
  const names = Object.keys(node);
  const isList = names.length > 0 && names.every((name, index) => name === String(index));
  if (isList) return names.map((name) => listed(node[name]));
  return Object.fromEntries(names.map((name) => [name, listed(node[name])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
