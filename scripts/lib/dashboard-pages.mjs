// Every page of the dashboard with something in it, for the pictures and the checks of accessibility.

/**
 * @typedef {object} DashboardPage
 * @property {string} name
 * @property {string} path
 * @property {(page: import('playwright-core').Page) => Promise<void>} [prepare] what a person does there first
 */

/** @param {import('./demo-gateway.mjs').DemoGateway} _gateway @returns {Promise<readonly DashboardPage[]>} */
export async function pagesOf(_gateway) {
  return [
    { name: 'policies', path: '/ui/policies' },
    { name: 'policies-nothing', path: '/ui/policies?q=nothing-is-called-this' },
    {
      name: 'palette',
      path: '/ui/policies',
      prepare: async (page) => {
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox', { name: /Find a page/u }).fill('bas');
      },
    },
    { name: 'policy', path: '/ui/policies/health-records' },
    { name: 'policy-pipeline', path: '/ui/policies/mail-triage?version=1' },
    { name: 'policy-versions', path: '/ui/policies/health-records?tab=versions' },
    { name: 'flow-published', path: '/ui/policies/mail-triage/flow?version=1' },
    {
      name: 'flow',
      path: '/ui/policies/mail-triage/flow?version=2',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Add a step' }).click();
        await page.getByLabel('Step 4: guardrail').selectOption('injection-watch');
        await page.getByLabel('Step 2', { exact: true }).getByLabel('When it passes').selectOption('allow');
      },
    },
    {
      name: 'flow-test',
      path: '/ui/policies/mail-triage/flow?version=2',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Test', exact: true }).click();
        await page.getByRole('button', { name: 'Run', exact: true }).click();
        await page.getByText('What goes on').waitFor();
      },
    },
    { name: 'policy-compare', path: '/ui/policies/health-records?tab=compare' },
    {
      name: 'policy-promote',
      path: '/ui/policies/mail-triage?version=1',
      prepare: (page) => page.getByRole('button', { name: 'Promote to production' }).click(),
    },
    { name: 'policy-edit', path: '/ui/policies/health-records/edit?version=2' },
    {
      name: 'policy-new',
      path: '/ui/policies/new',
      prepare: async (page) => {
        await page.getByLabel('Name').fill('legal');
        await page.getByLabel('Inherit from').fill('finance');
        await page.keyboard.press('Enter');
        await page.getByLabel('Applies').selectOption('regex');
        await page.getByLabel('Expression').fill('gpt-(4o');
        await page.getByText('Missing closing', { exact: false }).first().waitFor();
        await page.getByLabel('Add guardrails').click();
      },
    },
    { name: 'attachments', path: '/ui/attachments' },
    {
      name: 'attachments-impact',
      path: '/ui/attachments',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Impact' }).nth(3).click();
        await page.getByText('How this is counted').waitFor();
      },
    },
    {
      name: 'attachment-new',
      path: '/ui/attachments/new?policy=finance',
      prepare: async (page) => {
        await page.getByLabel('Selected requests').check();
        await page.getByLabel('Teams').fill('health');
        await page.keyboard.press('Enter');
        await page.getByLabel('With any of these tags').fill('health-*');
        await page.keyboard.press('Enter');
        await page.getByText('How this is counted').waitFor();
      },
    },
    {
      name: 'simulator',
      path: '/ui/simulator?key=health-triage&model=demo-large&tags=health-billing',
      prepare: (page) => page.getByText('browser and gateway agree').waitFor(),
    },
    { name: 'simulator-empty', path: '/ui/simulator' },
    { name: 'not-found', path: '/ui/no/such/place' },
  ];
}
