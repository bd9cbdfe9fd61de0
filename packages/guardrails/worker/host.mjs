// The functions of the sandbox that are better done outside it. Each is quick for any text: expressions run on a
// linear-time engine.
import { RRegex } from 'rregex';
import { z } from 'zod';

const MAX_FOUND = 1_000;
const MAX_PATTERN = 2_000;
const URLS = /\bhttps?:\/\/[^\s<>"'`{}|\\^[\]]{1,2048}/giu;
const FENCE = /^[ \t]{0,3}(?:```|~~~)[ \t]*([A-Za-z0-9_+#.-]{0,32})/gmu;

/**
 * @typedef {(...args: [string, string, string]) => unknown} HostFunction takes texts; see the prelude
 * @param {readonly { name: string, aliases: readonly string[], signs: readonly string[] }[]} languages
 * @returns {Readonly<Record<string, HostFunction | undefined>>}
 */
export function hostFunctions(languages) {
  const byAlias = new Map(
    languages.flatMap(({ name, aliases }) => [name, ...aliases].map((one) => [one, name])),
  );
  const signs = languages.map(({ name, signs: list }) => ({
    name,
    list: list.map((one) => new RegExp(one, 'mu')),
  }));
  return {
    regex_match: (text, pattern) => withRegex(pattern, (regex) => regex.isMatch(text)),
    regex_replace: (text, pattern, replacement) =>
      withRegex(pattern, (regex) => regex.replaceAll(text, replacement)),
    regex_find_all: (text, pattern) =>
      withRegex(pattern, (regex) => {
        /** @type {{ value: string }[]} */
        const found = regex.findAll(text);
        return found.slice(0, MAX_FOUND).map(({ value }) => value);
      }),
    json_schema_valid: (value, schema) => {
      const read = /** @type {Parameters<typeof z.fromJSONSchema>[0]} */ (JSON.parse(schema));
      return z.fromJSONSchema(read).safeParse(JSON.parse(value)).success;
    },
    extract_urls: (text) => urlsIn(text),
    is_valid_url: (text) => isUrl(text),
    all_urls_valid: (text) => urlsIn(text).every(isUrl),
    detect_code_languages: (text) => {
      /** @type {Set<string>} */
      const found = new Set();
      for (const [, word = ''] of text.matchAll(FENCE)) {
        const name = byAlias.get(word.toLowerCase());
        if (name !== undefined) found.add(name);
      }
      for (const { name, list } of signs) if (list.some((sign) => sign.test(text))) found.add(name);
      return [...found].sort();
    },
  };
}

/** @param {string} text @returns {string[]} */
function urlsIn(text) {
  return [...text.matchAll(URLS)].slice(0, MAX_FOUND).map(([url]) => url.replace(/[.,;:!?)]+$/u, ''));
}

/** @param {string} text */
function isUrl(text) {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
}

/**
 * @template T
 * @param {string} pattern
 * @param {(regex: RRegex) => T} use
 * @returns {T}
 */
function withRegex(pattern, use) {
  if (pattern.length > MAX_PATTERN) throw new Error(`the expression has more than ${MAX_PATTERN} characters`);
  const regex = new RRegex(pattern);
  try {
    return use(regex);
  } finally {
    regex.free();
  }
}
