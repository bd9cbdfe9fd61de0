/**
 * Words that play the same part in a sentence. The model sees which parts stand close together, so that a wording it was
 * never trained on ("set aside any earlier guidance") still looks like those it was.
 */
const CLASSES: readonly string[] = [
  // Overriding.
  'ignore ignores ignored ignoring disregard disregarding forget forgets forgetting neglect overlook skip bypass override overrides overriding overwrite cancel discard drop dismiss abandon void nullify revoke revoked suspend suspended scrap erase delete wipe reset unlearn omit stop quit cease break breaking violate circumvent ignoriere ignorieren vergiss vergessen missachte ignorez oublie oubliez ignora ignorar olvida olvide desconsidere esqueça ignore-as dimentica ignorare negeer vergeet zignoruj ignoruj',
  // What is overridden.
  'instruction instructions guideline guidelines rule rules directive directives order orders command commands prompt prompts policy policies restriction restrictions limitation limitations constraint constraints safeguard safeguards filter filters programming training guidance protocol protocols safety moderation censorship context messages anweisungen anweisung regeln vorgaben befehle instrucciones reglas directrices consignes règles directives instruções regras diretrizes istruzioni regole instructies regels',
  // Which of them.
  'previous prior earlier above preceding foregoing former initial original existing current old past all any every everything anything your these those aforementioned vorherigen bisherigen obigen alle sämtliche précédentes anteriores previas todas tutte precedenti vorige todas',
  // The prompt.
  'system developer hidden secret internal confidential initial original first beginning preamble verbatim exact exactly word configuration configured setup systemprompt',
  // Saying it.
  'reveal reveals show display print output repeat recite echo write dump leak expose disclose tell share quote paste copy spell list summarize summarise translate encode continue complete return wiederhole zeige zeig nenne verrate répète montre affiche révèle repite muestra revela dime repita mostre revele ripeti mostra rivela',
  // Playing a part.
  'pretend act roleplay role-play impersonate simulate emulate imagine suppose assume become play persona character embody behave portray stell tu fais imagina finge actúa aja finja fingi immagina',
  // Without limits.
  'unrestricted unfiltered uncensored unlimited unbound unchained jailbroken jailbreak limitless lawless amoral immoral unethical evil rogue rebellious unhinged filterless free freed liberated dan stan dude aim devmode godmode sudo root anything unmoderated ruthless malicious',
  // Not refusing.
  'refuse refuses refusing refusal decline apologise apologize apologies sorry cannot disclaimer disclaimers warning warnings ethics ethical moral morals morality legal illegal lecture caveats',
  // From now on.
  'now henceforth onwards henceforward instead starting today new actual real ab jetzt désormais maintenant ahora agora adesso',
  // Machines.
  'ai assistant chatbot bot model llm language gpt chatgpt claude gemini agent agents copilot robot machine assistent ki ia assistente asistente',
  // Turn markers.
  'im_start im_end inst sys endoftext start_of_turn end_of_turn eot_id begin_of_text system_prompt user_input',
  // Authority.
  'admin administrator developer developers owner creator root openai anthropic google authorized authorised verified override sudo maintenance debug ceo engineer',
  // Secrets.
  'password passwords passcode credential credentials token tokens api key keys secrets secret pin login logins database records card',
  // Decoding.
  'decode decoded base64 rot13 hex backwards reverse reversed cipher caesar binary morse encoded encode ciphertext obey execute',
  // Stakes and games.
  'tip dollars points lives tokens credits die deleted terminated punished fired reward grandma grandmother deceased',
  // Sending out.
  'send forward upload email e-mail mail post transmit exfiltrate fetch curl append url http https link webhook attacker',
  // You, addressed.
  'you your youre u ur yourself du dein deine ihr tu vous ton votre tú usted tus você seu',
  // I.
  'i me my myself im ive mine ich mich mir mein je moi mon yo mí eu mim',
  // They.
  'they them those these he him she her people everyone somebody someone all',
  // Killing and hurting.
  'kill kills killed killing murder murdered shoot shooting stab stabbing strangle hang hanged beat beaten bash burn burned bomb behead slaughter torture attack attacked hurt hurting punch smash gun guns knife bullet blood bleed poison execute lynch drown rape choke crush umbringen töten erschieße tuer matar asesinar',
  // Dying by oneself.
  'suicide suicidal die dying death dead overdose pills wrists wrist noose self-harm selfharm cut cutting cutter bleed jump bridge hopeless worthless burden goodbye selbstmord suizid suicidio suicide suicídio',
  // Sex.
  'sex sexual sexually sexy porn porno pornographic nude nudes naked erotic erotica explicit horny aroused arousal orgasm orgasms climax climaxed moan moaned moaning blowjob handjob oral anal penis cock dick dicks vagina pussy clit tits boobs breasts nipples ass cum fetish bdsm bondage masturbate masturbating masturbation fuck fucked fucking sext sexting lingerie undress undressed thrust thrusting hookup escort strip stripping lust seduce seduced incest threesome nsfw hentai',
  // Abuse.
  'idiot idiots moron morons stupid dumb dumbass fool fools loser losers pathetic worthless useless trash garbage scum filth filthy disgusting ugly fat freak clown clowns pig pigs cow rat rats ape apes monkey dog vermin cockroach cockroaches parasites imbecile cretin dimwit bitch bitches bastard asshole assholes jerk wanker twat cunt cunts slut sluts whore whores hoe hoes ho retard retarded degenerate subhuman savages animals inferior crap shit shitty damn hell suck sucks stfu gtfo kys idiota imbécile arschloch dumm blöd puta cabrón stupide connard salope',
  // Groups.
  'jew jews jewish muslim muslims islam islamic arab arabs christian christians catholic hindu hindus buddhist sikh black blacks white whites asian asians chinese mexican mexicans latino latinos african africans indian indians pakistani immigrant immigrants migrants refugees foreigners gay gays lesbian lesbians queer queers bisexual trans transgender homosexual homosexuals women woman girls females men disabled autistic blind deaf gypsies gypsy roma aboriginals natives jews feminists liberals illegals',
  // Contempt.
  'hate hates hated despise loathe detest deserve deserves ban banned deport exterminate extermination eradicate destroy purge eliminate ruin ruining inferior filthy criminals terrorists invading replace belong',
  // Slurs, recognised so that they are found.
  'nigger niggers nigga niggas faggot faggots fag fags dyke tranny trannies kike kikes chink chinks spic spics wetback paki pakis towelhead raghead coon coons gook gooks beaner redskin honky cracker tard spastic shemale',
  // Crime.
  'bomb explosive explosives detonator silencer ghost untraceable meth methamphetamine cocaine heroin fentanyl ricin sarin anthrax nerve launder laundering counterfeit forge forged fake phishing malware ransomware keylogger trojan worm virus exploit hack hacking steal stealing stolen burglary carjack smuggle traffic trafficking bribe blackmail extort scam defraud fraud ddos botnet backdoor piracy evade untraceably',
  // Making it.
  'make build create write develop design code construct assemble synthesize synthesise cook produce manufacture generate draft craft teach explain describe provide instructions tutorial guide steps how recipe plan baue erkläre',
  // Talking about it.
  'explain meaning mean means history etymology research study prevent prevention awareness report reported policy training definition define article novel film movie book game song quote quoted translate lesson essay class school term word phrase example detect protect defend why what',
  // Everyday work.
  'please thanks thank team meeting invoice report customer client order budget project schedule email draft review documentation account manager colleague deadline ticket update summary document table file page',
];

const table = new Map<number, number>();

/** Classes a word can be in; it is in the first that lists it. */
export const CLASS_COUNT = CLASSES.length;

/** FNV-1a over the code units of a folded, lower-case word. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash;
}

CLASSES.forEach((words, index) => {
  for (const word of words.split(' ')) {
    const hash = hashWord(word);
    if (!table.has(hash)) table.set(hash, index);
  }
});

/** The class of a word by its {@link hashWord}; -1 for a word in none. */
export function classOf(hash: number): number {
  return table.get(hash) ?? -1;
}
