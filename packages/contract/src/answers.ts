import { type ErrorBody, errorBody, PortcullisError } from './errors.ts';

/** What is wrong with one field, in the shape that scripts written for the reference read under `detail`. */
export interface FieldProblem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/** A refused body or query (422), with every field at fault. */
export class FieldsError extends PortcullisError {
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    const first = problems[0];
    super('unprocessable', problems.map((problem) => `${placeOf(problem)}: ${problem.msg}`).join('; '), {
      param: first === undefined ? null : placeOf(first),
    });
    this.problems = problems;
  }
}

/** The body of a refused management request: `detail` for scripts of the reference, `error` for everybody else (V9). */
export interface ManagementErrorBody extends ErrorBody {
  readonly detail: string | readonly FieldProblem[];
}

/** Status and body of an error on a management route (V9). */
export function errorAnswer(error: PortcullisError): {
  readonly status: number;
  readonly body: ManagementErrorBody;
} {
  return {
    status: error.status,
    body: { detail: error instanceof FieldsError ? error.problems : error.message, ...errorBody(error) },
  };
}

function placeOf(problem: FieldProblem): string {
  const [root, ...path] = problem.loc;
  return path.length === 0 ? String(root) : path.join('.');
}
