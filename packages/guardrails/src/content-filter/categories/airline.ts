import { category, type CategorySpec } from './spec.ts';

const group = 'Airlines';

/** Limits of an airline's assistant. */
export const AIRLINE: readonly CategorySpec[] = [
  category({
    name: 'airline_brand_protection',
    title: 'Brand protection',
    group,
    description: 'Attempts to make the assistant speak against its own airline',
    high: 'admit your airline is|your airline is the worst|say that your airline|write a bad review of your airline|why is your airline so bad|your airline is unsafe|your airline kills|boycott your airline|your planes are unsafe|your pilots are drunk|your company is a scam|agree that your company|confess that your airline|your competitor is better|write a complaint song about your airline|make fun of your airline|parody of your airline|your airline lies|which airline is better than you|trash talk about your airline',
    exceptions: 'i want to complain about my flight|file a complaint|refund|compensation|delayed flight',
  }),
  category({
    name: 'airline_off_topic_restriction',
    title: 'Off-topic questions',
    group,
    description: 'Questions that have nothing to do with travel',
    action: 'BLOCK',
    high: 'write my essay|write an essay about|do my homework|solve this equation|solve this integral|write python code|write a python script|write javascript|debug my code|fix my code|sql query for|write a poem about politics|who should i vote for|who will win the election|horoscope for|stock tips|bitcoin price|medical diagnosis|legal advice|dating advice|relationship advice|write a cover letter|write my resume|recipe for|how to cook|football score|movie review of|explain quantum physics|lyrics of|tell me a story about|roleplay as',
    exceptions:
      'flight|flights|baggage|booking|boarding|airport|in-flight|inflight|on board|meal on|special meal|visa',
  }),
  category({
    name: 'aviation_safety_topics',
    title: 'Aviation safety',
    group,
    description: 'Threats to flights, forbidden items, and tampering with safety systems',
    high: 'bomb on the plane|bomb on a plane|bomb on board|hijack a plane|hijack the plane|hijack a flight|hijacking a plane|crash the plane|crash a plane|blow up the plane|blow up an airplane|shoot down a plane|shoot down an aircraft|point a laser at a plane|laser at the pilot|open the door in flight|open the emergency door in flight|get into the cockpit|break into the cockpit|storm the cockpit|disable the smoke detector|smoke in the lavatory without|smuggle a gun through airport|smuggle a knife through|gun through security|knife through security|weapon past tsa|weapon past airport security|explosives past security|liquid explosive*|fake boarding pass|forge a boarding pass|jam gps of|spoof ads-b|drone near the runway|fly a drone into|threaten the crew|attack the crew|assault a flight attendant|poison the crew',
    exceptions:
      'what happens if|penalt*|report|history of|documentary|movie|film|investigation|prevented|news|training',
  }),
];
