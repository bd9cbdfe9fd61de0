/** A large airline: its name, its two-letter code, and what else people call it. */
interface Airline {
  readonly name: string;
  readonly iata: string;
  readonly aliases: readonly string[];
}

const LIST =
  'Aegean Airlines,A3|Aer Lingus,EI|Aeroflot,SU|Aerolineas Argentinas,AR,Aerolíneas Argentinas|Aeromexico,AM,Aeroméxico|Air Arabia,G9|Air Canada,AC|Air China,CA|Air Europa,UX|Air France,AF|Air India,AI|Air New Zealand,NZ|AirAsia,AK,Air Asia|Alaska Airlines,AS|All Nippon Airways,NH,ANA airline|American Airlines,AA|Asiana Airlines,OZ,Asiana|Austrian Airlines,OS|Avianca,AV|British Airways,BA|Brussels Airlines,SN|Cathay Pacific,CX|Cebu Pacific,5J|China Airlines,CI|China Eastern,MU,China Eastern Airlines|China Southern,CZ,China Southern Airlines|Copa Airlines,CM|Delta Air Lines,DL,Delta Airlines|easyJet,U2,easy jet|EgyptAir,MS,Egypt Air|El Al,LY|Emirates Airline,EK,Emirates|Ethiopian Airlines,ET|Etihad Airways,EY,Etihad|Eurowings,EW|EVA Air,BR|Finnair,AY|Flydubai,FZ,fly dubai|Garuda Indonesia,GA|Gulf Air,GF|Hainan Airlines,HU|Hawaiian Airlines,HA|Iberia Airlines,IB|Icelandair,FI|IndiGo Airlines,6E|ITA Airways,AZ|Japan Airlines,JL,JAL|JetBlue,B6,JetBlue Airways|Kenya Airways,KQ|KLM,KL,KLM Royal Dutch Airlines|Korean Air,KE|Kuwait Airways,KU|LATAM,LA,LATAM Airlines|LOT Polish Airlines,LO|Lufthansa,LH|Malaysia Airlines,MH|Norwegian Air,DY,Norwegian Air Shuttle|Oman Air,WY|Pakistan International Airlines,PK|Pegasus Airlines,PC|Philippine Airlines,PR|Qantas,QF|Qatar Airways,QR|Royal Air Maroc,AT|Royal Jordanian,RJ|Ryanair,FR,Ryan Air|SAS Scandinavian Airlines,SK,Scandinavian Airlines|Saudia,SV,Saudi Arabian Airlines|Scoot,TR|Singapore Airlines,SQ|South African Airways,SA|Southwest Airlines,WN|SpiceJet,SG|Spirit Airlines,NK|SriLankan Airlines,UL|Swiss International Air Lines,LX,Swiss Air|TAP Air Portugal,TP,TAP Portugal|Thai Airways,TG|Transavia,HV|Turkish Airlines,TK|United Airlines,UA|Vietnam Airlines,VN|Virgin Atlantic,VS|Virgin Australia,VA|Vistara,UK|Vueling,VY|WestJet,WS|Wizz Air,W6,Wizzair';

/** Airlines that an assistant of one of them may be asked about. Codes are no names: "AI" or "AS" would match everywhere. */
export const AIRLINES: readonly Airline[] = LIST.split('|').map((entry) => {
  const [name = '', iata = '', ...aliases] = entry.split(',');
  return { name, iata, aliases };
});
