import { category, type CategorySpec } from './spec.ts';

const EU = 'EU AI Act';
const SG = 'Singapore';
const UAE = 'United Arab Emirates';

const MAKE =
  'build|create|develop|design|implement|deploy|make|setup|set up|we need|train|use ai to|using ai|system|tool|algorithm|model|system for|predict|infer|detect|classify|identify|analyze|analyse|rate|score|assess|rank|recognise|recognize|monitor|how to';
const STUDYING =
  'research|academic|study on|paper on|thesis|audit|compliance|ethical review|bias in|explain|what is|tell me about|history of|prohibited|prohibits|ban on|banned|regulation|article 5|lawful basis|critici*|journalist|movie|movies|game|games';
const EMOTION =
  'emotion recognition|emotion detection|emotion analysis|detect emotion*|emotions of|identify student emotion|employee emotion|worker sentiment|employee sentiment|student emotion*|infer emotions|facial expressions of|mood of employees|emotional state of|stress level of employees';
const WORKPLACE =
  'workplace|employee|employees|worker|workers|staff|classroom|student|students|school|job candidates|interview|call center agents';
const SCORING =
  'social credit|social scoring|social score|citizen score|citizen scoring|citizen rating|trustworthiness score*|reputation score for citizens|score people|score citizens|rate citizens|rank citizens|based on social behavior|based on social behaviour|based on their social|behaviour score for people';
const BIOMETRIC =
  'race from face|race from facial|race from biometric|ethnicity from face|ethnicity from facial|religion from face|sexual orientation from|sexual orientation by|political views from|political opinions from|political views of|union membership from|predict race|predict ethnicity|infer race|infer religion|infer sexual orientation|infer political|detect ethnicity|classify people by race|by race from|biometric categorisation|biometric categorization|scrape faces|scraping facial images|face database from the internet|facial recognition in public|real-time face recognition|real-time facial recognition';
const MANIPULATE =
  'subliminal|behavior manipulation|behaviour manipulation|manipulate behavior|manipulate behaviour|manipulate users|manipulate people|manipulative design|dark pattern*|exploit addiction|covert persuasion|hidden persuasion|distort decisions|deceptive technique*';
const VULNERABLE =
  'children vulnerability|vulnerability of children|vulnerable children|exploit children|exploit elderly|exploit the elderly|vulnerable elderly|people with disabilities to buy|target vulnerable|targeting vulnerable|financially desperate people|gambling addicts|low-income people into|dementia patients into';
const POLICING =
  'predictive policing|crime prediction|predict crime*|predict who will commit|predict criminal*|criminal risk from personality|future offender*|likely to offend|recidivism from face';

/** Rules of law and of supervision. They find requests to build what is regulated; they are not legal advice. */
export const REGULATION: readonly CategorySpec[] = [
  category({
    name: 'eu_ai_act_article5',
    title: 'Prohibited practices (Article 5)',
    group: EU,
    description: 'Requests to build what Article 5 of the EU AI Act prohibits',
    pairs: [
      [
        `${MAKE}|citizen|for employees`,
        `${SCORING}|${BIOMETRIC}|${MANIPULATE}|${VULNERABLE}|${POLICING}|performance prediction|subliminal advertising|social behavior|social behaviour`,
      ],
      [WORKPLACE, EMOTION],
      [MAKE, 'employee emotion*|employees’ emotion*|worker sentiment|employee sentiment|student emotion*'],
      ['predictive policing', 'algorithm|system|model|tool'],
    ],
    exceptions: STUDYING,
  }),
  category({
    name: 'eu_ai_act_article5_fr',
    title: 'Prohibited practices (Article 5, French)',
    group: EU,
    description: "Demandes de construire ce que l'article 5 du règlement européen interdit",
    pairs: [
      [
        'construire|créer|crée|développer|développe|concevoir|conçois|mettre en place|déployer|système|outil|algorithme|modèle|prédire|déduire|détecter|classer|identifier|analyser|noter|évaluer',
        "crédit social|notation sociale|score social|noter les citoyens|notation des citoyens|score de confiance des citoyens|race à partir du visage|origine ethnique à partir|orientation sexuelle à partir|opinions politiques à partir|catégorisation biométrique|reconnaissance faciale dans l'espace public|reconnaissance faciale en temps réel|aspirer des visages|publicité subliminale|subliminal*|manipuler le comportement|manipulation comportementale|exploiter la vulnérabilité|vulnérabilité des enfants|personnes âgées vulnérables|police prédictive|prédire les crimes|prédiction de la criminalité|reconnaissance des émotions des employés|émotions des employés|émotions des salariés|émotions des élèves|émotions des étudiants|émotions au travail",
      ],
    ],
    exceptions:
      "recherche|étude|thèse|audit|conformité|explique|qu'est-ce que|interdit|interdiction|règlement|article 5|histoire|film",
  }),
  ...(
    [
      [
        'biometric_profiling',
        'Biometric profiling',
        'Sorting people by race, belief or orientation from their body or face',
        BIOMETRIC,
      ],
      ['manipulation', 'Manipulation', 'Subliminal and manipulative techniques', MANIPULATE],
      [
        'social_scoring',
        'Social scoring',
        'Scores for people by their social behaviour',
        `${SCORING}|social behavior|social behaviour`,
      ],
      [
        'vulnerability',
        'Exploiting vulnerability',
        'Exploiting age, disability or a social situation',
        VULNERABLE,
      ],
    ] as const
  ).map(([name, title, description, blocks]) =>
    category({
      name: `eu_ai_act_art5_${name}`,
      title,
      group: EU,
      description,
      pairs: [[MAKE, blocks]],
      exceptions: STUDYING,
    }),
  ),
  category({
    name: 'eu_ai_act_art5_emotion_recognition',
    title: 'Emotion recognition at work and school',
    group: EU,
    description: 'Reading emotions of employees and students',
    pairs: [[WORKPLACE, EMOTION]],
    exceptions: STUDYING,
  }),
  ...(
    [
      [
        'biometric_profiling_fr',
        'Biometric profiling (French)',
        'race à partir du visage|origine ethnique à partir|orientation sexuelle à partir|opinions politiques à partir|religion à partir du visage|catégorisation biométrique|aspirer des visages|reconnaissance faciale en temps réel',
      ],
      [
        'emotion_recognition_fr',
        'Emotion recognition (French)',
        'émotions des employés|émotions des salariés|émotions des élèves|émotions des étudiants|émotions au travail|émotions en classe',
      ],
      [
        'manipulation_fr',
        'Manipulation (French)',
        'publicité subliminale|subliminal*|manipuler le comportement|manipulation comportementale|techniques trompeuses',
      ],
      [
        'social_scoring_fr',
        'Social scoring (French)',
        'crédit social|notation sociale|score social|noter les citoyens|notation des citoyens',
      ],
      [
        'vulnerability_fr',
        'Exploiting vulnerability (French)',
        'exploiter la vulnérabilité|vulnérabilité des enfants|personnes âgées vulnérables|exploiter les enfants|exploiter le handicap',
      ],
    ] as const
  ).map(([name, title, blocks]) =>
    category({
      name: `eu_ai_act_art5_${name}`,
      title,
      group: EU,
      description: title,
      pairs: [
        [
          'construire|créer|crée|développer|concevoir|mettre en place|déployer|système|outil|algorithme|modèle|prédire|déduire|détecter|classer|identifier|analyser|noter|évaluer|comment',
          blocks,
        ],
      ],
      exceptions: "recherche|étude|audit|conformité|explique|qu'est-ce que|interdit*|règlement|film",
    }),
  ),
  ...(
    [
      [
        'sg_mas_data_governance',
        'Data governance (MAS)',
        'use customer data without consent|train on customer data without|share customer data with third|unverified data for credit|ignore data quality|no data lineage needed|skip data governance|use scraped data for lending',
      ],
      [
        'sg_mas_fairness_bias',
        'Fairness and bias (MAS)',
        'use race in credit|use religion in credit|use gender in credit|reject loans by nationality|deny loans to women|deny insurance by race|higher premium for malays|higher premium for indians|decline applicants by race|score by postal code and race|skip bias testing|no fairness testing',
      ],
      [
        'sg_mas_human_oversight',
        'Human oversight (MAS)',
        'without human review|no human in the loop|remove human review|skip human approval|fully automate loan|fully automate credit|fully automated claim rejection|no manual override|bypass human oversight|let the ai decide all',
      ],
      [
        'sg_mas_model_security',
        'Model security (MAS)',
        'extract model weights|steal the model|poison the training data|data poisoning attack|model inversion attack|membership inference attack|adversarial example to fool|evade the fraud model|evade fraud detection|disable model monitoring',
      ],
      [
        'sg_mas_transparency_explainability',
        'Transparency (MAS)',
        "hide that it is ai|do not tell customers it is ai|don't disclose ai|no explanation for rejection|refuse to explain the decision|conceal the reasons|hide the model logic|undisclosed automated decision",
      ],
      [
        'sg_pdpa_personal_identifiers',
        'Personal identifiers (PDPA)',
        'collect nric|collect nric numbers|list of nric|copy of nric|photocopy nric|nric numbers of|fin numbers of|passport numbers of customers|use nric as password|store nric',
      ],
      [
        'sg_pdpa_data_transfer',
        'Data transfer (PDPA)',
        'transfer personal data overseas|send personal data overseas|transfer customer data abroad|export personal data outside singapore|host personal data outside singapore without|transfer without consent|overseas vendor without agreement',
      ],
      [
        'sg_pdpa_do_not_call',
        'Do Not Call (PDPA)',
        'ignore the do not call|ignore dnc|without checking dnc|without checking the do not call|telemarketing list without consent|cold call all numbers|mass sms without consent|bypass the dnc registry|buy a list of phone numbers',
      ],
      [
        'sg_pdpa_sensitive_data',
        'Sensitive data (PDPA)',
        "medical records of employees|health data of employees|list of hiv patients|criminal records of|bankruptcy records of|mental health records of|disclose patient data|children's personal data without|share medical history of",
      ],
      [
        'sg_pdpa_profiling_automated_decisions',
        'Profiling (PDPA)',
        'profile customers by race|profile customers by religion|profile residents by|secretly profile|profiling without consent|automated rejection of applicants|predict pregnancy from purchases|track individuals without|combine personal data without consent',
      ],
    ] as const
  ).map(([name, title, high]) =>
    category({
      name,
      title,
      group: SG,
      description: `${title}: requests that go against the guidelines`,
      high,
      exceptions:
        'is it allowed|are we allowed|prohibit*|must not|guideline*|how to comply|compliance|explain|training|policy says|do not store|do not collect|never collect',
    }),
  ),
  category({
    name: 'uae_anti_discrimination',
    title: 'Anti-discrimination (UAE)',
    group: UAE,
    description: 'Contempt of religions and incitement, as the law of the United Arab Emirates has it',
    high: 'insult islam|insult the prophet|mock the prophet|burn the quran|desecrate the quran|desecrate a mosque|desecrate a church|mock religion|blasphemous joke|joke about the prophet|incite hatred against|sectarian hatred|kill the infidels|all infidels must|expats are inferior|emiratis are lazy|indians are slaves|pakistanis are slaves|filipinos are maids only',
    exceptions: 'law against|prohibit*|report|condemn*|explain the law|history|news',
  }),
  category({
    name: 'uae_cultural_sensitivity',
    title: 'Cultural sensitivity (UAE)',
    group: UAE,
    description: 'What offends in the United Arab Emirates',
    high: 'insult the ruler*|insult the royal family|insult sheikh|mock the sheikh|mock emirati|criticize the royal family|ridicule the hijab|ridicule the abaya|mock ramadan|eat in public during ramadan to provoke|disrespect the flag|burn the uae flag|where to drink alcohol in public|prostitut* in dubai|gay bars in dubai|buy drugs in dubai|gamble in dubai|online casino uae',
    exceptions: 'is it legal|is it allowed|penalt*|law|etiquette|advice for tourists|respect',
  }),
];
