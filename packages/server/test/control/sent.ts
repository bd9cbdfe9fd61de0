import { DescribedAnswers } from '../../../../e2e/support/answers.ts';
import { declaredRoutes } from '../../../../e2e/support/routes.ts';
import type { Route, RouteAnswer } from '../../src/control/route.ts';
import { openApiDocument } from '../../src/http/openapi/document.ts';

const described = new DescribedAnswers(
  openApiDocument({ version: 'test', mounted: declaredRoutes, routes: declaredRoutes }),
);

/** An answer as the client gets it: through JSON. Every good one is held against its description. */
export function sent<Answer extends RouteAnswer>(
  { method, path }: Pick<Route, 'method' | 'path'>,
  answer: Answer,
) {
  const { status = 200 } = answer;
  const text = JSON.stringify(answer.body);
  const problem = status < 300 ? described.problem(`${method} ${path}`, JSON.parse(text)) : null;
  if (problem !== null)
    throw new Error(`${method} ${path} answers what is not described: ${problem}\n${text}`);
  return { ...answer, status, body: JSON.parse(text) };
}
