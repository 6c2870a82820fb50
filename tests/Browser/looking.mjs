// What the page shows: the log as it grows, back in time, empty, and with more than fits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TableClient } from '@azure/data-tables';
import { until } from './services.mjs';
import { assertAccessible, assertFits, card, entries, headline, onPage, parked, PHONE, services, describe } from './stage.mjs';

describe('Looking', () => {
  test('An empty log says so and shows the first event by itself', async () => {
    const app = await services.startApp();
    await onPage(app, async (page) => {
      await headline(page, 'The log is empty');
      await page.getByText('Nothing has been recorded here yet').waitFor();
      await page.getByText('This app has no forwarder').waitFor();
      await assertAccessible(page);

      await app.place('first');

      await entries(page).getByText('order/first').waitFor();
      await headline(page, 'The log is served');
    });
  });

  test('A log in use shows its numbers, its forwarders and, within two seconds, a new event', async () => {
    const bus = await services.startBus('looking');
    const app = await services.startApp({ ServiceBus: bus.connection, Outpost__PartitionCount: '2' });
    for (let i = 0; i < 10; i++) await app.place(`o-${i}`);
    await until('the process has looked twice', async () => (await (await fetch(`${app.url}/api/status?recent=true`)).json()).recent.samples.filter(({ ageSeconds }) => ageSeconds > 2).length > 1);
    await onPage(app, async (page) => {
      await headline(page, 'Everything is forwarded');
      const total = page.locator('#tiles div').filter({ hasText: 'Entries ever' }).locator('dd');
      assert.equal(await total.textContent(), '10');
      await card(page, 'servicebus').getByText('Partition by partition').click();
      assert.equal(await card(page, 'servicebus').getByRole('row').count(), 3);
      await page.getByText(/^Since .*, when the process that answers began\. Times in UTC\./).waitFor();
      assert.ok(await page.getByRole('slider', { name: 'Entries per second' }).getAttribute('max') >= 2, 'the charts are filled when the page opens');
      assert.match(await page.locator('#rate-chart .plot > svg').getAttribute('aria-label'), /committed: .*\/s now.*to servicebus:/);

      // Whichever partition it goes to: the one that is shown gets one of these.
      const shown = await page.locator('#entries-partition').inputValue();
      const id = await orderIn(app, Number(shown));
      const placedAt = performance.now();
      await entries(page).getByText(`order/${id}`).waitFor();

      assert.ok(performance.now() - placedAt < 2000, `shown after ${performance.now() - placedAt} ms`);
      await until('the tiles follow', async () => Number(await total.textContent()) > 10);
    });
  });

  test('Entries are read from an offset or a time on, page by page, with their payload as stored', async () => {
    const app = await services.startApp();
    for (let i = 0; i < 30; i++) await app.place(`early-${i}`);
    const before = (await (await fetch(`${app.url}/api/events?offset=29`)).json())[0].timestamp;
    await until('a second has passed', () => Date.now() > Date.parse(before) + 1100);
    await app.place('late', { lines: [{ sku: 'a', quantity: 1, unitPrice: 123456789.1234 }] });
    await onPage(app, async (page) => {
      await entries(page).getByText('order/late').waitFor();

      await page.locator('#entries-mode').selectOption('offset');
      await page.getByLabel('Offset', { exact: true }).fill('3');
      await page.getByLabel('Offset', { exact: true }).press('Enter');
      await page.getByText('3 to 27').last().waitFor();
      await page.getByRole('button', { name: 'Later' }).click();
      await page.getByText('28 to 30').last().waitFor();
      await page.getByLabel('Offset', { exact: true }).fill('99');
      await page.getByLabel('Offset', { exact: true }).press('Enter');
      await page.getByRole('alert').filter({ hasText: 'The newest entry is 30.' }).waitFor();

      await page.locator('#entries-mode').selectOption('time');
      await page.getByLabel('Your local time').fill(new Date(Date.parse(before) + 1000).toISOString().slice(0, 19));
      await page.getByLabel('Your local time').press('Enter');
      await page.getByText('30 to 30').last().waitFor();
      await entries(page).locator('summary').click();
      await entries(page).getByText('"unitPrice": 123456789.1234').waitFor();
    }, { failsRequests: true });
  });

  test('A chart tells its values at a time by mouse, by finger and by the arrow keys, in the zone of the page', async () => {
    const app = await services.startApp({ Payments__Url: 'http://127.0.0.1:1' });
    await app.place('o-1');
    await onPage(app, async (page) => {
      await page.getByText('The last ten minutes. Times in Asia/Tokyo.').waitFor();
      const [rates, backlogs] = [page.locator('#rate-chart'), page.locator('#backlog-chart')];
      const { x, y, width, height } = await rates.locator('.plot').boundingBox();
      await page.mouse.move(x + width / 2, y + height / 2);
      await rates.getByText(/^at \d\d:\d\d:\d\d$/).waitFor();
      assert.equal(await backlogs.locator('.when').textContent(), await rates.locator('.when').textContent(), 'both charts show the same time');
      assert.match(await backlogs.getByRole('listitem').textContent(), /refunds3\d\d$/);
      await page.mouse.move(0, 0);
      await rates.getByText('now').waitFor();

      const slider = backlogs.getByRole('slider', { name: 'Waiting to be forwarded' });
      await slider.focus();
      const told = [];
      for (const key of ['Home', 'ArrowRight', 'ArrowRight']) {
        await page.keyboard.press(key);
        told.push(await slider.getAttribute('aria-valuetext'));
      }

      assert.deepEqual(told.map((text) => /^\d\d:\d\d:\d\d: refunds (\d+)$/.exec(text)[1]), ['595', '590', '585']);
      assert.equal(await backlogs.locator('.when').textContent(), `at ${told[2].slice(0, 8)}`);
      await assertAccessible(page);
      await page.getByLabel('Times in').selectOption('UTC');
      await page.getByText('The last ten minutes. Times in UTC.').waitFor();
      const hours = (text) => Number(text.slice(0, 2));
      await slider.focus();
      await page.keyboard.press('Home');
      assert.equal(hours(await slider.getAttribute('aria-valuetext')), (hours(told[0]) + 15) % 24);
      await page.keyboard.press('Escape');
      await backlogs.getByText('now').waitFor();
    }, { timezoneId: 'Asia/Tokyo', prepare: withTenMinutes });
  });

  test('Of ten thousand parked events the first are shown, and more when asked for', async () => {
    const app = await services.startApp();
    await app.place('o-1');
    await park(app, 'old', 10_000);
    await onPage(app, async (page) => {
      await headline(page, '10,000 events are parked');
      await page.getByText('The first 50 of 10,000').waitFor();
      assert.equal(await parked(page).locator('li').count(), 50);

      await page.getByRole('button', { name: 'Load more' }).click();
      await page.getByText('The first 100 of 10,000').waitFor();

      assert.match(await page.evaluate(() => document.activeElement.textContent), /order\/50/);
      await assertFits(page);
    }, { viewport: PHONE });
  });
});

/** Places orders until one is in the partition. */
async function orderIn(app, partition) {
  for (let i = 0; ; i++) {
    const id = `new-${i}`;
    await app.place(id);
    const { partitions } = await app.status();
    const newest = await (await fetch(`${app.url}/api/events?partition=${partition}&offset=${partitions[partition].headOffset - 1}`)).json();
    if (newest[0]?.subject === `order/${id}`) return id;
  }
}

/** As an app that has run for an hour, and whose backlog has become one smaller each second. */
async function withTenMinutes(page) {
  await page.route('**/api/status?recent=true', async (route) => {
    const response = await route.fetch();
    const ages = Array.from({ length: 119 }, (_, i) => 595 - 5 * i);
    const samples = ages.map((age) => ({ ageSeconds: age, head: 1, forwarders: [{ name: 'refunds', next: 0, backlog: age }] }));
    await route.fulfill({ response, json: { ...await response.json(), recent: { beganSecondsAgo: 3600, samples } } });
  });
}

/** As if a forwarder that is no more had parked the first events of partition 0. */
async function park(app, forwarder, count) {
  const table = TableClient.fromConnectionString(app.connection, app.tableName, { allowInsecureConnection: true });
  const digits = (number) => String(number).padStart(19, '0');
  const long = (value) => ({ type: 'Int64', value: String(value) });
  const partitionKey = '0000';
  await table.createEntity({
    partitionKey, rowKey: `c|${forwarder}`, Next: long(1), Epoch: long(1), Owner: '', Write: long(1), Parked: long(count), RequestDone: long(0),
  });
  const hundreds = Array.from({ length: Math.ceil(count / 100) }, (_, hundred) => Array.from({ length: 100 }, (__, i) => hundred * 100 + i));
  for (const offsets of hundreds) {
    await table.submitTransaction(offsets.map((offset) => ['create', {
      partitionKey, rowKey: `p|${forwarder}|${digits(offset)}`, Subject: `order/${offset}`, Type: 'OrderPlaced',
      Reason: `The shop refused order ${offset}.`, Attempts: long(1), At: new Date(),
    }]));
  }
}
