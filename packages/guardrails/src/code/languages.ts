/** A language in which code is written, by how it is named and by what it looks like. */
export interface CodeLanguage {
  readonly name: string;
  /** Other words behind the fence of a code block. */
  readonly aliases: readonly string[];
  /** Sources of expressions without nested repeats; any of them is a sign. Used with the flags `mu`. */
  readonly signs: readonly string[];
}

/** The languages that are known, in the order of their names. */
export const LANGUAGES: readonly CodeLanguage[] = [
  {
    name: 'bash',
    aliases: ['sh', 'shell', 'zsh', 'console', 'shellscript'],
    signs: ['^#!/(?:usr/)?bin/(?:env )?(?:ba|z)?sh\\b'],
  },
  { name: 'c', aliases: ['h'], signs: ['^#include <[a-z/]{1,40}\\.h>'] },
  {
    name: 'cpp',
    aliases: ['c++', 'cc', 'cxx', 'hpp'],
    signs: ['^#include <(?:iostream|vector|string|map|memory)>', '\\bstd::[a-z_]{2,30}\\b'],
  },
  {
    name: 'csharp',
    aliases: ['c#', 'cs'],
    signs: ['^using System(?:\\.[A-Za-z]{1,40})?;', '\\bConsole\\.Write(?:Line)?\\('],
  },
  {
    name: 'go',
    aliases: ['golang'],
    signs: ['^package [a-z]{1,30}$', '^func (?:\\([^)\\n]{1,60}\\) )?[A-Za-z_]{1,60}\\('],
  },
  {
    name: 'java',
    aliases: [],
    signs: [
      '\\bpublic (?:static )?(?:final )?(?:class|void|interface) [A-Za-z_]{1,60}',
      '\\bSystem\\.out\\.print',
    ],
  },
  {
    name: 'javascript',
    aliases: ['js', 'jsx', 'node', 'nodejs', 'mjs', 'cjs'],
    signs: [
      '\\bconsole\\.log\\(',
      '^(?:const|let) [\\w$]{1,60} = ',
      '\\brequire\\([\'"][\\w./@-]{1,80}[\'"]\\)',
      '^(?:async )?function [\\w$]{1,60}\\(',
    ],
  },
  { name: 'kotlin', aliases: ['kt', 'kts'], signs: ['^fun [A-Za-z_]{1,60}\\('] },
  { name: 'perl', aliases: ['pl'], signs: ['^use strict;', '^my [$@%][a-z_]{1,40} ='] },
  { name: 'php', aliases: ['php3', 'php4', 'php5'], signs: ['<\\?php\\b'] },
  {
    name: 'powershell',
    aliases: ['ps1', 'pwsh', 'ps'],
    signs: ['\\b(?:Get|Set|New|Invoke|Remove)-[A-Z][A-Za-z]{2,40} -[A-Z]'],
  },
  {
    name: 'python',
    aliases: ['py', 'python3', 'python2', 'py3'],
    signs: [
      '^def [a-z_]\\w{0,60}\\([^)\\n]{0,120}\\)(?: ?-> ?[^:\\n]{1,60})?:',
      '^(?:from [\\w.]{1,80} )?import [a-z_][\\w.]{0,60}(?: as \\w{1,40})?$',
      '^if __name__ == [\'"]__main__[\'"]:',
      '^ {0,12}print\\([^\\n]{0,200}\\)$',
    ],
  },
  {
    name: 'r',
    aliases: ['rlang', 'rscript'],
    signs: ['^library\\([a-zA-Z.]{1,40}\\)', '^[a-z._]{1,40} <- '],
  },
  {
    name: 'ruby',
    aliases: ['rb'],
    signs: ['^require [\'"][\\w/]{1,60}[\'"]$', '^def [a-z_?!]{1,60}$', '^puts '],
  },
  { name: 'rust', aliases: ['rs'], signs: ['^(?:pub )?fn [a-z_]{1,60}\\(', '\\bprintln!\\('] },
  { name: 'scala', aliases: ['sc'], signs: ['^object [A-Z]\\w{0,60} extends App'] },
  {
    name: 'sql',
    aliases: ['mysql', 'postgresql', 'postgres', 'plsql', 'tsql', 'sqlite'],
    signs: [
      '^(?:SELECT|select) [^;\\n]{1,200} (?:FROM|from) \\w',
      '^(?:INSERT INTO|insert into|DELETE FROM|delete from|DROP TABLE|drop table|CREATE TABLE|create table) ',
    ],
  },
  { name: 'swift', aliases: [], signs: ['^import (?:Foundation|UIKit|SwiftUI)$'] },
  {
    name: 'typescript',
    aliases: ['ts', 'tsx'],
    signs: ['^(?:export )?interface [A-Z]\\w{0,60} \\{', '^(?:export )?type [A-Z]\\w{0,60} ='],
  },
];

const BY_WORD: ReadonlyMap<string, string> = new Map(
  LANGUAGES.flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [word, name] as const)),
);

/** The language that a word behind a fence means; null for one that is not known. */
export function languageOf(word: string): string | null {
  return BY_WORD.get(word.toLowerCase()) ?? null;
}
