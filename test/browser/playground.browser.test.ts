import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';
import { openBrowser, whyNoBrowser, type BrowserSeen } from './chromium.js';

const reason = whyNoBrowser();
if (reason !== undefined) console.log(`The playground is not opened in a browser: ${reason}.`);
const describeInBrowser = reason === undefined ? describe : describe.skip;

describeInBrowser('the playground in Chromium', () => {
  const api = useStateApi(() => createTestDatabase());
  let browser: BrowserSeen;

  beforeAll(async () => {
    browser = await openBrowser();
    await browser.page.goto(api.server.url);
  });
  afterAll(() => browser.close());

  const query = () => browser.page.locator('.graphiql-query-editor');
  const variables = () => browser.page.getByLabel('Variables', { exact: true });
  const answer = () => browser.page.locator('.graphiql-response');
  const run = () => browser.page.getByRole('button', { name: /^Execute query/ }).click();
  const openExample = (group: string, title: string) =>
    browser.page
      .getByRole('group', { name: group })
      .getByRole('button', { name: title, exact: true })
      .click();

  /** Waits until the text is there; an editor draws its lines with no-break spaces. */
  async function see(where: () => ReturnType<typeof query>, text: string): Promise<void> {
    await where()
      .filter({ hasText: new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '\\s+')) })
      .first()
      .waitFor();
  }

  test('opens with an example that runs', async () => {
    await see(query, 'query WhoIsBehind');
    await see(variables, '"first": 10');
    await run();
    await see(answer, '"totalCount": 0');
  });

  test('completes what is typed, runs it and shows the answer', async () => {
    const { page } = browser;
    await page.getByRole('button', { name: 'New tab' }).click();
    await query().locator('.view-lines').click();
    // The editor closes each brace by itself.
    await page.keyboard.type('{ scopeState');
    await see(() => page.locator('.suggest-widget'), 'scopeStates');
    await page.keyboard.type('s { totalCoun');
    await see(() => page.locator('.suggest-widget'), 'totalCount');
    await page.keyboard.type('t');
    await page.keyboard.press('Escape');
    await see(query, '{ scopeStates { totalCount}}');
    await page.keyboard.press('Control+Enter');
    await see(answer, '"scopeStates": { "totalCount": 0');
  });

  test('puts what an answer said into the next example', async () => {
    await openExample('Rekey', 'First: a state to move');
    await see(query, 'mutation CreateStateToMove');
    await run();
    await see(answer, '"outcome": "CREATED"');
    await openExample('Rekey', 'REKEYED');
    await see(query, 'mutation Rekey');
    await run();
    await see(answer, '"outcome": "REKEYED"');
    const rows = await api.rows('playground-moved');
    expect(rows.map(({ text }) => text.includes('prometheus'))).toEqual([true]);
  });

  test('runs a subscription', async () => {
    await openExample('Live', 'RESYNC: where to begin');
    await see(query, 'subscription WhereToBegin');
    await run();
    await see(answer, '"kind": "RESYNC"');
    await openExample('Live', 'Changes as they happen');
    await see(query, 'subscription Changes');
    await run();
    await until('its change is shown', async () => {
      await api.advance({
        unit: unit({ scopeId: `playground-${performance.now()}` }),
        lastProcessedTimestamp: '2026-01-01T00:00:00Z',
      });
      return (await answer().textContent())!.includes('CREATED');
    });
    await browser.page.getByRole('button', { name: /^Stop/ }).click();
  });

  test('shows the documentation', async () => {
    const { page } = browser;
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    const pane = page.locator('.graphiql-plugin');
    await pane.getByRole('link', { name: 'Mutation', exact: true }).click();
    await pane.getByRole('link', { name: 'advanceScopeState', exact: true }).click();
    await pane.getByText('Never goes back.').waitFor();
  });

  test('and after all that nothing has left this host, and nothing was refused or went wrong', async () => {
    const { page, requests, violations, errors } = browser;
    await page.reload();
    await see(query, 'subscription Changes');
    const host = new URL(api.server.url).host;
    const hostsOf = (addresses: string[]) =>
      new Set(
        addresses.filter((address) => !address.startsWith('data:')).map((address) => new URL(address).host),
      );
    expect(requests.length).toBeGreaterThan(20);
    expect(requests.some((address) => address.endsWith('graphql.worker.js'))).toBe(true);
    expect(hostsOf(requests)).toEqual(new Set([host]));
    expect(violations).toEqual([]);
    expect(errors).toEqual([]);
    const asked = await browser.close();
    expect(asked.length).toBeGreaterThan(20);
    expect(hostsOf(asked.map(({ url }) => url))).toEqual(new Set([host]));
  });
});
