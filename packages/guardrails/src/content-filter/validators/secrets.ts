import { entropy, isPlaceholder } from './credentials.ts';
import { passIf, type Verdict } from './verdict.ts';

/** Discord: the first part is the bot's number in base 64. */
export function discordToken(text: string): Verdict {
  const id = Buffer.from(text.slice(0, text.indexOf('.')), 'base64').toString('latin1');
  return passIf(/^\d{16,20}$/.test(id));
}

/** A made-up bot token for fixtures. */
export function discordSample(seed: number): string {
  const id = String(1_100_000_000_000_000n + BigInt(seed) * 987_654_321_987n).padEnd(18, '7');
  const mixed = 'q8Zr2LmX_K5vB9nT4wC7yH1jP6sD3fG0aE-iUoRk';
  const at = seed % 7;
  return `${Buffer.from(id).toString('base64').replace(/=+$/, '')}.G${mixed.slice(at, at + 5)}.${mixed.slice(at, at + 30)}z8`;
}

/** Words that stand for a value in templates, documentation and tests. */
const STAND_IN =
  /^(?:null|none|nil|undefined|true|false|yes|no|on|off|string|str|text|number|int|bool|boolean|object|any|void|char|secret|secrets|token|tokens|key|keys|value|values|password|passwords|passwd|passphrase|pass|pwd|user|username|admin|root|test|testing|tests|tester|demo|foo|bar|baz|foobar|todo|tbd|fixme|n\/a|na|empty|required|optional|default|hidden|masked|invalid|wrong|unknown|missing|here|auto|generate|generated|random|prompt|input|ask|env|vault|local|localhost|self|this|var|let|const|function|return|await|new|not|and|the|for|with|from|your|you|my|is|are|was|at least|hunter2|letmein)$/i;

/** Parts that make a value a placeholder wherever they stand. */
const STAND_IN_PART =
  /change[-_]?(?:me|this|it)|your[-_ ]|my[-_](?:secret|password|token|key|pass)|_here\b|-here\b|insert|replace|to[-_]?be|dummy|placeholder|example|sample|fake|mock|redacted|secret[-_]?key$|not[-_]?(?:a[-_]?)?(?:secret|real|password)|notapassword|not_long_enough|xxxx|\*\*\*|•|…|\.\.\.|^[x*#.\-_=?0]+$|^<|>$|\$\{|\$\(|\{\{|%\(|^%[a-z]|^\$[A-Za-z_]|^@[a-z]|^\{[^}]*\}$|^\[[^\]]*\]$/i;

/** Code where a literal could stand: calls, members, variables, types and paths. */
const CODE =
  /^(?:[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*|\[[^\]]*\]|::[A-Za-z_]\w*|->[A-Za-z_]\w*)+[;,)]*|[A-Za-z_$][\w$.]*\(.*|[\w$.:>-]+\(.*\)?;?|!?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+(?:[A-Z][a-z]+)+|(?:process|os|env|sys|config|settings|self|this|var|local|data|module|secrets|params|props|opts|options|args|ctx|req|request|res|event|state|context|vault|System|Environment)[.[].*|(?:\.{0,2}|~|[A-Za-z]:)[\\/][\w.\\/-]*|https?:.*|arn:.*|vault:.*|secret\/.*|op:\/\/.*|ssm:.*|file:.*|![A-Za-z].*)$/;

const DIGEST = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a value beside the name of a secret is a stand-in, a reference or code, and no secret. */
export function isReference(value: string): boolean {
  return STAND_IN.test(value) || STAND_IN_PART.test(value) || isPlaceholder(value) || CODE.test(value);
}

/** How many of small letters, capitals, digits and others a text has. */
function kinds(text: string): number {
  let count = 0;
  for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/]) if (kind.test(text)) count += 1;
  return count;
}

/**
 * A value after the name of a password: six characters or more with a digit among letters or with an unusual character, as
 * people and generators make them; words, names, sentences and references are not.
 */
export function passwordValue(value: string): Verdict {
  if (value.length < 6 || value.length > 200 || /\s/.test(value) || isReference(value)) return 'fail';
  if (/^\d+(?:[.,:/-]\d+)*$/.test(value)) return 'fail';
  const letters = /[A-Za-z\u00c0-\u024f]/.test(value);
  const digits = /\d/.test(value);
  const symbols = /[^\w\s.,:;'"()/-]/.test(value);
  if (letters && digits) return passIf(!isVersionOrDate(value) && !isIdentifier(value));
  if (letters && symbols) return passIf(kinds(value) >= 2 && !/^[A-Za-z_]+[?!:]$/.test(value));
  if (!letters) return passIf(digits && symbols && value.length >= 8);
  return passIf(looksRandom(value));
}

/** A value after the name of a token or key: long, with digits among letters, and of high entropy. */
export function tokenValue(value: string): Verdict {
  const body = value.replace(/^(?:base64:|Bearer |Basic |django-insecure-)/, '');
  // A short one chosen by a person, when it is unmistakable.
  if (body.length >= 8 && body.length < 20 && /[^\w.:/-]/.test(body) && kinds(body) >= 3)
    return passwordValue(body);
  if (body.length < 12 || body.length > 4_000 || isReference(body) || isReference(value)) return 'fail';
  if (DIGEST.test(body) || UUID.test(body)) return passIf(entropy(body) >= 2.8);
  if (/^\d+$/.test(body) || isIdentifier(body) || isVersionOrDate(body)) return 'fail';
  const hex = /^[0-9a-f]+$/i.test(body);
  if (!/\d/.test(body)) return passIf(body.length >= 16 && looksRandom(body));
  return passIf(entropy(body) >= (hex ? 2.8 : body.length >= 20 ? 3.2 : 3));
}

/** Words joined to a name, with numbers at their ends at most: `user_password_v2`, `step-3-of-4`, `db-credentials-4`. */
function isIdentifier(value: string): boolean {
  if (!/^[A-Za-z0-9]+(?:[_.:/-][A-Za-z0-9]+)*$/.test(value)) return false;
  const parts = value.split(/[_.:/-]/);
  if (parts.length < 2) return /^[a-z]{3,}\d{0,1}$|^[A-Z][a-z]+\d?$/.test(value);
  const words = parts.filter(
    (part) => /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(part) || /^v?\d{1,2}$/.test(part),
  );
  // Four words and a number are how people are told to make passwords; names of things have short numbers.
  const number = /^\d{2,}$/.test(parts.at(-1) ?? '') && parts.length >= 3;
  return words.length === parts.length && !number;
}

function isVersionOrDate(value: string): boolean {
  return /^v?\d+(?:\.\d+){1,3}(?:[-+][\w.]+)?$|^\d{4}-\d{2}-\d{2}(?:[T ].*)?$|^\d+(?:px|em|rem|ms|s|m|h|d|kb|mb|gb|%)$/i.test(
    value,
  );
}

/** Pairs of letters that English, German, French and Spanish words and names hardly have. */
const RARE_PAIRS =
  /[bcdfghjklmnpqrstvwxz]{5}|q[^u\W_]|[jqxz][bcdfgjkmpqvxz]|[vwx][jqxz]|[bcdfgkmp][jqxvz]|h[xqzj]|[aeiou]{4}/gi;

/** Letters that are no words: changes of case in the middle, and pairs that languages do not have. */
function looksRandom(value: string): boolean {
  if (value.length < 8 || /\s/.test(value)) return false;
  const turns = (value.match(/[a-z][A-Z]|[A-Z]{2}[a-z]/g) ?? []).length;
  const rare = (value.match(RARE_PAIRS) ?? []).length;
  if (/^[a-z]+$|^[A-Z]+$/.test(value)) return rare >= Math.max(2, value.length / 8) && entropy(value) >= 3;
  return entropy(value) >= 3 && turns + 2 * rare >= value.length / 5;
}

/** A value that can be nothing but a password where it stands: anything but a word, a reference or a stand-in. */
export function certainPassword(value: string): Verdict {
  if (value.length < 6 || isReference(value) || /^[\d.:/-]+$/.test(value)) return 'fail';
  return passIf(/[^A-Za-z]/.test(value) || looksRandom(value));
}

/** As {@link passwordValue} for words in a sentence: a dash or a full stop between words proves nothing there. */
export function plainPassword(value: string): Verdict {
  if (
    /^(?:https?:|www\.)|^[\w.+-]+@[\w-]+\.[\w.]+$|^\d|^[A-Za-z]+-\d{1,2}$/.test(value) &&
    !/[#$%^&*!?+=~]/.test(value)
  ) {
    return passIf(/^\d/.test(value) && passwordValue(value) === 'pass' && kinds(value) >= 3);
  }
  if (/^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+)+$/.test(value)) return 'fail';
  return passwordValue(value);
}

/** Length of a value without the punctuation that ends a sentence, a clause or a bracket around it. */
export function withoutSentenceEnd(text: string): number {
  return text.replace(/[.,;:)\]}]+$/, '').length;
}

/** What follows `Basic` or `Bearer`: a name and password in base 64, or a token. */
export function basicCredentials(text: string): Verdict {
  return dockerAuth(text) === 'pass' ? 'pass' : text.length >= 16 ? tokenValue(text) : 'fail';
}

/** Base 64 of a name, a colon and a password. */
export function dockerAuth(text: string): Verdict {
  const decoded = Buffer.from(text, 'base64').toString('latin1');
  return passIf(
    /^[\x20-\x7e]{1,100}:[\x20-\x7e]{1,400}$/.test(decoded) && !/:(?:password|pass|\*+)$/.test(decoded),
  );
}

/** The secret number of a JSON Web Key. */
export function jwkPrivate(text: string): Verdict {
  return passIf(!isPlaceholder(text) && entropy(text) >= 3.2);
}

/** The private lines of a PuTTY key. */
export function puttyKey(text: string): Verdict {
  return passIf(entropy(text.replace(/\s/g, '')) >= 4);
}

/** 32 bytes in base 64. */
export function azureSignature(text: string): Verdict {
  const plain = text
    .replace(/%2[Bb]/g, '+')
    .replace(/%2[Ff]/g, '/')
    .replace(/%3[Dd]/g, '=');
  return passIf(/^[0-9A-Za-z+/]{43}=$/.test(plain) && !isPlaceholder(plain) && entropy(plain) >= 3.5);
}
