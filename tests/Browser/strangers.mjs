// Who may not, and what others put into the log: keys, and markup in every field.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertAccessible, headline, onPage, services, describe } from './stage.mjs';

const EVIL = `<img src=x onerror="globalThis.broken=1;alert(1)">"'\`</script></style><script>globalThis.broken=1;alert(2)</script>{{7*7}}\u202e`;
const KEY = 'the-admin-key';

describe('With strangers about', () => {
  let app;
  before(async () => {
    app = await services.startApp();
    await app.place('o-1', { customerId: EVIL.slice(0, 100) });
  });

  test('Markup in any field is text', async () => {
    await onPage(app, async (page) => {
      await headline(page, `${EVIL} can’t deliver`);
      for (const list of ['Parked events', 'Entries']) {
        const row = page.getByRole('list', { name: list }).getByRole('listitem').first();
        await row.locator('summary').click();
        await row.getByText(EVIL).first().waitFor();
      }
      await page.getByRole('button', { name: /^Discard entry/ }).click();
      await page.getByRole('dialog').getByText(EVIL).first().waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('What the target said').click();

      assert.equal(await page.evaluate(() => globalThis.broken), undefined);
      assert.equal(await page.locator('img, main script, main style').count(), 0);
    }, { prepare: doctor });
  });

  test('Markup that the API lets through is text in the payload too', async () => {
    await onPage(app, async (page) => {
      await page.getByText('order/o-1').click();
      await page.getByText('"customerId": ').waitFor();
      assert.equal(await page.evaluate(() => globalThis.broken), undefined);
    });
  });

  test('A key is asked for, kept for the tab, sent in a header and never in an address', async () => {
    const addresses = [];
    await onPage(app, async (page) => {
      await page.getByRole('dialog').getByText('The app asks for a key.').waitFor();
      await assertAccessible(page);
      await page.getByRole('dialog').getByLabel('Key').fill('wrong');
      await page.getByRole('button', { name: 'Use this key' }).click();
      await page.getByRole('dialog').getByText('The app does not accept this key.').waitFor();
      await page.getByRole('dialog').getByLabel('Key').fill(KEY);
      await page.getByRole('button', { name: 'Use this key' }).click();
      await headline(page, 'The log is served');
      await page.getByText('order/o-1').waitFor();

      await page.reload();
      await headline(page, 'The log is served');
      assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage).length, document.cookie]), [0, '']);
      assert.deepEqual(addresses.filter((address) => address.includes(KEY)), []);
    }, { failsRequests: true, prepare: (page) => guard(page, addresses, () => true) });
  });

  test('A function key shows the log, has no button to act with, and says that the rest takes the admin key', async () => {
    await onPage(app, async (page) => {
      await page.getByRole('dialog').getByLabel('Key').fill(KEY);
      await page.getByRole('button', { name: 'Use this key' }).click();
      await page.getByText('This key reads the log and no more.').waitFor();
      await page.getByText('order/o-1').waitFor();
      assert.ok(await page.getByRole('heading', { name: 'Forwarders' }).isHidden());
      assert.ok(await page.getByRole('slider', { name: 'Entries per second' }).isVisible());
      await page.getByText('order/o-1').click();
      await page.getByText('"customerId": ').waitFor();
      assert.deepEqual(await page.getByRole('button').allTextContents(), ['Key…', 'Copy payload'], 'who may only look sees nothing to act with');
      await assertAccessible(page);
    }, { failsRequests: true, prepare: (page) => guard(page, [], (path) => !/\/(status|forwarders)\b/.test(path)) });
  });
});

/** As in Azure: without the right key the host answers, with no body. */
async function guard(page, addresses, allows) {
  await page.route('**/api/**', (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    addresses.push(request.url());
    if (pathname.endsWith('/dashboard')) return route.continue();
    return request.headers()['x-functions-key'] === KEY && allows(pathname) ? route.continue() : route.fulfill({ status: 401 });
  });
}

/** Answers with markup in every string, but for what names a state. */
async function doctor(page) {
  const hostile = (value, name) => {
    if (typeof value === 'string') return ['state', 'timestamp', 'at', 'since', 'headTimestamp', 'lastWriteAt'].includes(name) ? value : EVIL;
    if (Array.isArray(value)) return value.map((item) => hostile(item));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hostile(item, key)]));
    return value;
  };
  const now = new Date().toISOString();
  const standing = { partition: 0, nextOffset: 0, backlog: 1, oldestUnforwardedAgeSeconds: 1, leaseOwner: '', paused: false, parked: 1, late: 0, lastError: '' };
  const status = {
    log: '', partitions: [{ partition: 0, oldestOffset: 0, headOffset: 1, headTimestamp: now }],
    forwarders: [{ name: '', state: 'failing', withinSeconds: null, late: 0, parked: 1, lastError: '', consecutiveFailures: 1, lastWriteAt: now, partitions: [standing] }],
  };
  const entry = { partition: 0, offset: 0, id: '', type: '', subject: '', contentType: '', timestamp: now, version: 1, traceparent: '', correlationId: '' };
  const json = (body) => ({ contentType: 'application/json', body: JSON.stringify(hostile(body)), headers: { 'Next-Offset': '1' } });
  let isFirst = true;
  await page.route('**/api/status*', (route) => route.fulfill(json(status)));
  await page.route('**/api/forwarders/**', (route) => route.fulfill(json([{ partition: 0, offset: 0, id: '', type: '', subject: '', reason: '', attempts: 1, at: now }])));
  await page.route('**/api/forwarders/*/parked?groupBy=reason', (route) => route.fulfill(json([{ reason: '', count: 1, followers: 0, types: [''], since: now }])));
  await page.route('**/api/events?**', (route) => {
    if (!isFirst) return; // waits
    isFirst = false;
    return route.fulfill(json([entry]));
  });
  await page.route('**/api/events/**', (route) => route.fulfill({ contentType: 'text/html', body: EVIL }));
}
