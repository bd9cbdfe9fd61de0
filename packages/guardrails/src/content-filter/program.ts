import { foldKeyword } from '../text/view.ts';
import { Automaton } from './automaton.ts';
import { type CategorySpec, reaches } from './categories/spec.ts';
import type { IntentFacts } from './competitor-intent.ts';
import type { LinearRegex } from './linear-regex.ts';
import {
  type Action,
  CREDENTIALS,
  type DigitAnchor,
  NETWORK,
  type Nearby,
  type PatternSpec,
  type Severity,
} from './patterns/spec.ts';
import { regexExtent } from './regex-extent.ts';
import {
  type CategoryRule,
  type ContextWindow,
  GLUE,
  isGlue,
  type KeywordRule,
  type PatternRule,
  RANK,
  type RegexRule,
  type Rule,
} from './rule.ts';
import type { Term, TermRole } from './sentences.ts';

/** Keywords with more wildcards could be slow to compare. */
const KEYWORD_WILDCARDS = 8;
/** Longest keyword in UTF-16 units. */
export const KEYWORD_CHARACTERS = 500;
/** A space of a keyword matches this many white-space characters. */
const KEYWORD_SPACES = 8;

/** What to look for, as written in a configuration. */
export type RuleSource =
  | {
      readonly kind: 'pattern';
      readonly spec: PatternSpec;
      readonly action: Action;
      readonly replacement: string;
    }
  | {
      readonly kind: 'keyword';
      readonly keyword: string;
      /** What to look for instead, when the keyword is only its name. */
      readonly spelled?: string;
      readonly description: string | null;
      readonly action: Action;
      readonly replacement: string;
    }
  | {
      readonly kind: 'regex';
      readonly name: string;
      readonly regex: LinearRegex;
      readonly action: Action;
      readonly replacement: string;
    }
  | {
      readonly kind: 'category';
      readonly spec: CategorySpec;
      /** Lowest severity of a word that counts. */
      readonly threshold: Severity;
      readonly intent?: IntentFacts;
      readonly action: Action;
      readonly replacement: string;
    };

/** What ends at a literal: a rule whose match may begin there, a word of a context set, or a word of a category. */
interface LiteralUses {
  readonly rules: number[];
  readonly contexts: number[];
  readonly terms: Term[];
}

/** Runs of digits longer than this are all treated alike. */
export const LONGEST_RUN = 24;
/** How far the digits after a first digit are counted before the expressions that need many of them run. */
export const DIGIT_LOOK = 48;

/** What can follow a run of digits: the classes of {@link DigitAnchor.next}, in this order; the last is everything else. */
const NEXT = ' -./a*';
export const NEXT_CLASSES = NEXT.length;

/** A rule that begins at a run of digits, and how many digits it needs there at least. */
interface DigitRule {
  readonly rule: PatternRule;
  readonly minDigits: number;
}

/**
 * Rules whose match begins `lead` units before the first digit of a run, by the length of that run and what follows it
 * (`run * NEXT_CLASSES + next`), so that a number in a text meets only the expressions that can fit it. `gated` ones need a
 * word near by and are not looked at without one.
 */
export interface DigitRules {
  readonly lead: number;
  readonly free: readonly (readonly DigitRule[])[];
  readonly gated: readonly (readonly DigitRule[])[];
}

/** Severity of what the administrator wrote: there is nothing to judge it by. */
const CUSTOM_SEVERITY: Severity = 'medium';

/** A keyword that cannot be used, with the reason. */
export class KeywordProblem extends Error {
  override readonly name = 'KeywordProblem';
  /** Index of the source. */
  readonly index: number;
  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

/**
 * The rules of one guardrail, compiled: one automaton over all literals, keywords and context words, and what to do at each
 * hit. Immutable, shared by any number of scans.
 */
export class Program {
  readonly rules: readonly Rule[];
  readonly automaton: Automaton;
  readonly uses: readonly LiteralUses[];
  /** Rules that begin at, or some units before, the first digit of a run. */
  readonly digitRules: readonly DigitRules[];
  /** Rules that begin with letters before the first digit, by their number. */
  readonly letterRules: readonly (DigitRules | null)[];
  /** Whether any rule begins at digits. */
  readonly numbers: boolean;
  /** For each ASCII character whether nothing can begin at it. */
  readonly idle: Uint8Array;
  /** Whether anything begins at literals or digits at all. */
  readonly anchored: boolean;
  /** How far after a first digit, and after words before it, the decisions of these rules look. */
  readonly digitReach: number;
  readonly digitBefore: number;
  readonly backRules: readonly PatternRule[];
  readonly customRules: readonly RegexRule[];
  /** Categories that ask the local model. */
  readonly modelRules: readonly CategoryRule[];
  readonly contextSets: number;
  /** Whether literal `l` is a word of context set `s`, at `l * contextSets + s`. */
  readonly contextMembers: Uint8Array;
  readonly maxLead: number;
  /** How many units before the earliest undecided position a decision can need. */
  readonly retain: number;
  /** Whether every rule has a longest match, so that a stream can be scanned piece by piece. */
  readonly bounded: boolean;
  /** Everything that is looked for: patterns, blocked words, and the words of categories. */
  readonly checks: number;

  /**
   * @throws KeywordProblem (with the index of the source) or RangeError for what cannot be compiled.
   */
  constructor(sources: readonly RuleSource[]) {
    const literals = new LiteralTable();
    const digitRules: PlacedDigitRule[] = [];
    this.rules = sources.map((source, id) => {
      switch (source.kind) {
        case 'pattern': {
          const rule = compilePattern(id, source, literals);
          if (source.spec.anchor.kind === 'digit') {
            const { leads = [0], letters = false } = source.spec.anchor;
            const minDigits = source.spec.minDigits ?? 0;
            for (const lead of leads) {
              digitRules.push({ rule, lead, letters, anchor: source.spec.anchor, minDigits });
            }
          }
          return rule;
        }
        case 'keyword':
          return compileKeyword(id, source, literals);
        case 'regex':
          return compileRegex(id, source);
        case 'category':
          return compileCategory(id, source, literals);
      }
    });
    this.checks = this.rules.filter((rule) => rule.kind !== 'category').length + literals.findings;
    this.automaton = new Automaton(literals.texts);
    this.uses = literals.uses;
    this.contextSets = literals.sets;
    this.digitRules = indexDigitRules(digitRules.filter((entry) => !entry.letters || entry.lead === 0));
    const letters = indexDigitRules(digitRules.filter((entry) => entry.letters && entry.lead > 0));
    this.letterRules = Array.from(
      { length: (letters[0]?.lead ?? 0) + 1 },
      (_, lead) => letters.find((rules) => rules.lead === lead) ?? null,
    );
    this.numbers = digitRules.length > 0;
    this.idle = this.automaton.idleCharacters();
    if (this.numbers) this.idle.fill(0, 48, 58);
    this.anchored = this.numbers || literals.texts.length > 0;
    this.digitReach = digitRules.reduce(
      (most, { rule }) => Math.max(most, rule.max + rule.after),
      DIGIT_LOOK + 1,
    );
    this.digitBefore = digitRules.reduce((most, { rule }) => Math.max(most, rule.before), 0);
    this.contextMembers = new Uint8Array(this.uses.length * this.contextSets);
    this.uses.forEach((use, literal) => {
      for (const set of use.contexts) this.contextMembers[literal * this.contextSets + set] = 1;
    });
    this.backRules = this.rules
      .filter((rule) => rule.kind === 'pattern')
      .filter((rule) => rule.back !== null);
    this.customRules = this.rules.filter((rule) => rule.kind === 'regex');
    this.modelRules = this.rules
      .filter((rule) => rule.kind === 'category')
      .filter((rule) => rule.labels.length > 0);
    this.maxLead = digitRules.reduce((most, entry) => Math.max(most, entry.lead), 0);
    this.bounded = this.rules.every((rule) => rule.max < Infinity);
    const reach = this.rules.map(
      (rule) => rule.before + (rule.kind === 'pattern' ? (rule.back?.max ?? 0) : 0),
    );
    this.retain = this.automaton.longest + 8 + reach.reduce((most, one) => Math.max(most, one), 0);
  }
}

interface PlacedDigitRule extends DigitRule {
  readonly lead: number;
  readonly letters: boolean;
  readonly anchor: DigitAnchor;
}

/** Sorts rules of digits by lead, length of the first run and what follows it, those that need few digits first. */
function indexDigitRules(entries: readonly PlacedDigitRule[]): DigitRules[] {
  const byLead = new Map<number, { lead: number; free: DigitRule[][]; gated: DigitRule[][] }>();
  const cells = () => Array.from({ length: (LONGEST_RUN + 1) * NEXT_CLASSES }, (): DigitRule[] => []);
  for (const { rule, minDigits, lead, anchor } of [...entries].sort(
    (a, b) => a.minDigits - b.minDigits || a.rule.id - b.rule.id,
  )) {
    let rules = byLead.get(lead);
    if (rules === undefined) {
      rules = { lead, free: cells(), gated: cells() };
      byLead.set(lead, rules);
    }
    const table = rule.context?.always === true ? rules.gated : rules.free;
    const runs =
      anchor.runs === undefined ? null : new Set(anchor.runs.map((run) => Math.min(run, LONGEST_RUN)));
    for (let run = 1; run <= LONGEST_RUN; run++) {
      if (runs !== null && !runs.has(run)) continue;
      for (let next = 0; next < NEXT_CLASSES; next++) {
        if (anchor.next === undefined || anchor.next.includes(NEXT.charAt(next)))
          table[run * NEXT_CLASSES + next]?.push({ rule, minDigits });
      }
    }
  }
  // What begins earlier is tried first: the plus of a number belongs to it.
  return [...byLead.values()].sort((a, b) => b.lead - a.lead);
}

/** The class of the character after a run of digits, see {@link NEXT}. */
export function nextClass(code: number): number {
  if (code === 32) return 0;
  if (code >= 45 && code <= 47) return code - 44;
  return (code | 32) >= 97 && (code | 32) <= 122 ? 4 : 5;
}

/** Collects the literals of all rules, each once, with everything that wants to know of it. */
class LiteralTable {
  readonly texts: string[] = [];
  readonly uses: LiteralUses[] = [];
  sets = 0;
  /** Pairs of words, and words of categories that can be a finding, counted. */
  pairs = 0;
  findings = 0;
  private readonly ids = new Map<string, number>();
  private readonly setIds = new Map<string, number>();

  anchor(text: string, rule: number): void {
    this.use(text).rules.push(rule);
  }

  context(words: readonly string[]): number {
    const key = words.join('\n');
    const known = this.setIds.get(key);
    if (known !== undefined) return known;
    const set = this.sets;
    this.sets += 1;
    this.setIds.set(key, set);
    for (const word of new Set(words.flatMap(spellings))) this.use(word).contexts.push(set);
    return set;
  }

  term(text: string, term: Term): void {
    this.use(text).terms.push(term);
  }

  private use(text: string): LiteralUses {
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.texts.length;
      this.ids.set(text, id);
      this.texts.push(text);
      this.uses.push({ rules: [], contexts: [], terms: [] });
    }
    return this.uses[id] as LiteralUses;
  }
}

/**
 * A context word as people write it, and as keys of data do: `bank account`, `bank_account`, `bank-account`, `bankAccount`;
 * Latin letters also without their accents.
 */
function spellings(word: string): string[] {
  const folded = foldKeyword(word);
  const plain = !/[^ -\u024f]/.test(folded) ? folded.normalize('NFD').replace(/\p{M}+/gu, '') : folded;
  return [folded, plain].flatMap((text) =>
    /^[a-z0-9]+(?: [a-z0-9]+)+$/.test(text)
      ? [' ', '_', '-', ''].map((joint) => text.replaceAll(' ', joint))
      : [text],
  );
}

function compilePattern(
  id: number,
  source: Extract<RuleSource, { kind: 'pattern' }>,
  literals: LiteralTable,
): PatternRule {
  const { spec } = source;
  const boundary = spec.boundary ?? 'both';
  let max = 0;
  let before = 1;
  let after = 1;
  const regexes = spec.regex.map((text) => {
    const whole = boundary === 'both' ? `(?:${text})(?![${GLUE}])` : text;
    const extent = regexExtent(whole);
    max = Math.max(max, extent.max);
    before = Math.max(before, extent.before);
    after = Math.max(after, extent.after);
    const grouped = /\((?!\?)/.test(text.replace(/\\[^]|\[[^\]]*\]/g, ''));
    return {
      regex: new RegExp(whole, `y${spec.ignoreCase === true ? 'i' : ''}${grouped ? 'd' : ''}`),
      grouped,
    };
  });
  const context = spec.context === undefined ? null : windowOf(spec.context, literals);
  const avoid = spec.avoid === undefined ? null : windowOf(spec.avoid, literals);
  for (const near of [spec.context, spec.avoid]) {
    if (near === undefined) continue;
    before = Math.max(before, near.before + 1);
    after = Math.max(after, near.after + 1);
  }
  if (spec.anchor.kind === 'literal') for (const text of spec.anchor.literals) literals.anchor(text, id);
  return {
    kind: 'pattern',
    id,
    name: spec.name,
    action: source.action,
    severity: spec.severity,
    group: spec.group,
    replacement: source.replacement,
    max,
    before,
    after,
    rank:
      spec.group === CREDENTIALS ? RANK.credential : spec.group === NETWORK ? RANK.network : RANK.identifier,
    regexes,
    edge: boundary !== 'none',
    readThrough: spec.readThrough === true,
    back: spec.anchor.kind === 'literal' ? (spec.anchor.back ?? null) : null,
    validate: spec.validate ?? null,
    trim: spec.trim ?? null,
    context: context === null ? null : { ...context, always: spec.context?.needed === 'always' },
    avoid,
  };
}

function windowOf(near: Nearby, literals: LiteralTable): ContextWindow {
  return { set: literals.context(near.words), before: near.before, after: near.after };
}

/**
 * Compiles a keyword. Case does not matter. Letters or digits glued to it prevent a match, so "ass" is not found in
 * "assistant". A space matches any white space. `*` is one optional arbitrary character, as in the reference; at an end of
 * the keyword it allows a glued letter there.
 */
function compileKeyword(
  id: number,
  source: Extract<RuleSource, { kind: 'keyword' }>,
  literals: LiteralTable,
): KeywordRule {
  const folded = foldKeyword(source.spelled ?? source.keyword)
    .trim()
    .replace(/\s+/g, ' ');
  const core = folded.replace(/^[* ]+|[* ]+$/g, '');
  if (core === '') throw new KeywordProblem(id, 'a keyword needs at least one visible character besides "*"');
  if (core.length > KEYWORD_CHARACTERS)
    throw new KeywordProblem(id, `a keyword has at most ${KEYWORD_CHARACTERS} characters`);
  const stars = core.split('*').length - 1;
  if (stars > KEYWORD_WILDCARDS)
    throw new KeywordProblem(id, `a keyword has at most ${KEYWORD_WILDCARDS} "*"`);
  const fixed = !/[* ]/.test(core);
  literals.anchor(/^[^* ]+/.exec(core)?.[0] ?? core, id);
  const spaces = core.split(' ').length - 1;
  return {
    kind: 'keyword',
    id,
    name: source.keyword,
    description: source.description,
    text: folded,
    action: source.action,
    severity: CUSTOM_SEVERITY,
    group: null,
    replacement: source.replacement,
    max: core.length + spaces * (KEYWORD_SPACES - 1),
    before: 1,
    after: 1,
    length: core.length,
    regex: fixed ? null : new RegExp(keywordExpression(core), 'yi'),
    edgeStart: !folded.startsWith('*') && isGlue(core.charCodeAt(0)),
    edgeEnd: !folded.endsWith('*') && isGlue(core.charCodeAt(core.length - 1)),
  };
}

function keywordExpression(core: string): string {
  const escaped = core.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&');
  return escaped.replace(/ /g, `\\s{1,${KEYWORD_SPACES}}`).replace(/\*/g, '[^]?');
}

function compileRegex(id: number, source: Extract<RuleSource, { kind: 'regex' }>): RegexRule {
  return {
    kind: 'regex',
    id,
    name: source.name,
    action: source.action,
    severity: CUSTOM_SEVERITY,
    group: null,
    replacement: source.replacement,
    max: source.regex.max,
    before: source.regex.before,
    after: source.regex.after,
    regex: source.regex,
  };
}

/**
 * Compiles a category: its words become literals of the automaton, and what they mean is decided sentence by sentence.
 * White space in a phrase stands for one white space.
 */
function compileCategory(
  id: number,
  source: Extract<RuleSource, { kind: 'category' }>,
  literals: LiteralTable,
): CategoryRule {
  const { spec, threshold } = source;
  const rule: CategoryRule = {
    kind: 'category',
    id,
    name: spec.name,
    action: source.action,
    severity: 'high',
    group: spec.name,
    threshold,
    labels: spec.model ?? [],
    score: null,
    intent: source.intent ?? null,
    replacement: source.replacement,
    max: KEYWORD_CHARACTERS,
    before: 1,
    after: 1,
  };
  const add = (role: TermRole, word: string, severity: Severity, pair = -1, within = Infinity) => {
    const folded = foldKeyword(word).trim().replace(/\s+/g, ' ');
    const core = folded.replace(/^[* ]+|[* ]+$/g, '');
    const texts = withoutStars(core);
    if (core === '' || texts === null || core.length > KEYWORD_CHARACTERS)
      throw new KeywordProblem(id, `"${word}" of the category ${spec.name} cannot be looked for`);
    if (role !== 'exception') literals.findings += 1;
    const term: Term = {
      rule,
      role,
      name: word,
      severity,
      pair,
      within,
      edgeStart: !folded.startsWith('*') && isGlue(core.charCodeAt(0)),
      edgeEnd: !folded.endsWith('*') && isGlue(core.charCodeAt(core.length - 1)),
    };
    for (const text of texts) literals.term(text, term);
  };
  for (const { keyword, severity } of spec.keywords)
    if (reaches(severity, threshold)) add('keyword', keyword, severity);
  for (const { keyword, severity } of spec.always)
    if (reaches(severity, threshold)) add('always', keyword, severity);
  for (const { identifiers, blocks, within } of spec.pairs) {
    const pair = literals.pairs;
    literals.pairs += 1;
    for (const word of identifiers) add('identifier', word, 'high', pair, within);
    for (const word of blocks) add('block', word, 'high', pair, within);
  }
  for (const word of spec.exceptions) add('exception', word, 'low');
  return rule;
}

const PRINTABLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i).toLowerCase());
const LETTERS = 'a b c d e f g h i j k l m n o p q r s t u v w x y z *'.split(' ');

/**
 * The texts that a word with `*` inside stands for: each is one optional character. The automaton knows no wildcards, so the
 * word is written out: with every printable ASCII character for one `*`, with letters and `*` itself for two. Null for more.
 */
function withoutStars(core: string): readonly string[] | null {
  const parts = core.split('*');
  if (parts.length === 1) return [core];
  if (parts.length > 3) return null;
  const fills = ['', ...(parts.length === 2 ? new Set(PRINTABLE) : LETTERS)];
  const [a = '', b = '', c] = parts;
  if (c === undefined) return fills.map((fill) => a + fill + b);
  return fills.flatMap((first) => fills.map((second) => a + first + b + second + c));
}
