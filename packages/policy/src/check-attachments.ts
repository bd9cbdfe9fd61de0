/** Checks attachments before they are indexed (M1, M5, M6, D-73, section 14). */
import type { Findings } from './findings.ts';
import { LIMITS } from './limits.ts';
import { patternProblem } from './pattern.ts';
import { type Attachment, selectorProblem, tagParts } from './schema/attachment.ts';
import type { FindingPath } from './schema/documents.ts';
import type { Suggester } from './suggest.ts';

/** What attachments are checked against. */
export interface AttachmentEnvironment {
  readonly isKnown: (attachmentId: string) => boolean;
  readonly production: ReadonlySet<string>;
  /** Names that some version has, whatever its status. */
  readonly named: ReadonlySet<string>;
  readonly policyNames: Suggester;
}

export function checkAttachmentCount(attachments: readonly Attachment[], findings: Findings): boolean {
  if (attachments.length <= LIMITS.attachments) return true;
  const message = `at most ${LIMITS.attachments} attachments are allowed, here are ${attachments.length}; use prefix patterns to write fewer`;
  findings.error('limit_exceeded', ['attachments'], message);
  return false;
}

export function checkAttachment(
  attachment: Attachment,
  environment: AttachmentEnvironment,
  findings: Findings,
): void {
  const path = ['attachments', attachment.attachment_id];
  if (environment.isKnown(attachment.attachment_id)) {
    findings.error(
      'duplicate_attachment_id',
      path,
      'two attachments have this id; give one of them another id',
    );
  }
  const problem = selectorProblem(attachment);
  if (problem !== null) findings.error('invalid_selectors', path, problem);
  checkPatterns(attachment, path, findings);
  checkPolicyName(attachment, environment, path, findings);
}

function checkPatterns(attachment: Attachment, path: FindingPath, findings: Findings): void {
  for (const field of ['teams', 'keys', 'models'] as const) {
    checkPatternList(attachment[field], [...path, field], findings);
  }
  const tags = tagParts(attachment.tags);
  checkPatternList(tags.any, [...path, 'tags'], findings);
  checkPatternList(tags.all, [...path, 'tags', 'all'], findings);
  checkPatternList(tags.none, [...path, 'tags', 'none'], findings);
}

function checkPatternList(patterns: readonly string[], path: FindingPath, findings: Findings): void {
  for (const [index, pattern] of patterns.entries()) {
    const problem = patternProblem(pattern);
    if (problem !== null) findings.error('invalid_pattern', [...path, index], problem);
  }
}

/** D-73, D-80: an attachment that leads nowhere is named with its real cause. */
function checkPolicyName(
  { policy_name, definition_location }: Attachment,
  { production, named, policyNames }: AttachmentEnvironment,
  path: FindingPath,
  findings: Findings,
): void {
  if (production.has(policy_name)) return;
  const at = [...path, 'policy_name'];
  if (named.has(policy_name)) {
    const message = `without effect: "${policy_name}" has no production version; promote one`;
    findings.warning('attachment_without_effect', at, message);
    return;
  }
  const message = `there is no policy "${policy_name}"${policyNames.hint(policy_name) || '; define it or delete the attachment'}`;
  if (definition_location === 'config') findings.error('unknown_policy', at, message);
  else findings.warning('attachment_without_effect', at, `without effect: ${message}`);
}
