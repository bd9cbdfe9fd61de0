import { dirname } from 'node:path';
import { builtIns, type DetectorDefinition } from '@portcullis/guardrails';
import { parse } from 'yaml';

/**
 * The built-in detectors for a configuration file: other files that it names (`blocked_words_file`) are read from its
 * folder. `onText` is told every such text.
 */
export function detectorsFor(
  configFile: string,
  onText: (text: string) => void = () => {},
): readonly DetectorDefinition[] {
  return builtIns({
    folder: dirname(configFile),
    parseYaml: (text): unknown => {
      onText(text);
      return parseYaml(text);
    },
  });
}

/** Parses a YAML text to plain values. @throws for a malformed one. */
export function parseYaml(text: string): unknown {
  return parse(text);
}
