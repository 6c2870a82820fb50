// What can be done from the page, down to what the app then does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { TableClient } from '@azure/data-tables';
import { ServiceBusClient } from '@azure/service-bus';
import { until } from './services.mjs';
import { assertAccessible, card, confirm, headline, onPage, parked, services, describe } from './stage.mjs';

/** A payment service that says no until it is told otherwise. */
let refuses = true;
const payments = createServer((request, response) => {
  response.statusCode = refuses ? 422 : 200;
  response.end();
}).listen(0, '127.0.0.1');
after(() => payments.close());
const paymentsUrl = () => `http://127.0.0.1:${payments.address().port}`;
const refunds = async (app) => (await app.status()).forwarders.find(({ name }) => name === 'refunds');

describe('Acting', () => {
  test('A forwarder is paused after a question, everywhere or in one partition, and resumed', async () => {
    const app = await services.startApp({ Payments__Url: paymentsUrl(), Outpost__PartitionCount: '2' });
    await onPage(app, async (page) => {
      await page.getByRole('button', { name: 'Pause refunds', exact: true }).click();
      await page.getByRole('dialog').getByText('events wait in the log').waitFor();
      await assertAccessible(page);
      await confirm(page, 'Pause', 'refunds is paused.');
      await headline(page, 'refunds paused');
      assert.equal((await refunds(app)).state, 'paused');

      await page.getByRole('button', { name: 'Resume refunds', exact: true }).click();
      await confirm(page, 'Resume', 'refunds is resumed.');
      await until('it is resumed', async () => (await refunds(app)).state !== 'paused');

      await card(page, 'refunds').getByText('Partition by partition').click();
      await page.getByRole('button', { name: 'Pause refunds in partition 1' }).click();
      await confirm(page, 'Pause', 'refunds is paused in partition 1.');
      await headline(page, 'refunds paused in part');
      assert.deepEqual((await refunds(app)).partitions.map(({ paused }) => paused), [false, true]);
    });
  });

  test('A parked event is looked at, discarded with a reason, or retried once its target takes it', async () => {
    refuses = true;
    const app = await services.startApp({ Payments__Url: paymentsUrl() });
    for (const id of ['one', 'two', 'three']) await app.cancelPaid(id);
    await onPage(app, async (page) => {
      await headline(page, '3 events are parked');
      const row = (id) => parked(page).getByRole('listitem').filter({ hasText: `order/${id}` });
      await row('one').getByText('The payment service refused the refund: 422.').waitFor();
      await row('one').locator('summary').click();
      await row('one').getByText('"reason": "changed my mind"').waitFor();
      await assertAccessible(page);

      await row('one').getByRole('button', { name: /Discard/ }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Discard', exact: true }).click();
      assert.ok(await page.getByRole('dialog').isVisible(), 'without a reason it must not be done');
      await page.getByLabel('Why?').fill('refunded by hand');
      await confirm(page, 'Discard', 'is discarded');
      await row('one').waitFor({ state: 'detached' });
      assert.equal((await refunds(app)).parked, 2);

      refuses = false;
      await row('two').getByRole('button', { name: /Retry/ }).click();
      await confirm(page, 'Retry', 'is being sent to refunds again');
      await row('two').waitFor({ state: 'detached' });
      await headline(page, '1 event is parked');
    });
  });

  test('A range is replayed, and a range that is not in the log is refused in words', async () => {
    const bus = await services.startBus('acting');
    const app = await services.startApp({ ServiceBus: bus.connection });
    for (let i = 0; i < 3; i++) await app.place(`o-${i}`);
    await onPage(app, async (page) => {
      await headline(page, 'Everything is forwarded');
      await page.getByRole('button', { name: 'Replay a range to servicebus' }).click();
      await page.getByLabel('From offset').fill('1');
      await page.getByLabel('To offset').fill('7');
      await page.getByRole('dialog').getByRole('button', { name: 'Replay', exact: true }).click();
      await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'the log has entries 0 to 2' }).waitFor();

      await page.getByLabel('To offset').fill('2');
      await confirm(page, 'Replay', '2 entries are being sent to servicebus again');

      const replay = /replay (\w+)/.exec(await page.locator('#done-text').textContent())[1];
      const client = new ServiceBusClient(bus.connection);
      const receiver = client.createReceiver('events', 'all', { receiveMode: 'receiveAndDelete' });
      const replayed = [];
      await until('both are sent again', async () => {
        const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 });
        replayed.push(...messages.filter(({ messageId }) => messageId.endsWith(`~${replay}`)));
        return replayed.length === 2;
      });
      await client.close();
    }, { failsRequests: true });
  });

  test('A forwarder that no longer exists is forgotten', async () => {
    const before = await services.startApp({ Payments__Url: paymentsUrl() });
    await before.place('o-1');
    await until('it has a checkpoint', async () => (await refunds(before)).lastWriteAt);
    await before.stop();
    // As ten minutes later: nobody has run it since.
    const table = TableClient.fromConnectionString(before.connection, before.tableName, { allowInsecureConnection: true });
    for await (const { partitionKey, rowKey } of table.listEntities({ queryOptions: { filter: "PartitionKey eq 'ticks'" } })) await table.deleteEntity(partitionKey, rowKey);
    const app = await services.startApp({ Outpost__TableName: before.tableName });
    await onPage(app, async (page) => {
      await card(page, 'refunds').getByText('This forwarder is not this app’s own').waitFor();
      await page.getByRole('button', { name: 'Forget refunds' }).click();
      await confirm(page, 'Forget', 'refunds is forgotten.');
      await card(page, 'refunds').waitFor({ state: 'detached' });
      assert.deepEqual((await app.status()).forwarders, []);
    });
  });

  test('A thousand events parked for three reasons are three decisions: one group retried, one discarded, one left', async (t) => {
    let answers = (i) => [400, 404, 422][i % 3];
    const service = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += chunk; }).on('end', () => {
        response.statusCode = answers(Number(JSON.parse(body).orderId));
        response.end();
      });
    }).listen(0, '127.0.0.1');
    // Left open after a failure, it would keep the file from ending.
    t.after(() => service.close());
    await once(service, 'listening');
    const app = await services.startApp({ Payments__Url: `http://127.0.0.1:${service.address().port}`, Forwarder__RefusalsInARow: '0' });
    for (let i = 0; i < 1000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => app.cancelPaid(`${i + j}`)));
    await until('all are parked', async () => (await refunds(app)).parked === 1000, 180_000);
    answers = () => 200;
    await onPage(app, async (page) => {
      await headline(page, '1,000 events are parked');
      const began = performance.now();
      const groups = page.getByRole('list', { name: 'Reasons' });
      await groups.getByRole('listitem').nth(2).waitFor();
      assert.deepEqual(await groups.locator('.reason').allTextContents(), [400, 404, 422].map((status) => `The payment service refused the refund: ${status}.`));
      await assertAccessible(page);

      await groups.getByRole('button', { name: 'Retry all refused for The payment service refused the refund: 400.' }).click();
      await confirm(page, 'Retry', '334 events are being sent to refunds again.');
      assert.ok(await page.locator('#parked-card #done').isVisible(), 'what came of it is said where it was asked for');
      await groups.getByRole('button', { name: 'Discard all refused for The payment service refused the refund: 404.' }).click();
      await page.getByLabel('Why?').fill('refunded by hand');
      await confirm(page, 'Discard', '333 events are being discarded');
      await headline(page, '333 events are parked');
      assert.deepEqual(await until('one reason is left', async () => {
        const left = await groups.locator('.reason').allTextContents();
        return left.length === 1 && left;
      }), ['The payment service refused the refund: 422.']);

      const took = performance.now() - began;
      assert.ok(took < 30_000, `it took ${Math.round(took / 1000)} s`);
      await card(page, 'refunds').getByText('What was done').click();
      await card(page, 'refunds').getByText(/Discard, what is parked in all partitions.*404.*done.*Why: refunded by hand/).waitFor();
      await assertAccessible(page);
    });
  });

  test('One entry is found by its subject, and replayed by itself', async () => {
    const bus = await services.startBus('one');
    const app = await services.startApp({ ServiceBus: bus.connection });
    for (let i = 0; i < 5; i++) await app.place(`o-${i}`);
    await until('all are sent', async () => (await app.status()).forwarders[0]?.partitions[0].nextOffset === 5, 60_000);
    await onPage(app, async (page) => {
      await headline(page, 'Everything is forwarded');
      await page.locator('#entries-mode').selectOption('search');
      await page.getByRole('textbox', { name: 'Subject or id' }).fill('order/o-3');
      await page.getByRole('textbox', { name: 'Subject or id' }).press('Enter');
      await page.locator('#entries-state').filter({ hasText: '1 entry among all 5 entries.' }).waitFor();
      await page.getByRole('list', { name: 'Entries' }).locator('summary').click();
      await page.getByRole('button', { name: 'Replay entry 3' }).click();
      await confirm(page, 'Replay', 'Entry 3 of partition 0 is being sent to servicebus again');
      const replay = /replay (\w+)/.exec(await page.locator('#done-text').textContent())[1];
      const client = new ServiceBusClient(bus.connection);
      const receiver = client.createReceiver('events', 'all', { receiveMode: 'receiveAndDelete' });
      const replayed = [];
      await until('it is sent again', async () => {
        replayed.push(...(await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 })).filter(({ messageId }) => messageId.endsWith(`~${replay}`)));
        return replayed.length > 0;
      });
      await client.close();
      assert.equal(replayed[0].body.orderId, 'o-3');
    });
  });

  test('Times are in one zone, which is named and can be changed', async () => {
    const app = await services.startApp();
    await app.place('o-1');
    const { headTimestamp } = (await app.status()).partitions[0];
    await onPage(app, async (page) => {
      const time = page.getByRole('list', { name: 'Entries' }).locator('time').first();
      await time.waitFor();
      assert.ok((await time.textContent()).endsWith(new Date(headTimestamp).toLocaleString('sv', { timeZone: 'Asia/Tokyo' }).split(' ')[1]));
      await page.getByLabel('Times in').selectOption('UTC');
      assert.ok((await time.textContent()).endsWith(headTimestamp.slice(11, 19)));
      await page.reload();
      await time.waitFor();
      assert.ok((await time.textContent()).endsWith(headTimestamp.slice(11, 19)));
    }, { timezoneId: 'Asia/Tokyo' });
  });
});
