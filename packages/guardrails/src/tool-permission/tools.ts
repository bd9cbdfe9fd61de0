import type { Segment } from '@portcullis/policy';

/** A tool that is offered to a model, or a call of one, as the leaves of a request or answer tell it. */
export interface SeenTool {
  readonly kind: 'offer' | 'call';
  /** JSON pointer of the definition or call. */
  readonly at: string;
  /** Null when no leaf tells it. */
  readonly name: Leaf | null;
  /** `function`, `custom`, or the type of a tool that the provider runs itself. */
  readonly type: string;
  readonly description: Leaf | null;
  /** Leaves of the arguments of a call: the place in them, as `items[].name`, with its text. */
  readonly args: readonly { readonly place: string; readonly text: string }[];
}

interface Leaf {
  readonly segment: number;
  readonly text: string;
}

interface Growing {
  kind: SeenTool['kind'];
  at: string;
  name: Leaf | null;
  type: string | null;
  description: Leaf | null;
  args: { place: string; text: string }[];
}

/** One tool of a list of definitions, in every dialect: `/tools/0`, `/functions/0`. */
const OFFER = /^(\/(?:tools|functions)\/\d+)((?:\/.*)?)$/su;
/**
 * One call: `/messages/1/tool_calls/0`, `/choices/0/message/function_call`, an item of the Responses dialect, a content
 * part of the Messages dialect.
 */
const CALL =
  /^(.*?\/tool_calls\/\d+|.*?\/function_call|\/(?:input|output)\/\d+|(?:\/messages\/\d+)?\/content\/\d+)((?:\/.*)?)$/su;

/** The tools among segments, in the order in which they come. */
export function toolsIn(segments: readonly Segment[]): readonly SeenTool[] {
  const seen = new Map<string, Growing>();
  for (const [segment, { kind, path, text, leaf }] of segments.entries()) {
    if (kind !== 'tool_defs' && kind !== 'tool_args') continue;
    const [, at, rest = ''] = (kind === 'tool_defs' ? OFFER : CALL).exec(path) ?? [];
    if (at === undefined) continue;
    let tool = seen.get(at);
    if (tool === undefined) {
      tool = {
        kind: kind === 'tool_defs' ? 'offer' : 'call',
        at,
        name: null,
        type: null,
        description: null,
        args: [],
      };
      seen.set(at, tool);
    }
    const [, wrapper, field = rest] = /^\/(function|custom)(\/.*)$/su.exec(rest) ?? [];
    if (wrapper !== undefined) tool.type ??= wrapper;
    if (field === '/name' && leaf === 'string') tool.name ??= { segment, text };
    else if (rest === '/type') tool.type = text;
    else if (field === '/description') tool.description ??= { segment, text };
    else if (tool.kind === 'call') {
      const place = placeOf(field);
      if (place !== null && leaf !== 'key') tool.args.push({ place, text });
    }
  }
  return [...seen.values()].map((tool) => ({ ...tool, type: tool.type ?? 'function' }));
}

/** The place of a leaf inside the arguments; null for a leaf outside them. A text that is no JSON has the place ``. */
function placeOf(field: string): string | null {
  const [, inside] = /^\/(?:arguments|input)#?((?:\/.*)?)$/su.exec(field) ?? [];
  if (inside === undefined) return null;
  let place = '';
  for (const part of inside.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/u.test(name)) place += '[]';
    else place += place === '' ? name : `.${name}`;
  }
  return place;
}
