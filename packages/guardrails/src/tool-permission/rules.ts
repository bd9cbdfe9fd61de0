import { RRegex } from 'rregex';
import { ConfigProblem } from '../guardrail.ts';
import type { ToolRule } from './index.ts';
import type { SeenTool } from './tools.ts';

interface CompiledRule {
  readonly rule: ToolRule;
  readonly name: RRegex | null;
  readonly type: RRegex | null;
  readonly params: ReadonlyMap<string, RRegex>;
}

/** The decision of the first rule that fits. */
export interface Decision {
  readonly id: string;
  readonly decision: 'allow' | 'deny';
}

/** Rules, compiled. */
export class Rules {
  readonly #rules: readonly CompiledRule[];
  readonly #all: RRegex[] = [];

  /** @throws ConfigProblem for an expression that cannot be used */
  constructor(rules: readonly ToolRule[]) {
    const made = (source: string | null | undefined, path: readonly (string | number)[]) => {
      if (source == null) return null;
      const regex = compiled(source, path);
      this.#all.push(regex);
      return regex;
    };
    try {
      this.#rules = rules.map((rule, index) => {
        const params = new Map<string, RRegex>();
        for (const [place, source] of Object.entries(rule.allowed_param_patterns ?? {})) {
          const regex = made(source, ['rules', index, 'allowed_param_patterns', place]);
          if (regex !== null) params.set(place, regex);
        }
        return {
          rule,
          name: made(rule.tool_name, ['rules', index, 'tool_name']),
          type: made(rule.tool_type, ['rules', index, 'tool_type']),
          params,
        };
      });
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Null when no rule fits. A call whose arguments are not as a rule allows them is denied by that rule. */
  decide(tool: SeenTool): Decision | null {
    for (const { rule, name, type, params } of this.#rules) {
      if (name !== null && (tool.name === null || !matches(name, tool.name.text))) continue;
      if (type !== null && !matches(type, tool.type)) continue;
      if (rule.decision === 'allow' && tool.kind === 'call' && !argumentsFit(tool, params)) {
        return { id: rule.id, decision: 'deny' };
      }
      return { id: rule.id, decision: rule.decision };
    }
    return null;
  }

  free(): void {
    for (const regex of this.#all.splice(0)) regex.free();
  }
}

/** Every value at a place that has a pattern must match it; a call that leaves one out does not fit. */
function argumentsFit(tool: SeenTool, params: ReadonlyMap<string, RRegex>): boolean {
  for (const [place, pattern] of params) {
    const values = tool.args.filter((one) => one.place === place);
    if (values.length === 0 || !values.every(({ text }) => matches(pattern, text))) return false;
  }
  return true;
}

const matches = (regex: RRegex, text: string): boolean => regex.isMatch(text);

/** An expression for a whole text, in its own case, on an engine whose time is linear in the text. */
function compiled(source: string, path: readonly (string | number)[]): RRegex {
  try {
    // By itself first, so that brackets which close too early are found.
    new RRegex(source).free();
    return new RRegex(`\\A(?:${source})\\z`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigProblem(path, `the expression cannot be used: ${reason.split('\n').at(-1) ?? ''}`);
  }
}
