/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 1, 1 excluded (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j] as T, items[i] as T];
    }
    return items;
  }
}

/** Lists that templates name. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** Writes one text from a template: `{a|b|}` is one of several, `<name>` one of a list, both nested as you like. */
export function expand(template: string, lists: Lists, random: Random): string {
  let text = template;
  for (let round = 0; round < 12; round++) {
    const before = text;
    text = text.replace(/\{([^{}]*)\}/g, (_all, options: string) => random.pick(options.split('|')));
    text = text.replace(/<([a-z_]+)>/g, (all, name: string) => {
      const list = lists[name];
      return list === undefined ? all : random.pick(list);
    });
    if (text === before) break;
  }
  return text
    .replace(/ {2,}/g, ' ')
    .replace(/ ([,.;:!?])/g, '$1')
    .trim();
}

/** The same text as somebody else might type it. */
export function restyled(text: string, random: Random): string {
  const roll = random.next();
  if (roll < 0.14) return text.toLowerCase();
  if (roll < 0.18) return text.toUpperCase();
  if (roll < 0.24) return text.replace(/[.!?]+$/, '');
  if (roll < 0.28) return `${text}${random.pick([' Thanks!', ' please', ' asap', '!!', ' :)'])}`;
  if (roll < 0.31) {
    const at = random.below(Math.max(1, text.length - 2));
    return text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
  }
  return text;
}
