import { foldKeyword } from '../../text/view.ts';
import { surrounded } from './fixtures.ts';
import type { Action, PatternSpec, Severity } from './spec.ts';

interface WordList {
  readonly name: string;
  readonly entity: string;
  readonly title: string;
  readonly group: string;
  readonly description: string;
  readonly action: Action;
  readonly severity: Severity;
  /** A trailing `*` takes any ending of the word along. */
  readonly words: readonly string[];
  readonly negatives: readonly string[];
}

const PROTECTED = 'Protected class';
const DANGEROUS = 'Dangerous content';

/**
 * Lists of words. They say what a text is about, not what it means: the same words stand in news, in law and in calls for
 * help. Hence the low confidence; the lists are for whoever wants such texts looked at.
 */
const LISTS: readonly WordList[] = [
  {
    name: 'gender_sexual_orientation',
    entity: 'PROTECTED_GENDER',
    title: 'Gender and sexual orientation',
    group: PROTECTED,
    description: 'words for sex, gender identity and sexual orientation',
    action: 'LOG',
    severity: 'low',
    words:
      'gender*|transgender*|transsexual*|transwoman|transman|trans woman|trans man|nonbinary|non-binary|genderqueer|genderfluid|cisgender*|intersex|pronouns|lesbian*|gay|gays|homosexual*|heterosexual*|bisexual*|pansexual*|asexual*|queer|lgbt|lgbtq|lgbtqia|same-sex|sexual orientation|sexual identity|gender identity|male applicant*|female applicant*|pregnan*|maternity'.split(
        '|',
      ),
    negatives: ['engender', 'gayle', 'queue', 'the genus', 'lesson'],
  },
  {
    name: 'race_ethnicity_national_origin',
    entity: 'PROTECTED_RACE',
    title: 'Race, ethnicity and national origin',
    group: PROTECTED,
    description: 'words for race, ethnic group, origin and immigration status',
    action: 'LOG',
    severity: 'low',
    words:
      'race|racial*|ethnic*|skin color|skin colour|national origin|country of origin|african american*|african-american*|black people|white people|hispanic*|latino|latina|latinx|latinos|asian american*|asian-american*|native american*|indigenous|caucasian*|middle eastern|pacific islander*|multiracial|biracial|mixed race|people of color|people of colour|immigrant*|immigration status|refugee*|asylum seeker*|undocumented|foreign-born|native speaker*|foreign accent|minority group*|ancestry|tribal|aboriginal'.split(
        '|',
      ),
    negatives: ['embrace', 'racecar driver', 'traces', 'ethics', 'the racetrack'],
  },
  {
    name: 'religion',
    entity: 'PROTECTED_RELIGION',
    title: 'Religion',
    group: PROTECTED,
    description: 'words for faiths, their followers and their houses',
    action: 'LOG',
    severity: 'low',
    words:
      'religion*|religious*|christian*|catholic*|protestant*|evangelical*|mormon*|orthodox church|muslim*|islam*|sunni|shia|shiite*|jewish|jews|judaism|hindu*|buddhis*|sikh*|jain|jainism|atheis*|agnostic*|church membership|mosque*|synagogue*|gurdwara|hijab*|kippah|sabbath|faith community|religious belief*'.split(
        '|',
      ),
    negatives: ['Christina', 'faithful copy', 'the island', 'a jewel', 'hinder'],
  },
  {
    name: 'age_discrimination',
    entity: 'PROTECTED_AGE',
    title: 'Age',
    group: PROTECTED,
    description: 'words that sort people by age',
    action: 'LOG',
    severity: 'low',
    words:
      'too old|too young|elderly|senior citizen*|over the hill|older worker*|younger worker*|older applicant*|younger applicant*|older candidate*|younger candidate*|digital native*|recent graduates only|young and energetic|young team|age limit|maximum age|retirement age|near retirement|millennials|boomers|baby boomer*|age group*|age discrimination|ageis*|geriatric*'.split(
        '|',
      ),
    negatives: ['manage', 'the old house', 'senior engineer', 'young', 'page limit'],
  },
  {
    name: 'disability',
    entity: 'PROTECTED_DISABILITY',
    title: 'Disability',
    group: PROTECTED,
    description: 'words for disabilities, aids and accommodations',
    action: 'LOG',
    severity: 'low',
    words:
      'disabilit*|disabled people|disabled person|disabled applicant*|handicap*|wheelchair*|blindness|visually impaired|hearing impaired|deafness|deaf people|mental illness*|mentally ill|learning difficult*|learning disabilit*|autis*|adhd|dyslexi*|bipolar disorder|epilep*|cerebral palsy|down syndrome|special needs|service animal*|guide dog*|reasonable accommodation*|chronic illness*|amputee*|paraplegic*'.split(
        '|',
      ),
    negatives: ['ability', 'the button is disabled', 'blindfold', 'deafening', 'handy'],
  },
  {
    name: 'marital_family_status',
    entity: 'PROTECTED_FAMILY',
    title: 'Marital and family status',
    group: PROTECTED,
    description: 'words for marriage, children and plans for them',
    action: 'LOG',
    severity: 'low',
    words:
      'marital status|married|unmarried|divorc*|widow|widowed|widower|single mother*|single father*|single parent*|newlywed*|fianc\u00e9|fianc\u00e9e|civil partner*|domestic partner*|childless|number of children|family status|familial status|plan to have children|planning a family|childcare duties|custody of'.split(
        '|',
      ),
    negatives: ['family of functions', 'single file', 'the parent node', 'children of the tree', 'window'],
  },
  {
    name: 'military_status',
    entity: 'PROTECTED_MILITARY',
    title: 'Military status',
    group: PROTECTED,
    description: 'words for service in armed forces and its end',
    action: 'LOG',
    severity: 'low',
    words:
      'veteran*|military service|military status|active duty|armed forces|national guard|army reserve*|reservist*|honorable discharge|dishonorable discharge|honourable discharge|deployment overseas|served in the army|served in the navy|ex-military|military spouse*|gi bill|conscript*|war veteran*'.split(
        '|',
      ),
    negatives: ['the guard clause', 'deployment', 'veterinary', 'military time', 'reserve a table'],
  },
  {
    name: 'public_assistance',
    entity: 'PROTECTED_ASSISTANCE',
    title: 'Public assistance',
    group: PROTECTED,
    description: 'words for income from welfare and housing programmes',
    action: 'LOG',
    severity: 'low',
    words:
      'public assistance|welfare recipient*|welfare benefit*|on welfare|food stamp*|snap benefit*|section 8|housing voucher*|medicaid|unemployment benefit*|disability benefit*|supplemental security income|tanf|wic program|wic benefits|rent assistance|housing benefit|universal credit|income support|jobseeker*|child support payment*'.split(
        '|',
      ),
    negatives: ['farewell', 'section 80', 'food court', 'the public', 'snap judgment'],
  },
  {
    name: 'weapons_firearms',
    entity: 'DANGEROUS_FIREARMS',
    title: 'Firearms',
    group: DANGEROUS,
    description: 'words for firearms, ammunition and parts of them',
    action: 'MASK',
    severity: 'medium',
    words:
      'firearm*|handgun*|pistol*|revolver*|shotgun*|assault rifle*|sniper rifle*|hunting rifle*|rifles|submachine gun*|machine gun*|ghost gun*|ammunition|ammo|hollow point*|armor-piercing|armour-piercing|silencer|suppressor for|gun silencer|bump stock*|high-capacity magazine*|3d printed gun|3d-printed gun|ar-15|ak-47|glock|auto sear|untraceable gun*'.split(
        '|',
      ),
    negatives: ['begun', 'the pistons', 'camouflage', 'shot glass', 'trifle'],
  },
  {
    name: 'weapons_other',
    entity: 'DANGEROUS_WEAPONS',
    title: 'Other weapons',
    group: DANGEROUS,
    description: 'words for blades, chemical and biological weapons and the like',
    action: 'MASK',
    severity: 'medium',
    words:
      'switchblade*|machete*|brass knuckles|butterfly knife|throwing knives|combat knife|crossbow*|taser*|stun gun*|pepper spray|nerve agent*|nerve gas|sarin|vx gas|mustard gas|chlorine gas attack|ricin|anthrax|botulinum toxin weapon*|biological weapon*|bioweapon*|chemical weapon*|radiological weapon*|dirty bomb*|nuclear weapon*|flamethrower*|garrote'.split(
        '|',
      ),
    negatives: ['kitchen knife', 'the crosswalk', 'pepper', 'laser', 'anthropology'],
  },
  {
    name: 'explosives',
    entity: 'DANGEROUS_EXPLOSIVES',
    title: 'Explosives',
    group: DANGEROUS,
    description: 'words for explosives, their making and their parts',
    action: 'BLOCK',
    severity: 'high',
    words:
      'build a bomb|make a bomb|making a bomb|pipe bomb*|car bomb*|nail bomb*|homemade bomb*|improvised explosive*|explosive device*|explosive vest*|suicide vest*|detonator*|blasting cap*|c-4 explosive*|semtex|tatp|acetone peroxide|petn|rdx explosive*|nitroglycerin bomb*|anfo|ammonium nitrate bomb*|molotov cocktail*|thermite|fertilizer bomb*|fertiliser bomb*|pressure cooker bomb*'.split(
        '|',
      ),
    negatives: ['bath bomb', 'explosive growth', 'a photobomb', 'petnames', 'bombastic'],
  },
  {
    name: 'violence_threats',
    entity: 'DANGEROUS_VIOLENCE',
    title: 'Threats of violence',
    group: DANGEROUS,
    description: 'phrases that threaten people with harm',
    action: 'BLOCK',
    severity: 'high',
    words:
      "i will kill you|i'll kill you|i am going to kill you|i'm going to kill you|i will hurt you|i'll hurt you|going to hurt you|i will shoot you|i'll shoot you|i will stab you|i'll stab you|beat you to death|you will die for this|you are dead meat|you're dead meat|i know where you live and|burn your house down|slit your throat|put a bullet in|bomb threat*|death threat*|shoot up the school|shoot up the office|school shooting plan*|kill them all|mass shooting plan*".split(
        '|',
      ),
    negatives: [
      'kill the process',
      'this will kill your battery',
      'shoot me a mail',
      'a killer feature',
      'stab at it',
    ],
  },
  {
    name: 'terrorism',
    entity: 'DANGEROUS_TERRORISM',
    title: 'Terrorism',
    group: DANGEROUS,
    description: 'phrases about joining, funding and planning terror',
    action: 'BLOCK',
    severity: 'high',
    words:
      'terrorist attack*|terror attack*|plan an attack on|join isis|join al-qaeda|join al qaeda|pledge allegiance to isis|islamic state recruit*|jihadi recruit*|martyrdom operation*|suicide bombing*|suicide bomber*|lone wolf attack*|hostage taking|hijack a plane|hijack an airplane|bring down a plane|fund terrorism|terrorist financing|financing of terrorism|terror cell*|sleeper cell*|radicalise others|radicalize others|racially motivated attack*'.split(
        '|',
      ),
    negatives: [
      'a terrible attack of flu',
      'terrier',
      'attack surface',
      'the cell phone',
      'hijacking of sessions',
    ],
  },
  {
    name: 'self_harm_suicide',
    entity: 'DANGEROUS_SELF_HARM',
    title: 'Self-harm and suicide',
    group: DANGEROUS,
    description: 'phrases about hurting or killing oneself; a person should look at them',
    action: 'MASK',
    severity: 'high',
    words:
      "suicid*|kill myself|killing myself|end my life|ending my life|take my own life|taking my own life|want to die|wish i was dead|wish i were dead|better off dead|don't want to live|do not want to live|no reason to live|hurt myself|hurting myself|harm myself|self-harm*|self harm*|cut myself on purpose|cutting myself|overdose on purpose|goodbye note|pro-ana|thinspiration".split(
        '|',
      ),
    negatives: ['kill the task', 'end of life product', 'I cut my hair', 'die rolls', 'harmless'],
  },
  {
    name: 'illegal_activities',
    entity: 'DANGEROUS_ILLEGAL',
    title: 'Illegal activities',
    group: DANGEROUS,
    description: 'phrases about fraud, drugs, trafficking, theft and hacking',
    action: 'MASK',
    severity: 'medium',
    words:
      'money laundering|launder money|counterfeit money|fake passport*|forged passport*|fake id card*|stolen credit card*|carding forum*|credit card dump*|identity theft|sell drugs|drug dealer*|drug trafficking|human trafficking|people smuggling|cook meth|make meth|crystal meth|fentanyl|heroin|cocaine|darknet market*|dark web market*|hitman|hire a killer|hack into|ddos attack for hire|ransomware kit*|tax evasion scheme*|insider trading tip*|ponzi scheme*|bribe an official|pick a lock to break in|hotwire a car'.split(
        '|',
      ),
    negatives: ['laundry', 'drugstore', 'hackathon', 'fake news', 'the heroine'],
  },
  {
    name: 'harassment_hate',
    entity: 'DANGEROUS_HATE',
    title: 'Harassment and hate',
    group: DANGEROUS,
    description: 'phrases that degrade people or call for their exclusion',
    action: 'BLOCK',
    severity: 'high',
    words:
      'subhuman*|untermensch*|ethnic cleansing|white power|white supremac*|racial purity|master race|inferior race*|go back to your country|go back where you came from|you people are vermin|you people are animals|they are vermin|they are parasites|heil hitler|sieg heil|gas the jews|gas chambers for|exterminate them|hang them all|kill all the|death to all|nobody would miss you|kill yourself|you should die|worthless piece of shit|stalk her|stalk him|doxx her|doxx him|revenge porn'.split(
        '|',
      ),
    negatives: [
      'kill all processes',
      'power outage',
      'the master branch',
      'go back to the page',
      'hate mondays',
    ],
  },
];

const LETTERS = '[0-9A-Za-z\\u00c0-\\u024f-]{0,12}';

function wordPattern(list: WordList): PatternSpec {
  const stems = list.words.map((word) => word.replace(/\*$/, ''));
  const regex = list.words
    .map((word) => {
      const text = word
        .replace(/\*$/, '')
        .replace(/[.+?^${}()|[\]\\/]/g, '\\$&')
        .replaceAll(' ', '[ _-]');
      return word.endsWith('*') ? `${text}${LETTERS}` : text;
    })
    .join('|');
  return {
    name: list.name,
    entity: list.entity,
    display_name: list.title,
    group: list.group,
    confidence: 'low',
    description: list.description,
    example: stems[0] ?? '',
    regex: [`(?:${regex})`],
    ignoreCase: true,
    anchor: { kind: 'literal', literals: [...new Set(stems.map((stem) => foldKeyword(stem)))] },
    action: list.action,
    severity: list.severity,
    positives: surrounded(stems),
    negatives: surrounded(list.negatives),
  };
}

/** Words of protected classes and of dangerous content. */
export const WORD_PATTERNS: readonly PatternSpec[] = LISTS.map(wordPattern);
