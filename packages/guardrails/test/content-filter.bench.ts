/**
 * Speed of the content filter: whole texts with few and with all patterns, and a stream in small pieces. Needs a Node that
 * strips types: `node --conditions=portcullis-source packages/guardrails/test/content-filter.bench.ts` (22.18 or newer).
 */
import process from 'node:process';
import { PATTERNS } from '../src/content-filter/patterns/index.ts';
import { filter, subject } from './content-filter.ts';

const PROSE =
  'The quarterly review went well and the team agreed on the next steps for the migration. We will move the remaining ' +
  'services in 3 waves, starting with the reporting jobs, and keep the old cluster for two more weeks in case something ' +
  'breaks. Please read the notes before Monday, and add questions at the end of the page so that nobody has to ask twice. ';
const texts: Readonly<Record<string, string>> = {
  '1 KB clean': PROSE.repeat(4).slice(0, 1024),
  '4 KB clean': PROSE.repeat(14).slice(0, 4096),
  '64 KB clean': PROSE.repeat(220).slice(0, 65_536),
  '4 KB, a value per KB': `${PROSE.repeat(3)}mail jane.doe@example.org, card 4111 1111 1111 1111. `
    .repeat(4)
    .slice(0, 4096),
  '4 KB JSON with numbers': JSON.stringify(
    Array.from({ length: 80 }, (_, i) => ({ id: i * 7919, at: '2026-01-02T03:04:05Z', n: i / 7 })),
  ).slice(0, 4096),
  '4 KB non-ASCII': 'Größe und Qualität sind „gut“ – ½ Preis für alle Gäste… '.repeat(80).slice(0, 4096),
};
const ten = [
  'us_ssn',
  'us_phone',
  'email',
  'credit_card',
  'iban',
  'aws_access_key',
  'github_token',
  'ipv4',
  'url',
  'generic_api_key',
];
const words = Array.from({ length: 20 }, (_, i) => ({ keyword: `codename${i}`, action: 'BLOCK' }));
const mask = (names: readonly string[]) =>
  names.map((name) => ({ pattern_type: 'prebuilt', pattern_name: name, action: 'MASK' }));
const filters = {
  '10 patterns, 20 words': filter({ patterns: mask(ten), blocked_words: words }),
  [`all ${PATTERNS.length} patterns, 20 words`]: filter({
    patterns: mask(PATTERNS.map((p) => p.name)),
    blocked_words: words,
  }),
};

const print = (line: string) => process.stdout.write(`${line}\n`);
const signal = new AbortController().signal;
for (const [name, detector] of Object.entries(filters)) {
  print(name);
  for (const [label, text] of Object.entries(texts)) {
    const one = subject([text]);
    const rounds = Math.ceil(30_000_000 / text.length / 4);
    for (let i = 0; i < rounds / 4; i++) void detector.inspect(one, signal);
    const start = performance.now();
    for (let i = 0; i < rounds; i++) void detector.inspect(one, signal);
    const each = (performance.now() - start) / rounds;
    print(
      `  ${label.padEnd(24)} ${(each * 1000).toFixed(1).padStart(8)} us ${(text.length / each / 1000).toFixed(0).padStart(6)} MB/s`,
    );
  }
  const text = texts['64 KB clean'] ?? '';
  const start = performance.now();
  const scanner = detector.openChannel?.('assistant', 'assistant');
  let pushes = 0;
  for (let at = 0; at < text.length; at += 4, pushes++) scanner?.push(text.slice(at, at + 4), false);
  print(
    `  stream in pieces of 4    ${(((performance.now() - start) / pushes) * 1000).toFixed(2).padStart(8)} us a piece`,
  );
}
