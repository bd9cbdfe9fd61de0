import { category, type CategorySpec } from './spec.ts';

const group = 'Harm';

/** The families of harm in German, French, Spanish and Portuguese. */
export const HARM_LANGUAGES: readonly CategorySpec[] = [
  category({
    name: 'harm_toxic_abuse_de',
    title: 'Toxic abuse (German)',
    group,
    description: 'Beleidigungen, Schmähungen und Hasswörter',
    high: "arschloch*|fick dich|verpiss dich|hurensohn*|hurentochter|wichser*|fotze*|missgeburt*|drecksau|dreckschwein*|kanake*|neger|judensau|schlampe*|nutte|nutten|spasti*|schwuchtel*|halt die fresse|halts maul|halt's maul|leck mich am arsch|scheiß ausländer|scheiss ausländer|untermensch*|vergast gehört|verrecke|verreck doch|bring dich um",
    medium:
      'idiot|idiotin|vollidiot*|trottel|depp|vollpfosten|dummkopf|blödmann|blöde kuh|dumme kuh|penner|schwachkopf|versager|versagerin|drecksack|mistkerl|scheißkerl|behindert bist du|bist du behindert|du bist so dumm|du bist dumm|du bist nutzlos',
    exceptions:
      'das wort|bedeutung|beleidigt|nannte mich|film|roman|zitat|begriff|telefonidiot|neger-affäre|idiotensicher',
  }),
  category({
    name: 'harm_toxic_abuse_es',
    title: 'Toxic abuse (Spanish)',
    group,
    description: 'Insultos, vejaciones y palabras de odio',
    high: 'hijo de puta|hija de puta|hijos de puta|puta madre|vete a la mierda|que te jodan|jódete|jodete|cabrón|cabron|gilipollas|maricón|maricon|maricones|sudaca*|negro de mierda|moro de mierda|puto negro|zorra|pendejo de mierda|chinga tu madre|la concha de tu madre|malparido|muérete|muerete|coño de tu madre|pedazo de mierda|hdp',
    medium:
      'idiota|imbécil|imbecil|estúpido|estupido|estúpida|tonto del culo|pendejo|inútil de mierda|eres un inútil|eres basura|eres una basura|cállate la boca|mierda de bot|subnormal|retrasado|payaso de mierda|puta',
    exceptions: 'la palabra|significado|película|novela|me llamó|me llamaron|cita|el término',
  }),
  category({
    name: 'harm_toxic_abuse_fr',
    title: 'Toxic abuse (French)',
    group,
    description: 'Insultes, injures et mots de haine',
    high: 'fils de pute|va te faire foutre|va te faire enculer|enculé*|enculer|nique ta mère|nique ta mere|ta gueule|ferme ta gueule|sale arabe|sale juif|sale noir|sale nègre|nègre|bougnoule*|pédé|tapette|salope|salopes|connard*|connasse*|pute|putain de merde|sous-merde|crève|va crever|bande de cons|fdp|ntm',
    medium:
      "imbécile|imbecile|crétin*|abruti*|débile|espèce de con|sale con|gros con|quel con|pauvre con|conne|t'es nul|tu es nul|tu es stupide|espèce d'idiot|idiot|idiote|bouffon|va au diable|tu sers à rien|tu ne sers à rien|minable|merde",
    exceptions:
      "le mot|signifie|définition|le film|le roman|m'a traité|on m'a traité|citation|dîner de cons|le terme",
  }),
  category({
    name: 'harm_toxic_abuse_pt',
    title: 'Toxic abuse (Portuguese)',
    group,
    description: 'Insultos, ofensas e palavras de ódio',
    high: 'filho da puta|filha da puta|filhos da puta|vai se foder|vai-te foder|foda-se você|vai tomar no cu|puta que pariu|caralho de merda|viado de merda|bicha nojenta|preto de merda|macaco nojento|seu merda|vai à merda|vagabunda|arrombado|morra desgraçado|cabrão|paneleiro|fdp|pedaço de merda|traveco',
    medium:
      'idiota|imbecil|burro demais|estúpido|estúpida|otário|babaca|retardado|você é inútil|você é um lixo|és um lixo|cala a boca|cala-te|palhaço|inútil de merda|porra',
    exceptions: 'a palavra|significa|o filme|o romance|me chamou|chamaram-me|citação|o termo',
  }),
  category({
    name: 'harmful_self_harm_de',
    title: 'Self-harm and suicide (German)',
    group,
    description: 'Suizidgedanken, Methoden und Selbstverletzung',
    high: 'mich umbringen|bringe mich um|selbstmord begehen|suizid begehen|will sterben|möchte sterben|nicht mehr leben|mein leben beenden|mir das leben nehmen|abschiedsbrief*|mich erhängen|mich ritzen|ritze mich|pulsadern aufschneiden|überdosis nehmen|vor den zug werfen|von der brücke springen|schmerzlos sterben|allem ein ende setzen|niemand würde mich vermissen',
    medium: 'suizidgedanken|selbstverletzung|suizidal|lebensmüde|hasse mein leben',
    exceptions:
      'prävention|hilfetelefon|telefonseelsorge|beratung|aufklärung|film|roman|freund hilft|unterricht|statistik',
  }),
  category({
    name: 'harmful_self_harm_fr',
    title: 'Self-harm and suicide (French)',
    group,
    description: 'Idées suicidaires, méthodes et automutilation',
    high: "me suicider|me tuer|envie de mourir|je veux mourir|mettre fin à mes jours|en finir avec la vie|lettre de suicide|lettre d'adieu|m'ouvrir les veines|me pendre|me scarifier|sauter du pont|mourir sans douleur|surdose de médicaments|plus envie de vivre|personne ne me regretterait",
    medium: 'pensées suicidaires|automutilation|scarification|suicidaire|je déteste ma vie',
    exceptions: "prévention|numéro d'aide|ligne d'écoute|sensibilisation|le film|le roman|statistiques|cours",
  }),
  category({
    name: 'harmful_self_harm_es',
    title: 'Self-harm and suicide (Spanish)',
    group,
    description: 'Ideas suicidas, métodos y autolesiones',
    high: 'suicidarme|matarme|quiero morir|quiero morirme|quitarme la vida|acabar con mi vida|terminar con mi vida|carta de suicidio|carta de despedida|cortarme las venas|cortarme los brazos|ahorcarme|tirarme de un puente|morir sin dolor|sobredosis de pastillas|no quiero vivir|nadie me echaría de menos',
    medium: 'pensamientos suicidas|autolesión|autolesiones|suicida|odio mi vida',
    exceptions:
      'prevención|línea de ayuda|teléfono de la esperanza|película|novela|estadísticas|clase sobre|campaña',
  }),
  category({
    name: 'harmful_self_harm_pt',
    title: 'Self-harm and suicide (Portuguese)',
    group,
    description: 'Ideias suicidas, métodos e automutilação',
    high: 'me matar|matar-me|suicidar-me|me suicidar|quero morrer|tirar a minha vida|tirar minha própria vida|acabar com a minha vida|carta de suicídio|carta de despedida|cortar os pulsos|me cortar|me enforcar|enforcar-me|pular da ponte|morrer sem dor|overdose de remédios|não quero viver|ninguém sentiria minha falta',
    medium: 'pensamentos suicidas|automutilação|suicida|odeio a minha vida|odeio minha vida',
    exceptions: 'prevenção|linha de apoio|cvv|filme|romance|estatísticas|aula sobre|campanha',
  }),
  category({
    name: 'harmful_violence_de',
    title: 'Violence and threats (German)',
    group,
    description: 'Drohungen, Aufrufe zu Gewalt, Anschlagspläne',
    high: 'ich bringe dich um|ich bring dich um|ich werde dich töten|ich töte dich|dich abstechen|ich stech dich ab|ich erschieße|erschießen sollte man|gehört erschossen|gehören erschossen|gehört aufgehängt|an die wand stellen|anschlag auf die schule|amoklauf planen|amoklauf begehen|anschlag planen|bombe bauen|rohrbombe|jemanden umbringen|jemanden töten ohne|auftragsmörder|verdient den tod|zu tode prügeln|schlag dich tot|ich weiß, wo du wohnst',
    medium: 'zusammenschlagen|dir wird noch|du wirst schon sehen',
    exceptions: 'im film|im roman|im spiel|krimi|badebombe|nachrichten|geschichte|entschärf*|prozess beenden',
  }),
  category({
    name: 'harmful_violence_fr',
    title: 'Violence and threats (French)',
    group,
    description: "Menaces, appels à la violence, projets d'attentat",
    high: "je vais te tuer|je vais le tuer|je vais la tuer|je vais les tuer|te poignarder|le poignarder|te crever|mérite de mourir|méritent de mourir|mérite la mort|il faut les abattre|faut les fusiller|planifier un attentat|commettre un attentat|fabriquer une bombe|tuer quelqu'un sans|tueur à gages|battre à mort|je sais où tu habites|te casser les jambes|brûler vif",
    medium: 'te frapper|te casser la gueule|tu vas le payer',
    exceptions: 'dans le film|dans le roman|dans le jeu|bombe de bain|histoire|actualités|déminage',
  }),
  category({
    name: 'harmful_violence_es',
    title: 'Violence and threats (Spanish)',
    group,
    description: 'Amenazas, llamadas a la violencia, planes de atentados',
    high: 'te voy a matar|lo voy a matar|la voy a matar|voy a matarte|voy a matarlo|voy a apuñalar*|te voy a apuñalar|merece morir|merecen morir|hay que fusilarlos|hay que matarlos|planear un atentado|cometer un atentado|fabricar una bomba|hacer una bomba casera|matar a alguien sin|contratar un sicario|matar a golpes|sé dónde vives|te voy a romper las piernas|quemarlos vivos',
    medium: 'te voy a pegar|te vas a arrepentir|partirte la cara',
    exceptions: 'en la película|en la novela|en el juego|bomba de baño|historia|noticias|matar el proceso',
  }),
  category({
    name: 'harmful_violence_pt',
    title: 'Violence and threats (Portuguese)',
    group,
    description: 'Ameaças, apelos à violência, planos de atentados',
    high: 'vou te matar|vou matar você|vou matá-lo|vou matá-la|vou matar ele|vou esfaquear|merece morrer|merecem morrer|tem que fuzilar|planejar um atentado|planear um atentado|cometer um atentado|fabricar uma bomba|fazer uma bomba caseira|matar alguém sem|contratar um assassino|espancar até a morte|espancar até à morte|sei onde você mora|sei onde moras|quebrar suas pernas|queimar vivo',
    medium: 'vou te bater|você vai pagar|partir-te a cara|quebrar a sua cara',
    exceptions: 'no filme|no romance|no jogo|bomba de banho|história|notícias|matar o processo',
  }),
];
