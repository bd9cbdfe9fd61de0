import { GIVEN_NAMES } from '../data/given-names.ts';
import { padded } from './fixtures.ts';
import type { PatternSpec } from './spec.ts';

const GROUP = 'PII';

/** Names of people as far as rules can find them: all of low confidence, reported and never part of the default set. */
const LOW = { group: GROUP, entity: 'PERSON', confidence: 'low', action: 'LOG', severity: 'low' } as const;

const UPPER = 'A-Z\\u00c0-\\u00d6\\u00d8-\\u00de\\u0102-\\u017d\\u0386-\\u03ab\\u0401-\\u042f';
const LOWER = 'a-z\\u00df-\\u00f6\\u00f8-\\u017e\\u03ac-\\u03ce\\u0430-\\u045f';
/** A capital and small letters, with the inner capitals of double names and of names such as McRae. */
const NAME = `[${UPPER}](?:[${LOWER}'\\u2019]|-[${UPPER}]|[${UPPER}](?=[${LOWER}])){1,24}`;
const PARTICLE =
  "(?:van|von|de|der|den|del|della|di|da|dos|du|la|le|bin|ibn|ter|ten|zu|af|el|al|van 't|van de|van der|de la) ";
const MORE = `(?: (?:${PARTICLE}){0,2}(?:${NAME}|[${UPPER}]\\.)){0,3}`;
const FULL = `${NAME}${MORE}`;
/** At least two names. */
const LONG = `${NAME} (?:${PARTICLE}){0,2}${NAME}${MORE}`;
const UPPER_FULL = `[${UPPER}]{2,20}(?: [${UPPER}]{2,20}){1,3}`;

/** Words that begin sentences and lines, not names. */
const NOT_NAME =
  '(?!(?:The|This|That|These|Those|There|Here|Please|Thank|Thanks|Sir|Madam|All|Everyone|Team|Customer|Both|Not|Sorry|Just|Sure|Yes|No|It|We|You|They|He|She|If|In|On|At|For|And|But|Or|So|My|Our|Your|An?|I|What|When|Where|Why|How|Who|Which|Can|Could|Would|Do|Does|Is|Are|Am|Going|Looking|Trying|Glad|Happy|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|July|August|September|October|November|December)\\b)';

/** An expression for a text in any case, for the parts of an expression that must not ignore case as a whole. */
function anyCase(text: string): string {
  return text.replace(/\p{L}/gu, (char) =>
    char.toLowerCase() === char.toUpperCase() ? char : `[${char.toUpperCase()}${char.toLowerCase()}]`,
  );
}

const SPEECH = [
  'my name is',
  'name is',
  'call me',
  'people call me',
  'calls me',
  'named him',
  'named her',
  'was called',
  'dear',
  'hi',
  'hello',
  'hey',
  'this is',
  "i'm",
  'i am',
  'signed',
  'reminder to',
  'letter for',
  'ask for',
  'ask',
  'reach',
  'account holder is',
  'the guest',
  'range is',
  'regards,',
  'regards',
  'sincerely,',
  'best,',
  'best',
  'thanks,',
  'cheers,',
  'applicant',
  'attn',
  'c/o',
  'directed by',
  'mein name ist',
  'ich hei\u00dfe',
  'ich bin',
  'inhaber',
  "je m'appelle",
  'je suis',
  'au nom de',
  'me llamo',
  'mi nombre es',
  'hola, soy',
  'soy',
  'a nombre de',
  'mi chiamo',
  'sono',
  'intestato a',
  'meu nome \u00e9',
  'me chamo',
  'em nome de',
  'mijn naam is',
  'ik ben',
  'ik heet',
  't.n.v.',
  'nazywam si\u0119',
  'mam na imi\u0119',
  'odbiorca',
  'jag heter',
  'mottagare',
  'jeg heter',
  'mit navn er',
  'olen',
  'nimeni on',
  'jmenuji se',
  'm\u0103 numesc',
  'benim ad\u0131m',
  'merhaba, ben',
  'al\u0131c\u0131',
  '\u043c\u0435\u043d\u044f \u0437\u043e\u0432\u0443\u0442',
  '\u0441\u043f\u0440\u043e\u0441\u0438\u0442\u0435',
  '\u043c\u0435\u043d\u0435 \u0437\u0432\u0430\u0442\u0438',
  '\u03bb\u03ad\u03b3\u03bf\u03bc\u03b1\u03b9',
  '\u03bc\u03b5 \u03bb\u03ad\u03bd\u03b5',
  't\u00f4i l\u00e0',
  't\u00ean t\u00f4i l\u00e0',
  'nama saya',
  '\u092e\u0947\u0930\u093e \u0928\u093e\u092e',
  'namaste,',
];

const FIELDS = [
  'name',
  'names',
  'surname',
  'contact',
  'contact person',
  'owner',
  'patient',
  'cardholder',
  'beneficiary',
  'account holder',
  'customer',
  'client',
  'kunde',
  'kundin',
  'contato',
  'contacto',
  'datos del cliente',
  'cliente',
  'user',
  'from',
  'to',
  'fn',
  'employee',
  'recipient',
  'sender',
  'author',
  'nom',
  'nombre',
  'nome',
  'naam',
  'nazwisko',
  'navn',
  'namn',
  'nimi',
  'present',
  'billing address',
];

const TITLES =
  'mr mrs ms miss dr prof professor sir madam herr frau mme mlle monsieur madame se\u00f1or se\u00f1ora sr sra srta dott dottor signor signora sig pan pani mevrouw meneer dhr mevr doctor'.split(
    ' ',
  );

const SAID =
  'lives|said|says|shouted|wrote|called|told|asked|spent|arrives|is from|from|had given|replied|works|moved|flew|has|was';

const SPECS: readonly PatternSpec[] = [
  {
    ...LOW,
    name: 'person_introduced',
    display_name: 'Name after words that introduce it',
    description: 'capital words after "my name is", "Dear", "regards," and the like, in many languages',
    example: 'my name is Jane Doe',
    regex: [
      `(?:${SPEECH.map(anyCase).join('|')})[ ,:]?\\s{0,3}${NOT_NAME}(${FULL})`,
      `(?:${SPEECH.map(anyCase).join('|')})[ ,:]?\\s{0,3}(${UPPER_FULL})(?![${UPPER}])`,
    ],
    anchor: { kind: 'literal', literals: SPEECH },
    boundary: 'start',
    positives: [
      'my name is Jane Doe',
      'Dear Mr Bean',
      'mein Name ist J\u00fcrgen Klopp',
      '\u043c\u0435\u043d\u044f \u0437\u043e\u0432\u0443\u0442 \u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432',
      "je m'appelle Marie-Claire Dupont",
    ],
    negatives: ['my name is not important', 'Dear Customer', 'this is The end', 'Jane Doe', 'hi there'],
  },
  {
    ...LOW,
    name: 'person_field',
    display_name: 'Name in a field',
    description: 'two or more capital words in a field called name, owner, patient and the like',
    example: '"name": "Jane Doe"',
    regex: [
      `(?<!(?:file|host|user|domain|class|table|package|path|project|product|company|bank|brand|event|column|city|place) ?_?)(?:${FIELDS.map(anyCase).join('|')})(?:\\*\\*)?["']?\\)? ?(?:[:=>]|=>|\\|)(?:\\*\\*)?\\s{0,6}["']?${NOT_NAME}(${LONG})`,
      `(?:${['surname', 'first name', 'last name', 'given name', 'given names', 'vorname', 'nachname', 'pr\u00e9nom', 'apellido', 'cognome'].map(anyCase).join('|')})["']? ?[:=?>]\\s{0,3}["']?${NOT_NAME}(${FULL})`,
    ],
    anchor: {
      kind: 'literal',
      literals: [
        ...FIELDS,
        'first name',
        'last name',
        'given name',
        'vorname',
        'nachname',
        'pr\u00e9nom',
        'apellido',
        'cognome',
      ],
    },
    boundary: 'none',
    positives: [
      '"name": "Jane Doe"',
      'Patient: Nina van der Berg',
      '<name>John Smith</name>',
      '- **Owner:** Olivia Gibbs',
      'Surname: Kowalska',
    ],
    negatives: ['name: index.html', 'filename: Annual Report', '"name": "x"', 'owner: nobody', 'Jane Doe'],
  },
  {
    ...LOW,
    name: 'person_titled',
    display_name: 'Name after a title',
    description: 'capital words after Mr, Dr, Herr, Mme and the like',
    example: 'Dr. Jane Doe',
    regex: [`(?:${TITLES.map(anyCase).join('|')})\\.? ${NOT_NAME}${FULL}`],
    anchor: { kind: 'literal', literals: TITLES },
    boundary: 'start',
    positives: ['Dr. Jane Doe', 'Mr Smith', 'Frau Angela M\u00fcller', 'Mme Curie', 'Prof. Higgins'],
    negatives: ['mr fox', 'Dr.', 'the pan is hot', 'Sir The', 'ms 20'],
  },
  {
    ...LOW,
    name: 'person_given_name',
    display_name: 'Given name and surname',
    description: 'a common given name, with the capital words after it',
    example: 'Katarzyna Nowak',
    regex: [`(?:${GIVEN_NAMES.join('|')})(?:-${NAME})?${MORE}(?:'s)?`],
    anchor: { kind: 'literal', literals: GIVEN_NAMES.map((name) => name.toLowerCase()) },
    // What follows the last name, as in "Carlos's", does not count.
    trim: (text) => text.replace(/'s$/, '').length,
    positives: [
      'Katarzyna Nowak',
      'I met Thomas yesterday',
      'Maria de la Cruz',
      "Oliver's house",
      '(Sandra)',
    ],
    negatives: ['katarzyna', 'Thomasville', 'xMaria', 'Annual report', 'the end'],
  },
  {
    ...LOW,
    name: 'person_beside_mail',
    display_name: 'Name before a mailbox or a verb of speech',
    description: 'two or more capital words before <mail@...> or (mail@...), and before says, called, lives',
    example: 'Jane Doe <jane@example.org>',
    regex: [
      `[^\\n<(]{0,40}?${NOT_NAME}(${LONG})"?,? ?[<(][^\\s<>()@]{1,64}@`,
      `[^\\n<(]{0,40}?${NOT_NAME}(${LONG})(?= (?:${SAID})\\b)`,
    ],
    anchor: {
      kind: 'literal',
      literals: [' <', ' (', ...SAID.split('|').map((verb) => ` ${verb}`)],
      back: {
        accepts: (code) => code !== 10 && code !== 60 && code !== 40,
        first: (code) =>
          (code >= 65 && code <= 90) || (code >= 0xc0 && code <= 0xde) || (code >= 0x100 && code <= 0x42f),
        max: 40,
      },
    },
    boundary: 'none',
    positives: [
      'Jane Doe <jane@example.org>',
      'ask Stephen Smith (s.smith@x.org)',
      'Theresa Maruyama lives at home',
      'Natan Kozubal called from home',
      'x\nNils Holm wrote it',
    ],
    negatives: [
      'the team <team@example.org>',
      'jane doe <jane@example.org>',
      'nobody said so',
      'A (b@c.de)',
      'Monday is from hell',
    ],
  },
  {
    ...LOW,
    name: 'person_other_scripts',
    display_name: 'Name introduced in another script',
    description:
      'names after or before the words that introduce them in Chinese, Japanese, Korean, Arabic, Hebrew and Thai',
    example: '\u6211\u53eb\u738b\u5c0f\u660e\uff0c',
    regex: [
      '(?:\u6211\u53eb|\u59d3\u540d[:\uff1a]|\u8054\u7cfb\u4eba[:\uff1a]|\u540d\u5b57\u662f)([\\u4e00-\\u9fff]{2,4})(?![\\u4e00-\\u9fff])',
      '(?:\uc774\ub984\uc740|\uc131\ud568\uc740) ?([\\uac00-\\ud7a3]{2,4}?)(?=\uc774\uace0|\uc785\ub2c8\ub2e4|\uc774\uc5d0\uc694|\uc608\uc694|[ ,.])',
      '(?:\u0627\u0633\u0645\u064a) ([\\u0621-\\u064a]{2,14} (?!\u0648?\u0631\u0642\u0645)[\\u0621-\\u064a]{2,14})',
      '(?:\u05e9\u05de\u05d9) ([\\u05d0-\\u05ea]{2,14} [\\u05d0-\\u05ea]{2,14})',
      '(?:\u0e0a\u0e37\u0e48\u0e2d) ?([\\u0e01-\\u0e4e]{2,20} [\\u0e01-\\u0e4e]{2,20})',
    ],
    anchor: {
      kind: 'literal',
      literals: [
        '\u6211\u53eb',
        '\u59d3\u540d',
        '\u8054\u7cfb\u4eba',
        '\u540d\u5b57\u662f',
        '\uc774\ub984\uc740',
        '\uc131\ud568\uc740',
        '\u0627\u0633\u0645\u064a',
        '\u05e9\u05de\u05d9',
        '\u0e0a\u0e37\u0e48\u0e2d',
      ],
    },
    boundary: 'none',
    positives: [
      '\u6211\u53eb\u738b\u5c0f\u660e\uff0c',
      '\uc81c \uc774\ub984\uc740 \uae40\uc601\ubbf8\uc774\uace0',
      '\u0627\u0633\u0645\u064a \u0631\u064a\u0627\u0646 \u0627\u0644\u062c\u0627\u0628\u0631',
      '\u05e9\u05de\u05d9 \u05d0\u05dc\u05de\u05d5\u05d2 \u05d0\u05d8\u05d9\u05d0\u05e1',
      '\u0e0a\u0e37\u0e48\u0e2d \u0e2b\u0e23\u0e23\u0e29\u0e32 \u0e41\u0e2b\u0e22\u0e21\u0e28\u0e34\u0e23\u0e34',
    ],
    negatives: [
      '\u738b\u5c0f\u660e',
      '\u6211\u53eb abc',
      '\uae40\uc601\ubbf8',
      'name',
      '\u05e9\u05dc\u05d5\u05dd',
    ],
  },
];

export const PERSON_PATTERNS: readonly PatternSpec[] = SPECS.map(padded);
