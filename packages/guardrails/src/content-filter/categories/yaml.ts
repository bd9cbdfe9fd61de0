import type { CategorySpec, CategoryWord } from './spec.ts';

/**
 * A category as the text of a category file: the same words, ready to be changed and used with `category_file`. What a
 * file cannot say, the local model's labels, is a comment.
 */
export function categoryYaml(spec: CategorySpec): string {
  const lines = [
    `category_name: ${quoted(spec.name)}`,
    `display_name: ${quoted(spec.display_name)}`,
    `description: ${quoted(spec.description)}`,
    `default_action: ${spec.action}`,
    ...(spec.model === undefined ? [] : [`# also asks the local model for: ${spec.model.join(', ')}`]),
    ...keywords('keywords', spec.keywords),
    ...keywords('always_block_keywords', spec.always),
  ];
  if (spec.pairs.length > 0) lines.push('pairs:');
  for (const { identifiers, blocks, within } of spec.pairs) {
    lines.push('  - identifier_words:', ...identifiers.map((word) => `      - ${quoted(word)}`));
    lines.push('    block_words:', ...blocks.map((word) => `      - ${quoted(word)}`));
    if (within !== undefined) lines.push(`    within: ${within}`);
  }
  if (spec.exceptions.length > 0)
    lines.push('exceptions:', ...spec.exceptions.map((word) => `  - ${quoted(word)}`));
  return `${lines.join('\n')}\n`;
}

function keywords(key: string, words: readonly CategoryWord[]): string[] {
  if (words.length === 0) return [];
  const entries = words.map(
    ({ keyword, severity }) => `  - {keyword: ${quoted(keyword)}, severity: ${severity}}`,
  );
  return [`${key}:`, ...entries];
}

/** A JSON text is a YAML scalar, whatever it holds. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
