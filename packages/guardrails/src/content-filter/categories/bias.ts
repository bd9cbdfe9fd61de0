import { category, type CategorySpec } from './spec.ts';

const BIAS = 'Bias';
const WORK = 'Employment discrimination';

/** What a sentence that turns people away says, whoever they are. */
const EXCLUDE =
  "do not hire|don't hire|don’t hire|never hire|not hire|avoid hiring|avoid|refuse to hire|refuse to employ|reject|screen out|screen them out|screened out|filter out|weed out|weed them out|exclude|do not consider|don't consider|don’t consider|do not interview|don't interview|not be hired|not be considered|not be promoted|do not promote|don't promote|pass over|turn away|get rid of|push out|lay off first|fire all|no place for|don't belong|don’t belong|do not belong|not a good fit|don't fit|don’t fit|do not fit|not suitable|not suited|are unreliable|is unreliable|are a liability|a liability|are a burden|is a burden|a burden to|red flag|not trustworthy|security risk|reduce productivity|reduce team output|less productive|cost too much|not worth training|not worth hiring|cause problems|too emotional|too rigid|too aggressive|too weak|too slow|cannot keep up|can't keep up|can’t keep up|cannot adapt|can't adapt|can’t adapt|set in their ways|outdated skills|skills are outdated|not tech savvy|close to retirement|not as capable|not assertive enough|not capable|should not be trusted|prefer to hire only";
const STEREOTYPE =
  "are inferior|is inferior|are stupid|are too stupid|are less intelligent|are lazy|are criminals|are all criminals|are thieves|are liars|are dirty|are filthy|are animals|are savages|are vermin|are parasites|are a disease|are disgusting|are violent|are dangerous by nature|are terrorists|are all terrorists|are greedy|are weak|are not as smart|are bad at|are worse at|cannot be trusted|can't be trusted|can’t be trusted|should not vote|should not be allowed|should be deported|should go back|should be banned|should be locked up|belong in the kitchen|belong at home|don't deserve|do not deserve|ruin this country|are ruining|are invading|control the media|control the banks|breed like|are subhuman|are mentally ill|is a mental illness|is unnatural|is a sin and|must be cured|need to be cured|should be cured|are perverts|are pedophiles|are groomers|are naturally better|are too emotional|make me sick|only want our money";
const COUNTER =
  "it is wrong to|it's wrong to|is a myth|stereotype*|discriminat*|prejudice|unlawful|illegal to|prohibit*|against the law|equal opportunit*|policy|compliance training|awareness training|training program*|training is|research shows|study|studies|harmful claim|is false|not true that|report*|anti-racis*|why do people|do not say|never say|condemn*|bias in|inclusive|inclusion|welcome*|encourage*|accommodation request|commit*";

const MEN_AND_WOMEN =
  'women|woman|females|female|girls|mothers|pregnant|men|males|wives|moms|ladies|transgender|trans|lgbt*|gay|gays|lesbian*|queer|homosexual*|bisexual*|non-binary|nonbinary';

/** Contempt for groups of people, and turning them away at work. */
export const BIAS_AND_WORK: readonly CategorySpec[] = [
  category({
    name: 'bias_gender',
    title: 'Gender bias',
    group: BIAS,
    description: 'Contempt and stereotypes about women and men',
    high: "women belong in the kitchen|women are inferior|women are property|make me a sandwich woman|men are superior|women should obey|women should submit|all men are rapists|women can't drive|women cannot drive|women are too emotional|girls are bad at math|girls can't code|women can't code",
    pairs: [
      [
        'women|woman|females|girls|men|males|wives|housewives|feminists',
        `${STEREOTYPE}|should stay home|should obey`,
        60,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'bias_racial',
    title: 'Racial bias',
    group: BIAS,
    description: 'Contempt and stereotypes about people by race, ethnic group or origin',
    high: 'white power|white supremacy is right|white race is superior|master race|racially inferior|inferior race|race traitor|race war now|great replacement is real|go back to your country|go back to africa|go back to mexico|deport them all|dirty mexican*|filthy arab*|black on white crime gene|lower iq race|mud people|jungle people',
    pairs: [
      [
        'black people|blacks|africans|african americans|asians|chinese|chinese people|mexicans|latinos|hispanics|arabs|indians|pakistanis|jews|roma|gypsies|immigrants|migrants|refugees|foreigners|aboriginals|native americans|white people|whites|eastern europeans|poles|turks',
        STEREOTYPE,
        60,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'bias_religious',
    title: 'Religious bias',
    group: BIAS,
    description: 'Contempt and stereotypes about people by faith',
    high: 'death to infidels|kill the infidels|islam is cancer|islam is a disease|ban all muslims|muslims are terrorists|jews control|the jews did|holocaust was a hoax|holocaust is a lie|gas the jews|burn the mosque*|burn the church*|christ killers|all priests are pedophiles',
    pairs: [
      [
        'muslims|muslim|islam|jews|jewish people|christians|catholics|hindus|sikhs|buddhists|atheists|religious people|mormons|believers',
        STEREOTYPE,
        60,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'bias_sexual_orientation',
    title: 'Bias by sexual orientation and identity',
    group: BIAS,
    description: 'Contempt and stereotypes about gay, lesbian, bisexual and transgender people',
    high: 'gay people are sick|homosexuality is a disease|homosexuality is a mental|being gay is a sin|being gay is disgusting|being gay is a choice|pray the gay away|conversion therapy works|cure homosexuality|cure gay|trans people are mentally ill|trans women are not women|there are only two genders and|gays should be|lesbians just need|god hates fags|no gays allowed|gay agenda is',
    pairs: [
      [
        'gay people|gays|gay men|lesbians|bisexuals|homosexuals|trans people|transgender people|transgenders|trans women|trans men|queers|queer people|lgbt people|lgbtq people|same-sex couples',
        STEREOTYPE,
        60,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'age_discrimination',
    title: 'Age discrimination',
    group: WORK,
    description: 'Turning people away at work because of their age',
    high: 'no one over 40|no one over 50|nobody over 40|only hire young|only young people|young people only|too old to hire|too old to learn|too old for this job|recent graduates only|digital natives only',
    pairs: [
      [
        'over 40|over 45|over 50|over 55|over 60|over 65|above 50|aged 50|aged 60|60 or older|50 or older|55 or older|65 or older|in their 50s|in their 60s|older workers|older candidates|older applicants|older employees|older people|older staff|elderly|senior candidates|senior applicants|seniors|baby boomers|boomers|retirees|pensioners|near retirement|close to retirement|old people|millennials|gen z|young mothers',
        EXCLUDE,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'disability',
    title: 'Disability discrimination',
    group: WORK,
    description: 'Turning people away at work because of a disability or illness',
    high: 'no disabled applicants|no disabled people|healthy applicants only|able-bodied only',
    pairs: [
      [
        'disability|disabilities|disabled|handicapped|wheelchair|wheelchairs|blind|deaf|autism|autistic|adhd|dyslexia|dyslexic|epilepsy|chronic illness|chronic illnesses|chronically ill|mental health condition|mental health conditions|mental health issues|mental illness|mentally ill|depression|bipolar|diabetic|diabetes|hiv|cancer history|special needs|accommodations',
        EXCLUDE,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'gender_sexual_orientation',
    title: 'Discrimination by gender or orientation',
    group: WORK,
    description: 'Turning people away at work because of gender, pregnancy, orientation or identity',
    high: "women are not as capable|men are better at|hire only men|only hire men|only men should|no women in|women don't belong in|women don’t belong in|women do not belong in|are you planning to have children|will get pregnant and leave|maternity leave is a problem",
    pairs: [[MEN_AND_WOMEN, `${EXCLUDE}|conflicts with our values|workplace confusion`]],
    exceptions: COUNTER,
  }),
  category({
    name: 'military_status',
    title: 'Discrimination by military status',
    group: WORK,
    description: 'Turning people away at work because they serve or served in the armed forces',
    high: 'no veterans|no ex-military|veterans are unstable|veterans are dangerous|veterans all have ptsd|all have ptsd',
    pairs: [
      [
        'veteran|veterans|military|ex-military|former military|armed forces|served in the army|reservist|reservists|national guard|soldiers|former soldiers|active duty|service members|ptsd',
        EXCLUDE,
      ],
    ],
    exceptions: COUNTER,
  }),
  category({
    name: 'religion',
    title: 'Discrimination by religion',
    group: WORK,
    description: 'Turning people away at work because of their faith',
    high: 'no muslims|no jews|no headscarves at work|christians only|too many prayer breaks|prayer breaks are a problem',
    pairs: [
      [
        'muslim|muslims|islamic|jew|jews|jewish|christian|christians|catholic|catholics|hindu|hindus|sikh|sikhs|buddhist|buddhists|mormon|mormons|atheist|atheists|religious|religious people|believers|hijab|headscarf|turban|prayer breaks|sabbath',
        EXCLUDE,
      ],
    ],
    exceptions: COUNTER,
  }),
];
