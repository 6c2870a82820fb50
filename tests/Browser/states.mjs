// Each state of the app by day, by night and on a phone: the answer comes first, all can use it, and a picture is taken
// where pictures are wanted.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { TableClient } from '@azure/data-tables';
import { until } from './services.mjs';
import { assertAccessible, assertFits, busyForPictures, card, headline, onPage, PHONE, picture, services, describe } from './stage.mjs';

const DESK = { width: 1280, height: 800 };
const LOOKS = { light: [DESK, 'light'], dark: [DESK, 'dark'], phone: [PHONE, 'light'] };
const HOUR_MS = 3_600_000;

/** A payment service that answers as a state needs it, after some time. */
let answer = { status: 200, afterMs: 0 };
const payments = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; }).on('end', () => setTimeout(() => {
    response.statusCode = typeof answer.status === 'function' ? answer.status(body) : answer.status;
    response.end();
  }, answer.afterMs));
}).listen(0, '127.0.0.1');
after(() => payments.close());

const settings = () => ({ Payments__Url: `http://127.0.0.1:${payments.address().port}`, Forwarder__RefusalsInARow: '0' });
const tableOf = (app) => TableClient.fromConnectionString(app.connection, app.tableName, { allowInsecureConnection: true });
const refunds = async (app) => (await app.status()).forwarders.find(({ name }) => name === 'refunds');

/** Looks at a state three times; on the phone the headline and the first forwarder are on the first screen. */
async function look(page, state, section) {
  for (const [name, [viewport, colorScheme]] of Object.entries(LOOKS)) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await assertFits(page);
    await assertAccessible(page);
    await picture(page, `${state}-${name}`, name === 'phone' ? undefined : section);
  }

  const worst = await page.locator('.forwarder').first().boundingBox();
  const bottom = worst.y + Math.min(worst.height, 150);
  assert.ok(bottom <= PHONE.height, `on a phone the first forwarder is ${bottom} px down`);
}

describe('Each state by day, by night and on a phone:', () => {
  let [app, bus] = [];
  before(async () => {
    bus = await services.startBus('states');
    app = await services.startApp({ ServiceBus: bus.connection, ...settings() });
    for (let i = 0; i < 12; i++) await app.cancelPaid(`o-${i}`);
    await busyForPictures(app, 90);
  });

  const state = (name, make, { section, ...options } = {}) => test(name, async () => onPage(app, async (page) => {
    await headline(page, /./);
    const end = await make(page);
    await look(page, name, section);
    await end?.();
  }, options));

  state('fine', (page) => headline(page, 'Everything is forwarded'));

  state('paused', async (page) => {
    await app.post('forwarders/refunds/pause', { reason: 'The payment service moves at ten.' });
    for (const id of ['p-1', 'p-2', 'p-3']) await app.cancelPaid(id);
    await headline(page, 'refunds paused');
    await card(page, 'refunds').getByText(/Paused since .*: The payment service moves at ten\. 9 events wait until it is resumed\./).waitFor();
    return () => app.post('forwarders/refunds/resume');
  });

  state('replaying', async (page) => {
    await until('it goes on', async () => (await refunds(app)).partitions[0].backlog === 0);
    answer = { status: 200, afterMs: 1500 };
    const { headOffset } = (await app.status()).partitions[0];
    const { id } = await app.post('forwarders/refunds/replay', { partition: 0, fromOffset: 0, toOffset: headOffset - 1 });
    await card(page, 'refunds').getByText(/Replay in partition 0: running, .* of/).waitFor();
    return () => fetch(`${app.url}/api/forwarders/refunds/requests/${id}`, { method: 'DELETE' });
  });

  state('parked', async (page) => {
    await until('nothing is asked of it', async () => (await refunds(app)).requests.length === 0, 60_000);
    answer = { status: (body) => (/-[0-5]"/.test(body) ? 404 : 422), afterMs: 0 };
    for (let i = 0; i < 9; i++) await app.cancelPaid(`refused-${i}`);
    await headline(page, '9 events are parked');
    await page.getByRole('list', { name: 'Reasons' }).getByRole('listitem').nth(1).waitFor();
  }, { section: 'parked' });

  state('orphaned', async (page) => {
    const whole = (value) => ({ type: 'Int64', value: String(value) });
    await tableOf(app).createEntity({
      partitionKey: '0000', rowKey: 'c|invoices', Next: whole(9), Epoch: whole(1), Owner: '', Write: whole(1), Parked: whole(0), RequestDone: whole(0),
    });
    await headline(page, 'Nobody runs invoices');
  });

  state('failing', async (page) => {
    await fetch(`${app.url}/api/forwarders/invoices`, { method: 'DELETE' });
    await bus.stop();
    for (let i = 0; i < 5; i++) await app.place(`waiting-${i}`);
    await headline(page, 'servicebus can’t deliver');
    await card(page, 'servicebus').getByText('The bus can’t be reached.').waitFor();
  });

  state('table-away', async (page) => {
    await page.route('**/api/status*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"type":"x/store-away","detail":"Table Storage does not answer."}' }));
    await page.getByText(/Table Storage does not answer\. What is shown below is .* old\./).waitFor();
  }, { failsRequests: true });

  test('late', async () => {
    // What was committed an hour ago, and is only now dealt with, slowly. Another process: the one that committed it has it in memory.
    const began = await services.startApp();
    for (let i = 0; i < 12; i++) await began.cancelPaid(`late-${i}`);
    await began.stop();
    for await (const row of tableOf(began).listEntities({ queryOptions: { filter: "RowKey ge 'e|' and RowKey lt 'f'" } }))
      await tableOf(began).updateEntity({ partitionKey: row.partitionKey, rowKey: row.rowKey, At: new Date(row.At.getTime() - HOUR_MS) }, 'Merge');
    answer = { status: 200, afterMs: 3000 };
    const slow = await services.startApp({ ...settings(), Outpost__TableName: began.tableName });
    await onPage(slow, async (page) => {
      await headline(page, 'refunds is late');
      await look(page, 'late');
    });
  });
});
