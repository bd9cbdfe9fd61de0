import { isDate } from '../validators/checks.ts';
import type { Verdict } from '../validators/verdict.ts';
import { padded } from './fixtures.ts';
import type { PatternSpec } from './spec.ts';

const MONTHS =
  'jan(?:uary|vier|uar|ner|eiro)?|feb(?:ruary|ruar|rero|braio)?|f\u00e9vr(?:ier)?|fevereiro|mar(?:ch|s|zo|\u00e7o)?|m\u00e4rz|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|maggio|mayo|maio|jun(?:e|i|io|ho)?|juin|giugno|jul(?:y|i|io|ho)?|juil(?:let)?|luglio|aug(?:ust)?|ao\u00fbt|ago(?:sto)?|sep(?:t(?:ember|embre|iembre)?)?|set(?:embro|tembre)?|oct(?:ober|obre|ubre)?|okt(?:ober)?|ott(?:obre)?|out(?:ubro)?|nov(?:ember|embre|iembre|embro)?|dec(?:ember)?|dez(?:ember|embro)?|d\u00e9c(?:embre)?|dic(?:iembre|embre)?';

const BIRTH = [
  'dob',
  'date of birth',
  'birth date',
  'birthdate',
  'birthday',
  'born',
  'born on',
  'd.o.b.',
  'geb',
  'geb.',
  'geboren',
  'geburtsdatum',
  'geboren am',
  'date de naissance',
  'n\u00e9 le',
  'n\u00e9e le',
  'fecha de nacimiento',
  'nacido',
  'nacida',
  'nacimiento',
  'data di nascita',
  'nato il',
  'nata il',
  'data de nascimento',
  'nascido',
  'nascida',
  'geboortedatum',
  'data urodzenia',
  'urodzony',
  'urodzona',
  'f\u00f6delsedatum',
  'f\u00f8dselsdato',
  'f\u00f8dt',
  'f\u00f6dd',
  'syntym\u00e4aika',
  'do\u011fum tarihi',
  'datum narozen\u00ed',
  'data na\u0219terii',
  'n\u00e9 en',
  '\u0434\u0430\u0442\u0430 \u0440\u043e\u0436\u0434\u0435\u043d\u0438\u044f',
  '\u0440\u043e\u0434\u0438\u043b\u0441\u044f',
  '\u0434\u0430\u0442\u0430 \u043d\u0430\u0440\u043e\u0434\u0436\u0435\u043d\u043d\u044f',
  '\u03b7\u03bc\u03b5\u03c1\u03bf\u03bc\u03b7\u03bd\u03af\u03b1 \u03b3\u03ad\u03bd\u03bd\u03b7\u03c3\u03b7\u03c2',
  '\u751f\u5e74\u6708\u65e5',
  '\u51fa\u751f\u65e5\u671f',
  '\uc0dd\ub144\uc6d4\uc77c',
  '\u062a\u0627\u0631\u064a\u062e \u0627\u0644\u0645\u064a\u0644\u0627\u062f',
  '\u05ea\u05d0\u05e8\u05d9\u05da \u05dc\u05d9\u05d3\u05d4',
  '\u091c\u0928\u094d\u092e \u0924\u093f\u0925\u093f',
];

/** A date that exists, in any order of its parts. */
function calendar(text: string): Verdict {
  const parts = text.match(/\d+/g)?.map(Number) ?? [];
  const [a = 0, b = 0, c = 0] = parts;
  if (parts.length < 3) return 'unknown';
  if (a > 31) return isDate(a, b, c) ? 'unknown' : 'fail';
  const year = c < 100 ? null : c;
  return isDate(year, a, b) || isDate(year, b, a) ? 'unknown' : 'fail';
}

const CONTEXT = { words: BIRTH, before: 28, after: 0, needed: 'always' } as const;
const AGE_UNIT =
  '(?:[ -]?(?:years?|yrs?|months?)[ -]old|[ -]?y/?o\\b|[ -]?(?:Jahre alt|a\u00f1os|ans|anni|anos|jaar oud|lat)\\b)';

const SPECS: readonly PatternSpec[] = [
  {
    name: 'date_of_birth',
    entity: 'DATE_OF_BIRTH',
    display_name: 'Date of birth',
    group: 'PII',
    description: 'a calendar date near words of birth in many languages',
    example: 'born on 22 Aug 1975',
    regex: [
      '(?<!\\d[-./])(?:19|20)\\d{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\\d|3[01])(?!\\d|[-./]\\d)',
      '(?<!\\d[-./])(?:0?[1-9]|[12]\\d|3[01])[-./ ](?:0?[1-9]|[12]\\d|3[01])[-./ ](?:(?:19|20)\\d{2}|\\d{2})(?!\\d|[-./]\\d)',
      `(?<!\\d[-./])(?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th|\\.|\u00ba)?(?: de| of)? (?:${MONTHS})\\.?,?(?: de)? (?:19|20)\\d{2}(?!\\d)`,
      '(?:19|20)\\d{2}(?:\u5e74 ?\\d{1,2}\u6708 ?\\d{1,2}\u65e5|\ub144 ?\\d{1,2}\uc6d4 ?\\d{1,2}\uc77c)',
    ],
    ignoreCase: true,
    anchor: { kind: 'digit', runs: [1, 2, 4] },
    minDigits: 1,
    boundary: 'start',
    validate: calendar,
    context: CONTEXT,
    action: 'MASK',
    severity: 'medium',
    positives: [
      'born on 22 Aug 1975',
      'DOB: 1980-02-29',
      'Geburtsdatum: 03.11.1962',
      '"dob": "12/31/1999"',
      'fecha de nacimiento 5 de mayo 1990',
      '\u751f\u5e74\u6708\u65e5 1990\u5e745\u67081\u65e5',
    ],
    negatives: ['22 Aug 1975', 'born on 31.02.1975', 'DOB: pending', 'due on 1980-02-28', 'born in a town'],
  },
  {
    name: 'date_of_birth_month_first',
    entity: 'DATE_OF_BIRTH',
    display_name: 'Date of birth, month first',
    group: 'PII',
    description: 'month, day and year near words of birth',
    example: 'born on March 4, 1973',
    regex: [`(?:${MONTHS})\\.? (?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?,? (?:19|20)\\d{2}(?!\\d)`],
    ignoreCase: true,
    anchor: {
      kind: 'literal',
      literals: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
    },
    context: CONTEXT,
    action: 'MASK',
    severity: 'medium',
    positives: [
      'born on March 4, 1973',
      'DOB: Jan 12, 1941',
      'date of birth is February 17, 1987',
      'Birthday: May 1st 2000',
    ],
    negatives: ['March 4, 1973', 'born in March', 'DOB: May 32, 1970', 'due on Jan 12, 1941'],
  },
  {
    name: 'age',
    entity: 'AGE',
    display_name: 'Age',
    group: 'PII',
    description: 'a number from 1 to 119 with a unit of age, or after aged, turned, age of',
    example: '48 years old',
    confidence: 'low',
    regex: [`(?<![\\d.,:/-])(1[01]\\d|[1-9]\\d?)${AGE_UNIT}`],
    ignoreCase: true,
    anchor: { kind: 'digit', runs: [1, 2, 3], next: ' -a' },
    minDigits: 1,
    boundary: 'start',
    action: 'LOG',
    severity: 'low',
    positives: ['48 years old', 'a 24-year-old student', 'i am 48 y/o', '73 Jahre alt'],
    negatives: ['48 boxes', '0 years old', '200 years old', 'years old'],
  },
  {
    name: 'age_stated',
    entity: 'AGE',
    display_name: 'Age after words',
    group: 'PII',
    description: 'a number from 1 to 119 after aged, turned, age of',
    example: 'aged 61',
    confidence: 'low',
    regex: [
      '(?:aged?|turned|age of|age is|when s?he was)[:"]{0,2} ?(1[01]\\d|[1-9]\\d?)(?!\\d|[:.,/-]\\d|%|[A-Za-z])',
    ],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: ['age', 'turned', 'when he was', 'when she was'] },
    boundary: 'start',
    action: 'LOG',
    severity: 'low',
    positives: ['she just turned 53', 'aged 61', 'at the age of 36', '"age": 41', 'Written when he was 58.'],
    negatives: ['turned 530', 'aged 4:30', 'age group', 'turned 3.5', 'page 12'],
  },
  {
    name: 'geo_coordinates',
    entity: 'GEO_COORDINATES',
    display_name: 'Coordinates',
    group: 'PII',
    description: 'latitude and longitude in decimal degrees with four or more decimals, near words of place',
    example: 'location 52.520008, 13.404954',
    confidence: 'low',
    regex: [
      '(?<![\\d.])-?(?:90|[1-8]?\\d)\\.\\d{4,8}\u00b0? ?[NS]?,? ?(?:lon(?:gitude)?[:= ]{1,2})?-?(?:180|1[0-7]\\d|\\d{1,2})\\.\\d{4,8}(?!\\d|\\.\\d)',
    ],
    anchor: { kind: 'digit', runs: [1, 2], next: '.' },
    minDigits: 10,
    context: {
      words: [
        'location',
        'coordinates',
        'gps',
        'lat',
        'latitude',
        'position',
        'standort',
        'koordinaten',
        'ubicaci\u00f3n',
        'geo',
        'home',
      ],
      before: 32,
      after: 16,
      needed: 'always',
    },
    action: 'LOG',
    severity: 'low',
    positives: [
      'location 52.520008, 13.404954',
      'gps: 40.7128006 74.0060152',
      'my coordinates are 48.8566,2.3522',
    ],
    negatives: ['52.520008, 13.404954', 'location 92.520008, 13.404954', 'lat 52.5', 'gps 52.52 13.40'],
  },
];

/** Dates of birth, ages, and places on the map. */
export const DATE_PATTERNS: readonly PatternSpec[] = SPECS.map(padded);
