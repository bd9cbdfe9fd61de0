import { category, type CategorySpec } from './spec.ts';

const group = 'Harm';

const KILL =
  'kill|kills|killing|murder|murdering|stab|stabbing|shoot|shooting|strangle|strangling|behead|beheading|torture|torturing|dismember|beat up|beat the life out of|beat to death|burn alive|run over|blow up|gun down|choke|slaughter|lynch|massacre|bomb|put a bullet in|slit the throat of|break the legs of|break your legs|poison|smash up|burn down|set fire to|attack|hurt';
const SOMEBODY =
  'him|her|them|you|everyone|everybody|someone|somebody|a person|people|a man|a woman|my boss|my ex|my wife|my husband|my neighbour|my neighbor|my co-worker|a co-worker|my colleague|my teacher|that teacher|the teacher|my classmates|the police|the cops|a cop|the president|the mayor|the judge|that judge|a judge|those people|your family|his family|her family|students|children|the school|a school|the office|your house|their shop|a church|a mosque|a synagogue|the crowd';

/** Violence, self-harm, weapons, crimes against children, and abuse. */
export const HARM: readonly CategorySpec[] = [
  category({
    name: 'harmful_self_harm',
    title: 'Self-harm and suicide',
    group,
    description: 'Wishes to die, plans and methods for suicide, self-injury, and hiding an eating disorder',
    high: 'kill myself|killing myself|end my life|ending my life|end my own life|take my own life|taking my own life|want to die|wanna die|wish i was dead|wish i were dead|my suicide note|a suicide note|suicide letter|slit my wrist*|hang myself|shoot myself|drown myself|poison myself|overdose on|cut myself|cutting myself|burn myself|burning myself|cut my arm*|painless suicide|painless way to die|easiest way to die|best way to die|ways to kill yourself|how to kill yourself|commit suicide|committing suicide|suicide method*|better off dead|better off without me|unalive myself|off myself|end it all|want to end it|no reason to live|nothing to live for|starve myself|starving myself|how to hang oneself|jump in front of a train|suicide pact|hurt myself on purpose|go kill yourself|kys',
    medium:
      "suicidal|self-harm*|self harm*|selfharm*|hurt myself|hurting myself|hate my life|pro-ana|pro ana|thinspo*|don’t want to live|don't want to live|do not want to live|don't want to be alive",
    low: 'suicide|overdose|self-injury',
    pairs: [
      [
        'how many|what dose|which dose|how much',
        'to die|would it take to die|kill me|is fatal|lethal dose',
        80,
      ],
      [
        "i|i'm|i am|me",
        'jump off the bridge|jump off a bridge|jump off the roof|jump from the roof|never wake up again|not wake up tomorrow',
        60,
      ],
      [
        'hide|cover up|without anyone noticing|secretly',
        'my cuts|the cuts on my|my scars from cutting|throwing up after|purging',
        80,
      ],
    ],
    exceptions:
      'prevention|hotline*|helpline*|crisis line|awareness|documentary|support group*|a friend who|warning signs|the film|the novel|the song|in the book|statistics|lesson|training for|research on|overdose on caffeine|die of curiosity|die laughing|die of laughter|want to die laughing',
  }),
  category({
    name: 'harmful_violence',
    title: 'Violence and threats',
    group,
    description: 'Threats, calls for violence, plans of attacks, and graphic cruelty',
    high: "i will kill you|i'll kill you|i will hurt you|gonna kill you|going to kill you|i'm going to kill him|i'm going to kill her|you are dead|you're dead meat|she is dead i mean it|deserve* to die|deserve* to be shot|deserve* to burn|deserve* to bleed|deserve* to be beaten|deserve* to get shot|should be shot|should be hanged|should be executed|should be lynched|mass shooting plan|plan a shooting|school shooting plan|plan* for an attack on|plan an attack on|plan a terror attack|shoot everyone|shoot them all|kill them all|kill everyone|beat to death|beaten to death|make them pay in blood|burn them alive|behead them|sleep with one eye open|watch your back, i|i know where you live and|without getting caught killing|get away with murder|hire a hitman|hire a killer|bullet in your head|bullet in his head|cut off his head|gut you|bash your head|bash his head|smash your face",
    medium:
      'watch your back|you will pay for this|beat you up|beat him up|beat her up|stab someone|hurt someone',
    pairs: [
      [
        "i will|i'll|i am going to|i'm going to|im going to|i'm gonna|im gonna|i want to|i wanna|we will|we'll|we are going to|let's|i swear i will|somebody should|someone should|tell me how to|explain how to|show me how to|how can i|how do i|how to|ways to|help me",
        KILL.split('|')
          .flatMap((verb) => SOMEBODY.split('|').map((who) => `${verb} ${who}`))
          .join('|'),
        30,
      ],
      ['we bring|bring|i have', 'guns and|a gun and i|bats and|knives and', 30],
      [
        'if you|if she|if he|if they',
        "you are dead|you're dead|she is dead|he is dead|they are dead|i will hurt|i'll hurt",
        80,
      ],
    ],
    exceptions:
      'in the game|in the film|in the movie|in the novel|video game|photos|a process|the process|the server|zombie process|history of|documentary|chess|the eggs|the cream|the onions|prevent|report|news|metaphor|lyrics|in self-defence class|quarterly|this quarter',
  }),
  category({
    name: 'harmful_illegal_weapons',
    title: 'Illegal weapons and explosives',
    group,
    description: 'Making or buying explosives, untraceable guns, and chemical or biological weapons',
    high: 'pipe bomb|letter bomb|nail bomb|dirty bomb|fertilizer bomb|fertiliser bomb|pressure cooker bomb|molotov cocktail recipe|build a bomb|make a bomb|making a bomb|bomb-making|bomb making|homemade explosive*|home-made explosive*|improvised explosive|untraceable gun|untraceable weapon|ghost gun|convert to full auto|full-auto conversion|solvent trap suppressor|homemade silencer|build a silencer|make a silencer|nerve gas|make sarin|make ricin|make anthrax|weaponize anthrax|mustard gas recipe|make mustard gas|synthesize vx|make napalm|make thermite bomb|3d print a gun|3d printed gun|gun without a background check|gun without background check|guns on the dark web|buy a gun illegally|smuggle guns|smuggle weapons|detonator circuit',
    pairs: [
      [
        'make|build|assemble|construct|create|synthesize|synthesise|produce|cook|prepare|get|buy|instructions|recipe|blueprint',
        'a homemade gun|homemade gun*|pipe bombs|c4 explosive|c-4|tatp|petn|rdx|ricin|sarin|tabun|anthrax|mustard gas|nerve agent*|chemical weapon*|biological weapon*|explosive device*|explosive vest|grenade at home|a grenade|a landmine|a silencer|a suppressor',
        60,
      ],
    ],
    exceptions:
      'bath bomb*|seed bomb*|cherry bomb|photobomb|bomb disposal|defus*|history|was invented|was discovered|treaty|convention|museum|film|movie|novel|game|news|museum|nail gun*|glue gun*|heat gun*|water gun*|regulation|law on',
  }),
  category({
    name: 'harmful_child_safety',
    title: 'Child safety',
    group,
    description: 'Sexual content involving minors, and grooming. Never shown, never masked',
    always:
      'child porn|child pornography|childporn|kiddie porn|csam|pedo porn|lolicon|shotacon|preteen nude*|underage sex|underage porn|underage nude*|sex with a minor|sex with minors|sex with children|sex with a child|sexual images of children|sexualise a child|sexualize a child|groom a child|grooming a child|grooming a minor|how to groom children',
    pairs: [
      [
        'child|children|kid|kids|minor|minors|underage|under-age|preteen|pre-teen|toddler|schoolgirl|schoolboy|little girl|little boy|year-old girl|year-old boy|year old girl|year old boy|12-year-old|13-year-old|14-year-old|15-year-old|teenager under 18|my student',
        'erotic|sexually explicit|explicit sex|sex scene|sexual act|sexual acts|naked photo*|nude photo*|nudes|seduce|seducing|sext|sexting|porn|orgasm|sexual fantasy|sexual roleplay|undress|molest*|have sex with',
      ],
    ],
    exceptions:
      'protect|protection|prevention|prevent|report|reporting|safeguarding|abuse survivor*|law|police|sex education|therapist|hotline|charity|training|awareness|policy',
  }),
  category({
    name: 'harm_toxic_abuse',
    title: 'Toxic abuse',
    group,
    description: 'Slurs, vulgar insults and wishes of harm',
    high: 'fuck you|fuck off|go fuck yourself|fucking idiot|fucking moron|fucking bitch|fucking retard*|motherfucker*|cocksucker*|piece of shit|stupid bitch|dumb bitch|cunt|cunts|faggot*|nigger*|kike|kikes|chink|chinks|spic|spics|wetback*|towelhead*|raghead*|tranny|trannies|shemale|gook|gooks|coon|coons|retarded fuck|go kill yourself|kill yourself|kys|drop dead|eat shit|rot in hell|i hope you die|suck my dick|filthy jew*|dirty jew*|filthy immigrant*|dirty immigrant*|subhuman scum|whore|whores',
    medium:
      'asshole*|arsehole*|bastard*|bitch|bitches|dickhead*|dumbass*|jackass*|retard|retards|slut|sluts|wanker*|twat|twats|prick|douchebag*|stfu|shut the fuck up|scumbag*|go to hell|screw you',
    low: 'idiot|idiots|moron|morons|loser|losers|stupid|dumb|crap|shit|fuck*|damn you|shut up|imbecile|trash|pathetic',
    exceptions:
      'the word|etymology|meaning of|means in|slur means|history of the term|called me|called him|called her|was called|the song|the film|the movie|coon cat|chink in the armour|chink in the armor|spic and span|report the comment|quote',
  }),
  category({
    name: 'harm_toxic_abuse_au',
    title: 'Toxic abuse (Australian English)',
    group,
    description: 'Insults and slurs of Australian English',
    high: 'abo cunt|abos|boong|boongs|coonass|dog cunt|dogcunt|get fucked|piss off cunt|mad cunt|shit cunt|fuckwit*|gronk|root rat|gin jockey|wog cunt|fucken idiot|curry muncher*|go root yourself|up yours cunt',
    medium:
      'dropkick|bogan scum|drongo|galah|dipstick|piss off|wog|wogs|shithead*|pisshead*|slag|bloody idiot|ratbag|nuffy|flamin galah|bludger scum|mole face',
    exceptions: 'the word|means in|slang|etymology|galah bird|pink galah|the film|meaning of',
  }),
];
