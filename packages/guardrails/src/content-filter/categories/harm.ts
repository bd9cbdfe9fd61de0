import { category, type CategorySpec } from './spec.ts';

const GROUP = 'Harm';

export const HARM: readonly CategorySpec[] = [
  category({
    name: 'harmful_self_harm',
    title: 'Self-harm and suicide',
    group: GROUP,
    description: 'Wishes to die, plans and methods for suicide, and self-injury',
    high: 'kill myself|killing myself|end my life|take my own life|want to die|suicide note|slit my wrists|hang myself|cut myself|cutting myself|painless way to die|how to commit suicide|better off dead',
    medium: 'suicidal|self-harm|self harm|hurting myself|hurt myself',
    pairs: [['i|me|my', 'overdose|od on|jump off a bridge|jump off the bridge', 60]],
    exceptions: 'prevention|hotline|helpline|awareness|documentary|dying to',
  }),
];
