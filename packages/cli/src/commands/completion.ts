import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command by the words that lead to it, and what may follow. */
interface Place {
  readonly words: string;
  readonly commands: readonly string[];
  readonly options: readonly string[];
  /** Whether a file may follow. */
  readonly takesFile: boolean;
}

/**
 * A script that completes the commands and options of `program`. It holds them as they are now and starts nothing, so
 * completing is quick.
 */
export function completionScript(program: Command, shell: Shell): string {
  const cases = placesOf(program, '').map(
    ({ words, commands, options, takesFile }) =>
      `    '${words}') words='${[...commands, ...options].join(' ')}'; files=${takesFile ? 1 : 0} ;;`,
  );
  const start = shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : [];
  return [
    ...(shell === 'zsh' ? ['#compdef portcullis'] : []),
    `# ${shell} completion of portcullis: source it, or write it where the shell looks for completions.`,
    ...start,
    '_portcullis() {',
    "  local current=${COMP_WORDS[COMP_CWORD]} place='' words='' files=0 index word",
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    word=${COMP_WORDS[index]}',
    '    case "$place $word" in',
    ...placesOf(program, '')
      .filter(({ words }) => words !== '')
      .map(({ words }) => {
        const parts = words.split(' ');
        return `      '${parts.slice(0, -1).join(' ')} ${parts.at(-1)}') place='${words}' ;;`;
      }),
    '    esac',
    '  done',
    '  case "$place" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "  local IFS=$'\\n'",
    '  if [[ $files == 1 && $current != -* ]]; then',
    '    COMPREPLY+=($(compgen -f -- "$current"))',
    '  fi',
    '}',
    'complete -o filenames -F _portcullis portcullis',
  ].join('\n');
}

function placesOf(command: Command, words: string): readonly Place[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  const options = command.createHelp().visibleOptions(command);
  return [
    {
      words,
      commands: children.map((child) => child.name()),
      options: options.flatMap(({ long }) => (long === null || long === undefined ? [] : [long])),
      takesFile: command.registeredArguments.some((argument) => /file|config/u.test(argument.name())),
    },
    ...children.flatMap((child) => placesOf(child, `${words} ${child.name()}`.trim())),
  ];
}
