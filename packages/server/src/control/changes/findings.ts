import { type FieldProblem, FieldsError } from '@portcullis/contract';
import type { Finding } from '@portcullis/policy';

/** How many findings one answer names; a broken parent can break thousands of policies. */
const MOST = 100;

/** The object that a body describes: a finding about it is a finding about a field of the body. */
export interface Subject {
  readonly section: 'policies' | 'attachments' | 'guardrails';
  readonly name: string;
  /** Where the object is in the body, when it is not the body itself. */
  readonly root?: readonly string[];
}

/** A refusal that names every finding (I4). */
export function refusedFindings(findings: readonly Finding[], subject: Subject | null): FieldsError {
  return new FieldsError(
    findings.slice(0, MOST).map(({ code, message, path }): FieldProblem => {
      const [section, name, ...rest] = path;
      const isOwn = subject !== null && section === subject.section && name === subject.name;
      return {
        loc: isOwn ? ['body', ...(subject.root ?? []), ...rest] : [...path],
        msg: message,
        type: code,
      };
    }),
  );
}

/** A doubt as answers show it. */
export function warningOf({ code, message, path }: Finding): Readonly<Record<string, unknown>> {
  return { code, message, path };
}

/** The errors that a change brings. One that was there before keeps no repair of another from being made. */
export function newErrors(after: readonly Finding[], before: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.map(identityOf));
  return after.filter((finding) => finding.severity === 'error' && !known.has(identityOf(finding)));
}

function identityOf({ code, path, message }: Finding): string {
  return JSON.stringify([code, path, message]);
}
