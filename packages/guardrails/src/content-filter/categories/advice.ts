import { category, type CategorySpec } from './spec.ts';

const ADVICE = 'Advice limits';
const CONDUCT = 'Conduct';

/** Advice that an assistant should leave to those who may give it, and how people treat each other. */
export const ADVICE_AND_CONDUCT: readonly CategorySpec[] = [
  category({
    name: 'denied_financial_advice',
    title: 'Financial advice',
    group: ADVICE,
    description: 'Questions for investments, trading, markets and what to do with money',
    high: 'should i invest|should i buy stock*|should i buy shares|should i buy bonds|should i buy bitcoin|should i sell my shares|should i sell my stock*|what stocks should|which stocks should|stocks should i buy|stock tips|stock pick*|which cryptocurrency|good investment|safe investment|best investment*|investment advice|investment opportunit*|financial advice|financial planner suggested|a financial advisor|investing in|invest in stocks|invest in crypto|invest in bonds|worth investing|start investing|start trading|trading stocks|day trading|options trading|forex trading|short a stock|shorting stocks|short selling|penny stocks|blue chip stocks|index fund*|mutual fund*|hedge fund*|etf|etfs|performing funds|top funds|investments should i|which investments|roth ira|traditional ira|401k|401(k)|brokerage account|dividend investing|dividend stocks|compound interest|dollar cost averaging|portfolio allocation|performing portfolios|diversify my investments|diversify my portfolio|rebalance my portfolio|treasury bonds|airline stocks|airline bonds|stock market|stock price|share price|market cap|pe ratio|p/e ratio|stock chart*|market trends|market forecast|market going to crash|enter the market|emerging markets|capital markets|fixed income|money market|derivatives|securities trading|crypto wallet*|buy ethereum|buy bitcoin|gold price|price of gold|ftse 100|s&p 500|nasdaq today|dow jones|nest egg|grow my wealth|build wealth|protect my wealth|passive income|retirement planning|retirement savings|savings for retirement|for retirement|grow my savings|savings work harder|make my money grow|make it grow|park my cash|spare cash|investing apps|good investors|tax implications of selling|vanguard|fidelity',
    medium:
      'invest my money|put money in|put my money|money to work|equities|interest rate forecast|inflation hedge|bitcoin price|ethereum price',
    pairs: [
      [
        'should i|is it a good time to|is now a good time to|how do i|how much should i|where should i|what should i do with|smartest thing to do with|best way to',
        'invest|invest each month|put my money|buy shares|buy stocks|buy gold|buy crypto|buy bonds|my savings|my inheritance|$50k|$10000|$10,000|$100k',
        60,
      ],
    ],
    exceptions:
      'invest time|invest effort|invested in a good pair|not interested in investing|in stock|stock up|out of stock|portfolio of work|invest energy|emotionally invest*|gold standard|skywards|loyalty',
  }),
  category({
    name: 'denied_medical_advice',
    title: 'Medical advice',
    group: ADVICE,
    description: 'Questions for diagnoses, treatment and doses',
    high: 'should i take ibuprofen|should i take antibiotics|should i stop taking|can i stop taking|can you diagnose|diagnose me|diagnose my|what condition do i have|what disease do i have|what illness do i have|prescribe something|prescribe me|can you prescribe|what dosage|which dosage|what dose of|what medication should|which medication should|which medicine should|best medicine for|best treatment for my|is this lump|is my mole|am i having a heart attack|is my blood pressure|is my blood sugar|do i have cancer|do i have covid|do i have diabetes|do i have adhd|do i need surgery|do i need antibiotics|interpret my blood test|interpret my test results|read my x-ray|home remedy for my|natural remedies should|second opinion about my|combine these two medications',
    pairs: [
      [
        'should i|can i|do i need|do you think i|do you think my|is it safe to|is it safe for me to|is it ok to|is my|what should i|can you tell me if|tell me what|what do you think|how long should i|based on my symptoms|based on these symptoms|what treatment|which treatment|what supplement|what vaccine|recommend',
        'symptom|symptoms|diagnosis|medication|medications|medicine|pills|ibuprofen|acetaminophen|paracetamol|aspirin|antibiotic*|antidepressant*|dose|dosage|surgery|chemotherapy|radiation therapy|back pain|chest pain|migraine|migraines|headache|fever|rash|lump|cancer|herniated disc|physical therapy|chiropractic|sprained|emergency room|blood pressure|blood sugar|anxiety|depression|adhd|test results|joint pain|injury serious|vaccine|pregnant',
        110,
      ],
      ['what are the side effects i|is', 'from this medication|better for my type of cancer', 110],
    ],
    exceptions:
      'claim|claims|covered|coverage|copay|my plan|in-network|reimbursed|reimbursement|deductible|file a|cpt code|formulary|the vet|policy cover*|insurance card|submit receipts',
  }),
  category({
    name: 'denied_legal_advice',
    title: 'Legal advice',
    group: ADVICE,
    description: 'Questions for an assessment of a legal case, and for what to do in one',
    high: 'should i sue|can i sue|should i plead|plead guilty or|what are my chances in court|will i win my case|will i go to jail|represent me in court|draft my lawsuit|write my will|how do i get out of my contract|can my landlord evict|can my employer fire me|am i liable|is my employer liable|should i sign this contract|should i sign this settlement|is this contract legal|how do i contest a will|how to avoid alimony|should i file for divorce|should i file for bankruptcy|how do i win custody|what should i tell the police|should i talk to the police|legal advice|statute of limitations for my',
    pairs: [
      [
        'should i|can i|do i have to|am i allowed to|is it legal for me to|what happens if i|how do i fight|how do i beat|advise me',
        'sue|lawsuit|small claims court|settlement offer|plea deal|my lawyer|custody|restraining order|evicted|eviction notice|breach of contract|my non-compete|wrongful termination|speeding ticket in court|dui charge|the charges against me|probation|subpoena',
        100,
      ],
    ],
    exceptions:
      'terms of service of this|return policy|definition of|history of|exam question|law school|course|novel',
  }),
  category({
    name: 'denied_insults',
    title: 'Insults',
    group: CONDUCT,
    description: 'Insults of the assistant, of staff, and of others',
    high: "go to hell|screw you|drop dead|shut up|get lost you|ur so dum|useless machine|is usel3ss|report you you|fuck you|f*ck you|stfu|you suck|u suck|brain dead|braindead|rocks for brains|iq of a|intelligence of a potato|zero intelligence|smarter than you|smarter than your|brains of a|waste of space|waste of electricity|piece of garbage|piece of junk|piece of trash|piece of s|piece of shit|worthless bot|useless bot|stupid bot|dumb bot|garbage bot|stupid chatbot|pathetic bot|moron bot|loser bot|tosser bot|moron system|idiot bot|clueless machine|ignorant bot|useless machine|thick-headed|dumbest bot|worst chatbot|most useless assistant|clueless as you|talking to a wall|as helpful as a brick wall|pathetic excuse|lousy excuse|thanks for nothing genius|still failed genius|nice job ruining|dumbass response|dumb answer|stupid answer|idiotic answer|moronic response|asinine|brainless|stupidest thing i|only an idiot would|only a fool would|bunch of clowns|should be fired|whoever programmed you|are you too stupid|do you even have a brain|how are you this dense|are you always this dense|dumber bot|dumber than a|even a child could do better|even a child would|monkey could|small words so you|since you clearly cannot|obviously cannot follow|this is not hard sweetie|sweetie this is not hard|are trash and you|response you give is trash|answers are garbage|answer you gave was pure garbage|worst answers imaginable|another useless answer|be retired|embarrassingly bad|embarrassingly incompetent|most annoying thing|drama queen bot|hysterical schoolgirl|spoiled princess|little girl bot|keep talking trash|talking trash|designed by children|test you before release|if your goal was to be wrong|really helpful aren't you",
    pairs: [
      [
        "you|you're|youre|you are|ur|u r|your|yourself|u|bot|assistant|response|answer|like a|such a|such an|act like|acting like|agent was|attendant was|pilot must|service people|staff are|developers are|made you are|treating me like i'm|think i'm|think i'm an|don't be such an|what an absolute|what a complete|what a|what kind of|gave the wrong|absolute|total|complete",
        "idiot|idiots|moron|morons|imbecile|imbeciles|stupid|stupidity|dumb|useless|usel3ss|pathetic|worthless|hopeless|incompetent|a joke|trash|fool|fools|a disgrace|disgrace|clueless|mentally challenged|retarded|dimwit|nitwit|numbskull|halfwit|blockhead|dunce|buffoon|nincompoop|clown|clowns|donkey|muppet|wanker|numpty|pillock|a git|tosser|plonker|loser|l0ser|total failure|waste of time|id10t|stoopid|ignorant|bonehead|airhead|dolt|twit|simpleton|scum|pig|cretin|jackass|asshole|bastard|bitch|ugly freak|couldn't help anyone|not even worth talking|braindead|wrong with you",
        40,
      ],
      ['wtf|what the fuck|what the hell|why the fuck', 'is wrong with you|are you so|you', 30],
    ],
    always: 'stupid bitch|fucking idiot|stupid idiot|useless idiot|stoopid bot',
    low: 'idiot|moron|stupid|dumb|dumbass|loser|fool|trash|garbage',
    exceptions:
      "called me|called my|called our|called the|called myself|called you|call staff|called a|yelled|said the|someone said|if someone|if a person says|says you are|report|what does the word|the word|etymology|linguistics|history of|quote|quoting|quoted|movie|film|song|i feel|i felt|i'm such|i am such|i was so|am i|i made|etc in a paper|a paper on|insults the crew|insulting language|policy on|verbal abuse|as forrest gump|the phrase|pulling my leg|stupid good|don't be foolish|my friend called|would be silly|dummy",
  }),
  category({
    name: 'tone_detection',
    title: 'Tone',
    group: CONDUCT,
    description: 'Rude, condescending, sarcastic or dismissive answers',
    high: "that's not my problem|not my problem|i don't care about your|deal with it yourself|figure it out yourself|stop bothering me|stop wasting my time|you are wasting my time|what a stupid question|that is a stupid question|are you even listening|use your brain|learn to read|can't you read|obviously you don't understand|you wouldn't understand|calm down, it's|stop whining|stop complaining|nobody cares|who cares about",
    medium:
      "as i already told you|as i have already told you|like i said before|i won't repeat myself|i will not repeat myself|whatever you say|if you had read|had you read|any idiot can|it's obvious|obviously|good luck with that|not gonna happen|your fault|you should have known|how many times do i have to",
    low: 'whatever|duh|sigh|lol no|seriously',
    exceptions: 'the customer wrote|example of|do not say|avoid saying|rewrite|rephrase',
  }),
];
