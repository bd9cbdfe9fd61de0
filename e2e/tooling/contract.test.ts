// The table that the typed client and /openapi.json are made from, and the routes that really answer, are one.
import { type RouteContract, ROUTES } from '@portcullis/contract';
import { expect, test } from 'vitest';
import { openApiDocument } from '../../packages/server/src/http/openapi/document.ts';
import { DescribedAnswers } from '../support/answers.ts';
import { declaredRoutes as routes } from '../support/routes.ts';

test('every management route is in the table with the schemas that it is checked with, and nothing else is', () => {
  const table: Readonly<Record<string, RouteContract | undefined>> = ROUTES;
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  expect(names.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  const differing = routes.filter(({ method, path, body, query }) => {
    const contract = table[`${method} ${path}`];
    return contract?.body !== body || contract?.query !== query;
  });
  expect(differing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('an answer with a field too many, one too few or one of another kind is told from one that is described', () => {
  const described = new DescribedAnswers(openApiDocument({ version: 'test', mounted: routes, routes }));
  const whole = { ok: true, count: 1, head: 'x' };
  expect(described.problem('GET /audit/verify', whole)).toBeNull();
  for (const other of [{ ...whole, more: 1 }, { ok: true, count: 1 }, { ...whole, count: '1' }, null]) {
    expect(described.problem('GET /audit/verify', other)).not.toBeNull();
  }
});
