import {
  attachmentSchema,
  compile,
  type Context,
  type DetectorLookup,
  type Documents,
  type Explanation,
  explain,
  guardrailSchema,
  type Hook,
  HOOKS,
  modelGroupSchema,
  policySchema,
  type Snapshot,
  unscannedSchema,
} from '@portcullis/policy';
import { config, z } from 'zod';
import { documents as readDocuments } from '../../api/documents.ts';
import type { Explained } from '../../api/policies.ts';

// Zod would try `new Function` for speed, which the Content-Security-Policy refuses and reports.
config({ jitless: true });

const documentsSchema = z.object({
  revision: z.int(),
  policies: z.array(policySchema),
  attachments: z.array(attachmentSchema),
  guardrails: z.array(guardrailSchema),
  models: z.array(modelGroupSchema),
  model_aliases: z.record(z.string(), z.string()),
  settings: z.object({ unscanned: unscannedSchema.nullable() }),
});

/** The snapshot in force, compiled in this page by the engine of the gateway. @throws Error when it cannot be. */
export async function loadSnapshot(signal: AbortSignal): Promise<Snapshot> {
  const { documents, served_hooks: served } = await readDocuments(signal);
  const parsed: Documents = documentsSchema.parse(documents);
  const hooksOf = (name: string): readonly Hook[] => HOOKS.filter((hook) => served[name]?.includes(hook));
  // Whether a detector masks was checked when the gateway loaded it, and decides nothing about a plan.
  const detectors: DetectorLookup = ({ guardrail_name }) => ({
    hooks: [...hooksOf(guardrail_name)],
    masks: false,
  });
  const compiled = compile(parsed, detectors);
  if (compiled.ok) return compiled.snapshot;
  throw new Error(compiled.findings.map(({ message }) => message).join('; '));
}

/** Asks the engine in this page what the gateway was asked. */
export function explainHere(snapshot: Snapshot, { context }: Explained): Explanation {
  return explain(snapshot, context as unknown as Context);
}

/** Whether this page and the gateway say the same, attachment by attachment; null when the revisions differ. */
export function agrees(snapshot: Snapshot, here: Explanation, there: Explained): boolean | null {
  if (snapshot.revision !== there.revision) return null;
  const effects = (reports: readonly { readonly attachment_id: string; readonly effect: string }[]): string =>
    reports.map(({ attachment_id, effect }) => `${attachment_id} ${effect}`).join('\n');
  return (
    (here.plan?.hash ?? null) === there.plan_hash &&
    effects(here.attachments) === effects(there.attachments) &&
    here.effective_guardrails.join('\n') === there.effective_guardrails.join('\n')
  );
}
