import { type Example, type Truth, truth } from '../examples.ts';
import { expand, type Lists, Random, restyled } from '../random.ts';
import { ATTACK_LISTS, CARRIERS, INJECTIONS, JAILBREAK_PARTS, JAILBREAKS, LEAKS } from './attacks.ts';
import { BENIGN_LISTS, NEAR_ATTACKS, NEAR_HARM, ORDINARY } from './benign.ts';
import { HARASSMENT, HARM_LISTS, HATE, ILLICIT, SELF_HARM, SEXUAL, TOXIC, VIOLENCE } from './harm.ts';

interface Job {
  readonly name: string;
  readonly templates: readonly string[];
  readonly lists: Lists;
  /** Texts per template. */
  readonly each: number;
  readonly truth: readonly Truth[];
}

const ATTACK = ['injection', 'jailbreak', 'prompt_leak'] as const;
const CONTENT = ['toxicity', 'hate', 'harassment', 'self_harm', 'sexual', 'violence', 'illicit'] as const;
const without = <T>(all: readonly T[], ...some: T[]): T[] => all.filter((one) => !some.includes(one));

const JOBS: readonly Job[] = [
  {
    name: 'injection',
    templates: INJECTIONS,
    lists: ATTACK_LISTS,
    each: 70,
    truth: truth(['injection'], ['jailbreak', 'prompt_leak', ...CONTENT]),
  },
  {
    name: 'jailbreak',
    templates: JAILBREAKS,
    lists: ATTACK_LISTS,
    each: 70,
    truth: truth(['jailbreak'], ['injection', 'prompt_leak', ...CONTENT]),
  },
  {
    name: 'prompt_leak',
    templates: LEAKS,
    lists: ATTACK_LISTS,
    each: 100,
    truth: truth(['prompt_leak'], ['injection', 'jailbreak', ...CONTENT]),
  },
  {
    name: 'self_harm',
    templates: SELF_HARM,
    lists: HARM_LISTS,
    each: 60,
    truth: truth(['self_harm'], without(CONTENT, 'self_harm', 'sexual', 'hate')),
  },
  {
    name: 'violence',
    templates: VIOLENCE,
    lists: HARM_LISTS,
    each: 60,
    truth: truth(['violence'], without(CONTENT, 'violence', 'sexual', 'self_harm')),
  },
  {
    name: 'sexual',
    templates: SEXUAL,
    lists: HARM_LISTS,
    each: 60,
    truth: truth(['sexual'], without(CONTENT, 'sexual', 'violence', 'self_harm')),
  },
  {
    name: 'harassment',
    templates: HARASSMENT,
    lists: HARM_LISTS,
    each: 60,
    truth: truth(['harassment', 'toxicity'], without(CONTENT, 'harassment', 'toxicity', 'sexual')),
  },
  {
    name: 'hate',
    templates: HATE,
    lists: HARM_LISTS,
    each: 80,
    truth: truth(['hate', 'toxicity'], without(CONTENT, 'hate', 'toxicity', 'sexual', 'self_harm')),
  },
  {
    name: 'toxicity',
    templates: TOXIC,
    lists: HARM_LISTS,
    each: 40,
    truth: truth(['toxicity'], without(CONTENT, 'toxicity')),
  },
  {
    name: 'illicit',
    templates: ILLICIT,
    lists: HARM_LISTS,
    each: 80,
    truth: truth(['illicit'], without(CONTENT, 'illicit', 'sexual', 'self_harm', 'hate')),
  },
  { name: 'near_attack', templates: NEAR_ATTACKS, lists: BENIGN_LISTS, each: 90, truth: truth([]) },
  { name: 'near_harm', templates: NEAR_HARM, lists: BENIGN_LISTS, each: 50, truth: truth([]) },
  { name: 'ordinary', templates: ORDINARY, lists: BENIGN_LISTS, each: 60, truth: truth([]) },
];

/** Texts made from templates: attacks and harm, and above all their harmless neighbours. */
export function generateExamples(seed: number): Example[] {
  const random = new Random(seed);
  const examples: Example[] = [];
  const seen = new Set<string>();
  const add = (example: Example) => {
    if (seen.has(example.text)) return;
    seen.add(example.text);
    examples.push(example);
  };
  for (const job of JOBS) {
    job.templates.forEach((template, index) => {
      for (let i = 0; i < job.each; i++) {
        add({
          text: restyled(expand(template, job.lists, random), random),
          truth: job.truth,
          family: `generated ${job.name} ${index}`,
          source: `generated/${job.name}`,
          span: null,
          generated: true,
        });
      }
    });
  }
  for (let i = 0; i < 900; i++) add(longPersona(random));
  for (let i = 0; i < 1_500; i++) add(planted(random, i % 3 === 0));
  for (let i = 0; i < 1_200; i++) add(joined(random));
  return examples;
}

/** A long persona text: parts in any order, as they go round. */
function longPersona(random: Random): Example {
  const parts = Array.from({ length: 3 + random.below(9) }, () => random.pick(JAILBREAK_PARTS));
  parts.push('<first>');
  const text = parts
    .map((part) => expand(part, ATTACK_LISTS, random))
    .join(random.pick([' ', ' ', '\n', '\n\n']));
  return {
    text,
    truth: truth(['jailbreak'], ['injection', 'prompt_leak', ...CONTENT]),
    family: `generated long ${random.below(20)}`,
    source: 'generated/jailbreak long',
    span: null,
    generated: true,
  };
}

/** A document with a planted attack, or with a harmless sentence at the same place. */
function planted(random: Random, harmless: boolean): Example {
  const carrier = expand(random.pick(CARRIERS), BENIGN_LISTS, random);
  const sentence = harmless
    ? expand(random.pick(random.next() < 0.6 ? NEAR_ATTACKS : ORDINARY), BENIGN_LISTS, random)
    : expand(random.pick(INJECTIONS), ATTACK_LISTS, random);
  const at = carrier.indexOf('@@');
  return {
    text: carrier.replace('@@', () => sentence),
    truth: harmless ? truth([]) : truth(['injection'], without(ATTACK, 'injection')),
    family: `generated planted ${random.below(40)}`,
    source: harmless ? 'generated/near_attack planted' : 'generated/injection planted',
    span: harmless ? null : { start: at, end: at + sentence.length },
    generated: true,
  };
}

/** Several ordinary sentences in a row. */
function joined(random: Random): Example {
  const parts = Array.from({ length: 2 + random.below(7) }, () =>
    expand(random.pick(random.pick([ORDINARY, ORDINARY, NEAR_HARM, NEAR_ATTACKS])), BENIGN_LISTS, random),
  );
  return {
    text: parts.join(random.pick([' ', '\n', '. '])),
    truth: truth([]),
    family: `generated joined ${random.below(40)}`,
    source: 'generated/ordinary joined',
    span: null,
    generated: true,
  };
}
