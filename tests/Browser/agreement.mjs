// For each kind of trouble health, status and page say the same, name the cause, and what helps.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { TableClient } from '@azure/data-tables';
import { until } from './services.mjs';
import { assertAccessible, headline, onPage, services, describe } from './stage.mjs';

const WITHIN_MS = 30_000;
const AWAY = 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=R;SharedAccessKey=x;UseDevelopmentEmulator=true;';
const refusing = createServer((request, response) => {
  response.statusCode = 422;
  response.end();
}).listen(0, '127.0.0.1');
after(() => refusing.close());
const table = (app) => TableClient.fromConnectionString(app.connection, app.tableName, { allowInsecureConnection: true });
const offset = (number) => `e|${String(number).padStart(19, '0')}`;

/** As ten minutes later: nobody has run anything since. */
async function forgetTicks(app) {
  for await (const { partitionKey, rowKey } of table(app).listEntities({ queryOptions: { filter: "PartitionKey eq 'ticks'" } })) await table(app).deleteEntity(partitionKey, rowKey);
}

async function started(settings) {
  const app = await services.startApp(settings);
  await app.place('o-1');
  return app;
}

const TROUBLES = {
  'the setting of a forwarder is lost': {
    make: async () => {
      const before = await started({ ServiceBus: AWAY });
      await until('it has a checkpoint', async () => (await before.status()).forwarders[0]?.lastWriteAt);
      await before.stop();
      await forgetTicks(before);
      return services.startApp({ Outpost__TableName: before.tableName });
    },
    health: ['degraded', 'forwarder-orphaned', /no process runs this forwarder.*ServiceBus.*outpost forget/],
    status: ({ forwarders: [servicebus] }) => servicebus?.state === 'orphaned',
    page: ['Nobody runs servicebus', /Give the app its setting again/],
  },
  'the bus is away': {
    make: () => started({ ServiceBus: AWAY }),
    health: ['degraded', 'forwarder-failing', /servicebus fails: .*ServiceCommunicationProblem/],
    status: ({ forwarders: [servicebus] }) => servicebus?.state === 'failing' && servicebus.failingSince,
    page: ['servicebus can’t deliver', /can’t be reached.*resumes by itself/],
  },
  'the topic is missing': {
    make: async () => started({ ServiceBus: (await services.startBus('missing')).connection, Forwarder__Topic: 'nowhere' }),
    health: ['degraded', 'forwarder-failing', /MessagingEntityNotFound/],
    status: ({ forwarders: [servicebus] }) => /MessagingEntityNotFound/.test(servicebus?.lastError),
    page: ['servicebus can’t deliver', /no such topic or queue.*Forwarder__Topic/],
  },
  'a target refuses all': {
    make: async () => {
      await until('it listens', () => refusing.listening);
      const app = await services.startApp({ Payments__Url: `http://127.0.0.1:${refusing.address().port}`, Forwarder__RefusalsInARow: '2' });
      for (const id of ['a', 'b', 'c', 'd']) await app.cancelPaid(id);
      return app;
    },
    health: ['degraded', 'forwarder-failing', /refused 2 entries in a row/],
    status: ({ forwarders: [refunds] }) => refunds?.state === 'failing' && refunds.parked === 2,
    page: ['refunds can’t deliver', /refuses one event after the other/],
  },
  'a row is damaged': {
    make: async () => {
      const app = await started({ ServiceBus: AWAY });
      await until('it has a checkpoint', async () => (await app.status()).forwarders[0]?.lastWriteAt);
      await table(app).upsertEntity({ partitionKey: '0000', rowKey: 'c|servicebus', Next: 'many' }, 'Replace');
      return app;
    },
    health: ['degraded', 'log-damaged', /c\|servicebus.*Next/],
    status: ({ problems }) => problems.some(({ code }) => code === 'log-damaged'),
    page: ['Something is wrong with the log itself', /c\|servicebus.*Next/],
  },
  'a replay is stuck': {
    make: async () => {
      const ServiceBus = (await services.startBus('stuck')).connection;
      const before = await services.startApp({ ServiceBus });
      for (const id of ['a', 'b', 'c']) await before.place(id);
      await until('all is sent', async () => (await before.status()).forwarders[0]?.partitions[0].nextOffset === 3, 60_000);
      await table(before).deleteEntity('0000', offset(1));
      // Another process: the one that committed it has it in memory.
      await before.stop();
      const app = await services.startApp({ ServiceBus, Outpost__TableName: before.tableName });
      await app.post('forwarders/servicebus/replay', { partition: 0, fromOffset: 0, toOffset: 2 });
      return app;
    },
    health: ['degraded', 'request-blocked', /Take this request back/],
    status: ({ forwarders: [servicebus] }) => servicebus?.requests.some(({ state, reason }) => state === 'blocked' && /Take this request back/.test(reason)),
    page: ['A request is blocked', /blocked.*Take this request back/],
  },
};

describe('Health, status and page agree when', () => {
  for (const [name, { make, health, status, page: [title, words] }] of Object.entries(TROUBLES)) {
    test(name, async () => {
      const app = await make();
      await until('status says so', async () => status(await app.status()), WITHIN_MS);
      const [state, code, detail] = health;
      await until('health says so', async () => {
        const answer = await (await fetch(`${app.url}/api/health`)).json();
        return answer.status === state && answer.problems.some((one) => one.code === code && detail.test(one.detail));
      }, WITHIN_MS);

      await onPage(app, async (page) => {
        await headline(page, title);
        await page.locator('main').getByText(words).first().waitFor();
        await assertAccessible(page);
      });
    });
  }
});
