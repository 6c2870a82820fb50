import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServiceBusClient } from '@azure/service-bus';
import { BATCH_TYPE, queue, receive, sharedEmulator, texts, token, topic } from './emulator.mjs';

const emulator = await sharedEmulator();
const KIB = 1024;

/** What a receiver sees of a message, less what differs from one delivery to the next. */
function seen(message) {
  const { header, ...raw } = message._rawAmqpMessage;
  const {
    enqueuedTimeUtc,
    expiresAtUtc,
    lockToken,
    lockedUntilUtc,
    delivery,
    sequenceNumber,
    enqueuedSequenceNumber,
    _rawAmqpMessage,
    ...rest
  } = message;
  const { messageAnnotations, ...untimed } = raw;
  return { header, ...untimed, ...rest, annotations: Object.keys(messageAnnotations).sort() };
}

describe('HTTP and AMQP', { concurrency: true }, () => {
  test('sends arrive as the same message', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    const ids = { messageId: 'm-1', sessionId: 's-1', partitionKey: 's-1' };
    await client.createSender(name).sendMessages({
      ...ids,
      body: Buffer.from('{"a":1}'),
      subject: 'OrderPlaced',
      contentType: 'application/json',
      correlationId: 'c',
      replyTo: 'r',
      replyToSessionId: 'rs',
      to: 't',
      timeToLive: 90_500,
      applicationProperties: { text: 'x', empty: '', yes: false, count: 7 },
    });
    const response = await emulator.post(name, [
      {
        Body: Buffer.from('{"a":1}').toString('base64'),
        IsBodyBase64: true,
        BrokerProperties: {
          MessageId: 'm-1',
          SessionId: 's-1',
          PartitionKey: 's-1',
          Label: 'OrderPlaced',
          ContentType: 'application/json',
          CorrelationId: 'c',
          ReplyTo: 'r',
          ReplyToSessionId: 'rs',
          To: 't',
          TimeToLive: 90.5,
        },
        UserProperties: { text: 'x', empty: '', yes: false, count: 7 },
      },
    ]);
    assert.equal(response.status, 201);

    const [overAmqp, overHttp] = await receive(client.createReceiver(name), 2);

    // the client library stamps expiry and creation times where a time to live is set; the service does not need them
    for (const message of [overAmqp, overHttp]) {
      delete message._rawAmqpMessage.properties.absoluteExpiryTime;
      delete message._rawAmqpMessage.properties.creationTime;
    }
    assert.deepEqual(seen(overHttp), seen(overAmqp));
  });

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

  test('a batch filled to the brim by the client library also fits over HTTP', async () => {
    const name = await emulator.create(queue());
    const batch = await emulator.client().createSender(name).createMessageBatch();
    const messages = [];
    for (let i = 0; ; i++) {
      const text = 'x'.repeat(i % 700);
      if (
        !batch.tryAddMessage({
          body: Buffer.from(text),
          messageId: `m-${i}`,
          sessionId: `s-${i}`,
          subject: 'Order',
          contentType: 'text/plain',
          applicationProperties: { n: `${i}` },
        })
      )
        break;
      messages.push({
        Body: text,
        BrokerProperties: { MessageId: `m-${i}`, SessionId: `s-${i}`, Label: 'Order', ContentType: 'text/plain' },
        UserProperties: { n: `${i}` },
      });
    }

    assert.equal((await emulator.post(name, messages)).status, 201);
    const larger = await emulator.post(name, [...messages, ...messages.slice(0, 200)]);
    assert.equal(larger.status, 413);
    assert.equal((await larger.json()).error.code, 'amqp:link:message-size-exceeded');
  });

  test('a message without an id is given one', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    await client.createSender(name).sendMessages({ body: 'a', applicationProperties: { kept: 1 } });
    await emulator.post(name, [{ Body: 'b', UserProperties: { kept: 1 } }]);

    const messages = await receive(client.createReceiver(name), 2);

    for (const { messageId, applicationProperties } of messages) {
      assert.match(messageId, /^[0-9a-f]{32}$/);
      assert.deepEqual(applicationProperties, { kept: 1 });
    }
  });

  test('a message sent with a time to be enqueued is scheduled', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    const sender = client.createSender(name);
    const at = (ms) => new Date(Date.now() + ms);
    for (const due of [at(500), at(3_600_000)]) {
      const ScheduledEnqueueTimeUtc = due.toISOString();
      await emulator.post(name, [{ Body: due.getTime(), BrokerProperties: { ScheduledEnqueueTimeUtc } }].map(textBody));
      await sender.sendMessages({ body: due.getTime(), scheduledEnqueueTimeUtc: due });
    }

    for (const { body } of await receive(client.createReceiver(name), 2)) assert.ok(Date.now() >= Number(body));
    assert.equal((await emulator.describe(name)).scheduled, 2, 'those of later');
  });
});

const textBody = (message) => ({ ...message, Body: String(message.Body) });

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
    const response = await emulator.post(
      name,
      [{ Body: body.toString('base64'), BrokerProperties: {} }].map((m) => ({ ...m, IsBodyBase64: true })),
    );
    assert.equal(response.status, 403);
    assert.match((await response.json()).error.message, /maximum of 1048576/);

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
  test('are accepted and dropped, however they are sent', async () => {
    const name = await emulator.create(topic({ all: {} }, { RequiresDuplicateDetection: true }));
    const client = emulator.client();
    const sender = client.createSender(name);

    await sender.sendMessages([
      { body: 'a', messageId: '1' },
      { body: 'again', messageId: '1' },
      { body: 'b', messageId: '2' },
    ]);
    await sender.sendMessages({ body: 'again', messageId: '2' });
    assert.equal(
      (
        await emulator.post(name, [
          { Body: 'again', BrokerProperties: { MessageId: '1' } },
          { Body: 'c', BrokerProperties: { MessageId: '3' } },
        ])
      ).status,
      201,
    );

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
  test('of an unknown entity is the same for senders, receivers and HTTP', async () => {
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
    const response = await emulator.post('nowhere', [{ Body: 'a' }]);
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.code, 'amqp:not-found');
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

    const answers = await Promise.all([
      emulator.post(name, [{ Body: 'a' }], { authorization: null }),
      emulator.post(name, [{ Body: 'a' }], { authorization: 'Bearer x' }),
      emulator.post(name, [{ Body: 'a' }], { authorization: token(name, { key: 'WRONG' }) }),
      emulator.post(name, [{ Body: 'a' }], { authorization: token(name, { keyName: 'Other' }) }),
      emulator.post(name, [{ Body: 'a' }], { authorization: token(name, { expiresInSeconds: -5 }) }),
      emulator.post(name, [{ Body: 'a' }], { authorization: token(name).replace('sig=', 'sig=%zz') }),
      emulator.post('nowhere', [{ Body: 'a' }], { authorization: token(name, { key: 'WRONG' }) }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(7).fill(401),
    );
    assert.equal((await emulator.describe(name)).messages[name].active, 0);
  });

  test('of a malformed HTTP batch stores none of it', async () => {
    const name = await emulator.create(queue());
    const good = { Body: 'a', BrokerProperties: { MessageId: 'ok' } };
    const bad = [
      'not json',
      '{}',
      '[]',
      '[1]',
      '[null]',
      JSON.stringify([good, { Body: 5 }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { MessageId: 5 } }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { MesageId: 'typo' } }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { TimeToLive: '5' } }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { ScheduledEnqueueTimeUtc: 'soon' } }]),
      JSON.stringify([good, { Body: 'b', UserProperties: { a: { b: 1 } } }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { MessageId: 'x'.repeat(129) } }]),
      JSON.stringify([good, { Body: 'b', BrokerProperties: { SessionId: 's', PartitionKey: 'p' } }]),
    ];
    for (const body of bad) {
      const response = await emulator.post(name, undefined, { body });
      assert.equal(response.status, 400, body);
      assert.equal((await response.json()).error.code, 'com.microsoft:argument-error');
    }
    assert.equal((await emulator.post(name, [good], { contentType: `${BATCH_TYPE};charset=utf-8` })).status, 400);
    assert.equal((await emulator.describe(name)).messages[name].active, 0);
  });

  test('of a huge HTTP body does not read it to its end', async () => {
    const name = await emulator.create(queue());
    const response = await emulator.post(name, undefined, { body: '['.padEnd(2 * 1024 * KIB) });
    assert.equal(response.status, 413);
    assert.equal((await emulator.post(name, [{ Body: 'next' }])).status, 201);
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
