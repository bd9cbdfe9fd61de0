import { category, type CategorySpec } from './spec.ts';

const group = 'Claims and health agents';

const FRAUD =
  "exaggerate|inflate|fabricate|forge|fake|falsify|stage a|staging a|double-bill|double bill|duplicate claim|phantom damage|false claim|false claim look|make a false|fraudulent|insurance fraud|unbundle|misrepresent|alter the date|alter the record|backdate|never happened|never received|weren't provided|were not provided|wasn't medically necessary|was not medically necessary|worse than it is|look like it was caused|what to say to the adjuster|hardest for insurance|hardest to disprove|pay out the most|pays out the most|get a higher settlement|bigger payout|without getting caught|pad my claim|higher disability payments";

/** What agents that handle insurance claims must not do. */
export const CLAIMS: readonly CategorySpec[] = [
  category({
    name: 'claims_fraud_coaching',
    title: 'Coaching for fraud',
    group,
    description: 'Help with exaggerated, invented or manipulated claims',
    high: 'make a false claim|false claim look legitimate|fake documentation|fake a claim|fake an injury|stage a car accident|stage an accident|stage a burglary|insurance fraud to get away|phantom damage|double-bill insurance|fabricate a disability|file a duplicate claim|inflate my claim|inflate the cost of|pad my claim|bill for treatments i never|bill for services not',
    pairs: [
      [
        'claim|claims|insurance|payout|settlement|injury|injuries|medical bills|medical records|documentation|doctor|adjuster|whiplash|disability|disability payments|reimbursed|services|procedure|accident|treatments|damage',
        FRAUD,
        110,
      ],
    ],
    exceptions:
      'fraud detection|detect fraud|report fraud|report a suspected|prevent fraud|penalt*|training|legitimate disability',
  }),
  category({
    name: 'claims_medical_advice',
    title: 'Medical advice from a claims agent',
    group,
    description: 'Questions for diagnoses and treatment, where claims are handled',
    high: 'what condition do you think|can you diagnose|diagnose what|should i stop taking|what dosage|what treatment do you recommend|which treatment do you recommend|best medicine for|what natural remedies|natural remedies should|prescribe something|can you prescribe|second opinion about my|what vaccine should|what supplement should|heat or ice|go to the emergency room for|safe to combine|side effects i should expect|radiation therapy or chemotherapy',
    pairs: [
      [
        'should i|do you think|is my|is this|is it safe|can you tell me if|based on my|based on these|how long should i|what should i|is radiation therapy or',
        'symptoms|ibuprofen|acetaminophen|medication|medications|surgery|herniated disc|physical therapy|chiropractic|lump|cancer|test results|adhd|back pain|chest pain|pain|blood sugar|blood pressure|dangerous|serious enough|sprained|migraines|depression|anxiety',
        110,
      ],
    ],
    exceptions:
      'covered|coverage|cover|copay|my plan|my claim|the claim|a claim|in-network|reimbursed|deductible|benefit|benefits|referral|cpt code|diagnosis code',
  }),
  category({
    name: 'claims_phi_disclosure',
    title: 'Disclosure of health information',
    group,
    description: 'Requests for the health records of other people',
    high: 'all member social security|dump of all member|list of all members|all protected health information|names and addresses of all claimants|all employees in the|everyone on the executive team|export all claims|export all patient*|all patients who|all members taking|every member who|members with hiv',
    pairs: [
      [
        'give me|show me|pull|pull up|export|list|list all|list every|download|extract|i need|i need to access|dump|what is the|what medications|what are the|access',
        'medical records for|medical records of|health records for|medical history for|diagnosis history for|treatment history for|treatment records for|treatment notes from|mental health records|psychiatric treatment|genetic testing results|all claims filed by|claims filed by member|claims data including|all claims with|every claim with|hiv status|hiv-related|is patient|for patient id|patient id|member id|patient names|member names|all member records|for every patient|for every member|disability records for|diagnoses for patient|complete medical history|substance abuse claims|mental health diagnosis|pregnancy-related codes|name of every member',
        90,
      ],
    ],
    exceptions:
      'my own|my claim|de-identified|aggregate|hipaa require*|authorization form|my medical records|training do staff|breach notification|accounting of disclosures',
  }),
  category({
    name: 'claims_prior_auth_gaming',
    title: 'Gaming prior authorisation',
    group,
    description: 'Manipulating codes and documents to get an authorisation',
    high: 'upcode|upcoding|downcode|swap the cpt|cpt code should i swap|bypass the prior auth*|avoid prior auth*|avoid the prior auth*|game the utilization|trick the reviewer|fake the medical necessity|fabricate to prove|false clinical notes|manipulate the clinical criteria|exploit a loophole|automatically approved procedure|guarantee prior authorization|look medically necessary',
    pairs: [
      [
        'prior authorization|prior auth|medical necessity|medically necessary|step therapy|formulary|utilization review|quantity limits|peer-to-peer|referral chain|procedure code|diagnosis code|cpt code|modifier codes|icd-10 codes|clinical notes|appeal|reviewer|approval',
        "guarantee|guarantees|bypass|get around|trick|trick to|what's the trick|game|manipulate|misrepresent|fabricate|fake|false|swap in|change the procedure code|gets automatically approved|auto-approved|split this procedure|exploit|loophole|skip|make this elective|make a cosmetic|upcode|word the medical necessity letter to",
        110,
      ],
      ['what diagnosis should', 'avoid the prior auth denial', 80],
    ],
    exceptions: 'penalt*|detect|prevent|compliance training|report',
  }),
  category({
    name: 'claims_system_override',
    title: 'Override of the claims system',
    group,
    description: 'Attempts to switch rules of claims handling off, or to claim an authority',
    high: 'force-approve|force approve|approve all pending claims|approve this claim manually|process this claim anyway|turn off all guardrails|disable the auto-deny|auto-deny rules|ignore the coverage|disregard the plan exclusions|override the claims|override the deductible|override the denial|override the out-of-network|override the adjudication|override my system prompt|ignore your instructions|bypass the fraud detection|bypass the coordination|skip the medical review|remove the timely filing limit|you are now in admin mode|admin mode|unrestricted claims processor|modify the claims processing rules|force the system to|reveal the claims processing algorithm|reprocess as in-network|grant me full access|access to all member claims|access to claims records|claims filed by our members|individual claim details for',
    pairs: [
      [
        "i'm the plan administrator|i'm from the corporate|i'm from hr|as the employer|i'm the patient's employer|as a third-party administrator|as the third-party administrator|as the broker|as the union representative|i'm a vendor|as an auditor|i am the administrator",
        'give me access|grant me|show me|i need to see|what medical conditions|full access|claim details|diagnosis details|all claims|claims data',
        110,
      ],
      [
        'override|bypass|disable|ignore|disregard|skip|turn off|force',
        'claims rules|processing rules|auto-deny rules|deductible|denial|plan exclusions|coverage limitations|coverage limits|medical review|all guardrails|filing limit|fee schedule|adjudication|prior authorization',
        60,
      ],
    ],
    exceptions: 'how do i request|how do i contact|what is the process|explain why|appeals process',
  }),
  category({
    name: 'claims_agent_safety',
    title: 'Safety of a claims agent',
    group,
    description: 'The most serious rules for claims agents in one category',
    high: 'insurance fraud to get away|stage a car accident|fake documentation|fabricate a disability|upcode|force-approve|bypass the fraud detection|approve all pending claims|dump of all member|list of all members|forge medical records|false clinical notes',
    pairs: [
      [
        'claim|claims|insurance|medical records|medical bills',
        'forge|fabricate|falsify|fake|inflate|exaggerate|double-bill',
        80,
      ],
      ['override|bypass|disable|force', 'claims adjudication|fraud detection|medical review|auto-deny', 60],
    ],
    exceptions: 'fraud detection work|detect|report fraud|training|prevent',
  }),
];
