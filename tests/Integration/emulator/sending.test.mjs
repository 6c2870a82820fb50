import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceBusClient } from '@azure/service-bus';
import { queue, receive, sharedEmulator, texts, topic } from './emulator.mjs';

const emulator = await sharedEmulator();
const KIB = 1024;

describe('A send', { concurrency: true }, () => {
  test('batches made by the client library arrive message by message, in order', async () => {
    const name = await emulator.create(topic({ all: {} }));
    const client = emulator.client();
    const sender = client.createSender(name);
    const batch = await sender.createMessageBatch();
    assert.equal(batch.maxSizeInBytes, 256 * KIB);
    let count = 0;
    while (
      batch.tryAddMessage({
        body: Buffer.alloc(KIB, count),
        messageId: `m-${count}`,
        subject: 'x',
        applicationProperties: { n: `${count}` },
      })
    )
      count += 1;
    assert.ok(count > 200);

    await sender.sendMessages(batch);

    const messages = await receive(client.createReceiver(name, 'all'), count);
    assert.deepEqual(
      messages.map(({ messageId }) => messageId),
      Array.from({ length: count }, (_, i) => `m-${i}`),
    );
  });

  test('a message without an id is given one', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    await client.createSender(name).sendMessages({ body: 'a', applicationProperties: { kept: 1 } });

    const [{ messageId, applicationProperties }] = await receive(client.createReceiver(name), 1);

    assert.match(messageId, /^[0-9a-f]{32}$/);
    assert.deepEqual(applicationProperties, { kept: 1 });
  });

  test('a message sent with a time to be enqueued is scheduled', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    const sender = client.createSender(name);
    const at = (ms) => new Date(Date.now() + ms);
    for (const due of [at(500), at(3_600_000)])
      await sender.sendMessages({ body: due.getTime(), scheduledEnqueueTimeUtc: due });

    const [{ body }] = await receive(client.createReceiver(name), 1);
    assert.ok(Date.now() >= Number(body));
    assert.equal((await emulator.describe(name)).scheduled, 1, 'the one of later');
  });
});

describe('Sizes', { concurrency: true }, () => {
  test('a message over the limit is refused, one below is not', async () => {
    const name = await emulator.create(queue());
    const sender = emulator.client().createSender(name);

    await sender.sendMessages({ body: Buffer.alloc(255 * KIB) });
    await assert.rejects(sender.sendMessages({ body: Buffer.alloc(257 * KIB) }), { code: 'MessageSizeExceeded' });
    await sender.sendMessages({ body: 'the link still works' });

    assert.equal((await emulator.describe(name)).messages[name].active, 2);
  });

  test('the limit of an entity is told to clients and kept', async () => {
    const name = await emulator.create(queue({ MaxMessageSizeInKilobytes: 1024 }));
    const { maxMessageSizeInBytes, maxBatchSizeInBytes } = await emulator.describe(name);
    assert.deepEqual([maxMessageSizeInBytes, maxBatchSizeInBytes], [1024 * KIB, 1024 * KIB]);
    const client = emulator.client();
    const sender = client.createSender(name);

    assert.equal((await sender.createMessageBatch()).maxSizeInBytes, 1024 * KIB);
    await sender.sendMessages({ body: Buffer.alloc(1000 * KIB, 1) });
    await assert.rejects(sender.sendMessages({ body: Buffer.alloc(1025 * KIB) }), { code: 'MessageSizeExceeded' });

    const [message] = await receive(client.createReceiver(name, { skipParsingBodyAsJson: true }), 1);
    assert.deepEqual(message.body, Buffer.alloc(1000 * KIB, 1));
  });

  test('an entity that is full says so, and takes messages again once some are gone', async () => {
    const name = await emulator.create(queue({ MaxSizeInMegabytes: 1 }));
    const client = emulator.client();
    const sender = client.createSender(name);
    const body = Buffer.alloc(250 * KIB);
    for (let i = 0; i < 4; i++) await sender.sendMessages({ body });

    await assert.rejects(sender.sendMessages({ body }), { code: 'QuotaExceeded' });

    const receiver = client.createReceiver(name);
    await receiver.completeMessage((await receive(receiver, 1))[0]);
    await sender.sendMessages({ body });
  });

  test('a message held by two subscriptions counts once', async () => {
    const name = await emulator.create(topic({ a: {}, b: {} }));
    await emulator
      .client()
      .createSender(name)
      .sendMessages({ body: Buffer.alloc(10 * KIB) });
    const { storedBytes } = await emulator.describe(name);
    assert.ok(storedBytes > 10 * KIB && storedBytes < 11 * KIB);
  });
});

describe('Duplicates', { concurrency: true }, () => {
  test('are accepted and dropped, in a batch and by themselves', async () => {
    const name = await emulator.create(topic({ all: {} }, { RequiresDuplicateDetection: true }));
    const client = emulator.client();
    const sender = client.createSender(name);

    await sender.sendMessages([
      { body: 'a', messageId: '1' },
      { body: 'again', messageId: '1' },
      { body: 'b', messageId: '2' },
    ]);
    await sender.sendMessages({ body: 'again', messageId: '2' });
    await sender.sendMessages([
      { body: 'again', messageId: '1' },
      { body: 'c', messageId: '3' },
    ]);

    assert.deepEqual(texts(await receive(client.createReceiver(name, 'all'), 3)), ['a', 'b', 'c']);
    assert.equal((await emulator.describe(name)).messages.all.active, 0);
  });

  test('are delivered where nothing was said about them', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    await client.createSender(name).sendMessages([
      { body: 'a', messageId: '1' },
      { body: 'b', messageId: '1' },
    ]);
    assert.equal((await receive(client.createReceiver(name), 2)).length, 2);
  });

  test('are forgotten when their window has passed', async () => {
    const name = await emulator.create(
      queue({ RequiresDuplicateDetection: true, DuplicateDetectionHistoryTimeWindow: 'PT0.5S' }),
    );
    const sender = emulator.client().createSender(name);
    await sender.sendMessages({ body: 'a', messageId: '1' });
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
    await sender.sendMessages({ body: 'b', messageId: '1' });
    assert.equal((await emulator.describe(name)).messages[name].active, 2);
  });
});

describe('A refusal', { concurrency: true }, () => {
  test('of an unknown entity is the same for senders and receivers', async () => {
    const client = emulator.client();
    await assert.rejects(client.createSender('nowhere').sendMessages({ body: 'a' }), {
      code: 'MessagingEntityNotFound',
    });
    await assert.rejects(client.createReceiver('nowhere').receiveMessages(1), { code: 'MessagingEntityNotFound' });
    await assert.rejects(client.createReceiver('nowhere', 'all').receiveMessages(1), {
      code: 'MessagingEntityNotFound',
    });
    await assert.rejects(client.acceptNextSession('nowhere'), { code: 'MessagingEntityNotFound' });
    await assert.rejects(client.createReceiver('nowhere').peekMessages(1), { code: 'MessagingEntityNotFound' });
  });

  test('of a subscription that a topic does not have names it', async () => {
    const name = await emulator.create(topic({ all: {} }));
    await assert.rejects(
      emulator.client().createReceiver(name, 'other').receiveMessages(1),
      new RegExp(`${name}/Subscriptions/other`),
    );
  });

  test('of a wrong key comes before anything else', async () => {
    const name = await emulator.create(queue());
    const client = new ServiceBusClient(emulator.connectionString.replace('SAS_KEY_VALUE', 'WRONG'), {
      retryOptions: { maxRetries: 0 },
    });
    await assert.rejects(client.createSender(name).sendMessages({ body: 'a' }), { code: 'UnauthorizedAccess' });
    await assert.rejects(client.createReceiver(name).receiveMessages(1), { code: 'UnauthorizedAccess' });
    await client.close();
    assert.equal((await emulator.describe(name)).messages[name].active, 0);
  });

  test('of a huge HTTP body does not read it to its end', async () => {
    const name = await emulator.create(queue());
    const response = await fetch(`${emulator.url}/${name}`, { method: 'PUT', body: '{'.padEnd(2 * 1024 * KIB) });
    assert.equal(response.status, 413);
    assert.equal((await emulator.put(name, queue())).status, 200);
  });

  test('leaves other paths and methods to a plain 404', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['POST', '/a/b/c'],
      ['PATCH', '/a'],
      ['GET', '/nowhere'],
      ['DELETE', '/nowhere'],
      ['PUT', '/$faults/nowhere'],
    ]) {
      const response = await fetch(emulator.url + path, { method, ...(method === 'PUT' && { body: '{}' }) });
      assert.equal(response.status, 404, `${method} ${path}`);
      assert.equal((await response.json()).error.code, 'amqp:not-found');
    }
  });
});

describe('An entity', { concurrency: true }, () => {
  test('can be created, changed, described and deleted while running', async () => {
    const name = await emulator.create(topic({ a: {} }));
    const client = emulator.client();
    const sender = client.createSender(name);
    await sender.sendMessages({ body: '1' });

    assert.equal((await emulator.put(name, topic({ a: { MaxDeliveryCount: 2 }, b: {} }))).status, 200);
    await sender.sendMessages({ body: '2' });
    assert.deepEqual(
      Object.entries((await emulator.describe(name)).messages).map(([sub, { active }]) => [sub, active]),
      [
        ['a', 2],
        ['b', 1],
      ],
    );

    assert.equal((await emulator.put(name, topic({ b: {} }))).status, 200);
    assert.deepEqual(Object.keys((await emulator.describe(name)).messages), ['b']);

    assert.equal((await fetch(`${emulator.url}/${name}`, { method: 'DELETE' })).status, 200);
    assert.equal((await fetch(`${emulator.url}/${name}`)).status, 404);
    await assert.rejects(sender.sendMessages({ body: '3' }), { code: 'MessagingEntityNotFound' });
  });

  test('is not changed into something else', async () => {
    const name = await emulator.create(topic({ a: {} }));
    assert.equal((await emulator.put(name, queue())).status, 409);
    assert.equal((await emulator.put(name, topic({ a: { RequiresSession: true } }))).status, 409);
  });

  test('is refused with the field, the value and what is allowed', async () => {
    const response = await emulator.put('x', topic({ a: { LockDuration: '1 minute' } }));
    assert.equal(response.status, 400);
    assert.equal(
      (await response.json()).error.message,
      'body.Subscriptions[0].Properties.LockDuration is "1 minute"; ' +
        'allowed: an ISO 8601 duration such as "PT1M" or "P1DT12H"',
    );
    assert.equal((await emulator.put('a b', queue())).status, 400);
    assert.equal((await emulator.put('x', undefined)).status, 400);
  });

  test('is found whatever the case of its name', async () => {
    const name = await emulator.create(topic({ Orders: {} }), 'Mixed.Case_1');
    const client = emulator.client();
    await client.createSender(name.toUpperCase()).sendMessages({ body: 'a' });
    assert.deepEqual(texts(await receive(client.createReceiver(name.toLowerCase(), 'oRDERS'), 1)), ['a']);
  });
});

describe('A subscription', { concurrency: true }, () => {
  const sql = (SqlExpression) => [{ Name: 'r', Properties: { FilterType: 'Sql', SqlFilter: { SqlExpression } } }];
  const correlation = (CorrelationFilter) => [
    { Name: 'r', Properties: { FilterType: 'Correlation', CorrelationFilter } },
  ];

  test('gets what its rules let through', async () => {
    const name = await emulator.create(
      topic({
        all: {},
        placed: { Rules: correlation({ Label: 'OrderPlaced' }) },
        both: { Rules: [...correlation({ Label: 'OrderPaid' }), ...correlation({ Label: 'OrderPlaced' })] },
        vip: { Rules: correlation({ Label: 'OrderPlaced', Properties: { tier: 'gold' } }) },
        sql: { Rules: sql("sys.Label IN ('OrderPaid', 'OrderShipped') AND NOT tier = 'gold'") },
        untiered: { Rules: sql('tier IS NULL') },
        large: { Rules: sql("total >= 10 OR ([tier] = 'gold' AND user.total > 1)") },
        none: { Rules: sql('1=0') },
        session: { Rules: sql("sys.SessionId = 'o''2'") },
      }),
    );
    await emulator
      .client()
      .createSender(name)
      .sendMessages([
        { body: 1, subject: 'OrderPlaced', applicationProperties: { tier: 'gold', total: 5 } },
        { body: 2, subject: 'OrderPlaced', sessionId: "o'2" },
        { body: 3, subject: 'OrderPaid', applicationProperties: { tier: 'none', total: 10 } },
        { body: 4, subject: 'OrderPaid', applicationProperties: { tier: 'gold', total: 1 } },
      ]);

    const { messages } = await emulator.describe(name);

    assert.deepEqual(Object.fromEntries(Object.entries(messages).map(([sub, { active }]) => [sub, active])), {
      all: 4,
      placed: 2,
      both: 4,
      vip: 1,
      sql: 1,
      untiered: 1,
      large: 2,
      none: 0,
      session: 1,
    });
  });

  test('is refused when its rule is not understood', async () => {
    for (const [rules, expected] of [
      [sql("sys.Label LIKE 'Order%'"), /SqlExpression is .*LIKE.*Supported/],
      [sql('a ='), /SqlExpression is/],
      [sql('sys.Unknown = 1'), /unknown system property/],
      [correlation({ Lable: 'typo' }), /Lable/],
      [[{ Name: 'r', Properties: { Action: { SqlExpression: 'SET a = 1' } } }], /actions are not supported/],
    ]) {
      const response = await emulator.put('x', topic({ a: { Rules: rules } }));
      assert.equal(response.status, 400);
      assert.match((await response.json()).error.message, expected);
    }
  });
});
