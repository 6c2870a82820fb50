import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { queue, receive, sharedEmulator, texts, topic, until } from './emulator.mjs';

const emulator = await sharedEmulator();

/** A queue of the test's own with a client's sender and receiver on it. */
async function given(properties = {}, receiverOptions = {}) {
  const name = await emulator.create(queue(properties));
  const client = emulator.client();
  const receiver = client.createReceiver(name, { maxAutoLockRenewalDurationInMs: 0, ...receiverOptions });
  return { name, client, sender: client.createSender(name), receiver };
}

describe('A receiver', { concurrency: true }, () => {
  test('gets what was sent, with everything the sender set', async () => {
    const { sender, receiver } = await given();
    const sent = {
      body: Buffer.from('{"total":9.5}'),
      messageId: 'm-1',
      subject: 'OrderPlaced',
      contentType: 'application/json',
      correlationId: 'c-1',
      partitionKey: 'p',
      replyTo: 'answers',
      to: 'you',
      replyToSessionId: 'r-1',
      timeToLive: 3_600_000,
      applicationProperties: { text: 'ä', number: 5, fraction: 1.5, yes: true, when: new Date(0) },
    };

    await sender.sendMessages(sent);
    const [message] = await receive(receiver, 1);

    for (const [name, value] of Object.entries({ ...sent, body: { total: 9.5 } })) {
      if (name !== 'applicationProperties') assert.deepEqual(message[name], value, name);
    }
    assert.deepEqual(message.applicationProperties, { ...sent.applicationProperties, when: 0 });
    assert.equal(message.sequenceNumber.toNumber(), 1);
    assert.equal(message.deliveryCount, 0);
    assert.ok(Math.abs(message.enqueuedTimeUtc - Date.now()) < 10_000);
    assert.ok(message.lockedUntilUtc > new Date(Date.now() + 30_000), 'the lock lasts about a minute');
  });

  test('gets messages in the order they were sent', async () => {
    const { sender, receiver } = await given();
    const bodies = Array.from({ length: 300 }, (_, i) => `${i}`);

    for (let i = 0; i < bodies.length; i += 100)
      await sender.sendMessages(bodies.slice(i, i + 100).map((body) => ({ body })));

    assert.deepEqual(texts(await receive(receiver, 300)), bodies);
  });

  test('waits for a message that comes later', async () => {
    const { sender, receiver } = await given();
    const coming = receive(receiver, 1, 8_000);

    await sender.sendMessages({ body: 'late' });

    assert.deepEqual(texts(await coming), ['late']);
  });

  test('gets nothing from an empty queue, without an error', async () => {
    const { receiver } = await given();
    assert.deepEqual(await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 }), []);
  });

  test('has a completed message gone for good', async () => {
    const { name, sender, receiver } = await given({ LockDuration: 'PT1S' });
    await sender.sendMessages({ body: 'a' });

    await receiver.completeMessage((await receive(receiver, 1))[0]);

    const { messages } = await emulator.describe(name);
    assert.deepEqual(messages[name], { active: 0, locked: 0, deferred: 0, deadLettered: 0 });
  });

  test('shares a queue with others: each message goes to one of them', async () => {
    const { name, client, sender, receiver } = await given();
    const other = client.createReceiver(name);
    const got = [];
    const subscriptions = [receiver, other].map((each, i) =>
      each.subscribe(
        {
          processMessage: async ({ body }) => {
            got.push([i, body]);
          },
          processError: async () => {},
        },
        { maxConcurrentCalls: 5 },
      ),
    );

    await sender.sendMessages(Array.from({ length: 50 }, (_, i) => ({ body: i })));
    await until(() => got.length >= 50);
    await Promise.all(subscriptions.map((each) => each.close()));

    assert.deepEqual(
      got.map(([, body]) => body).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.equal(new Set(got.map(([i]) => i)).size, 2, 'both were served');
  });

  test('that deletes on receipt leaves nothing behind', async () => {
    const { name, sender, receiver } = await given({}, { receiveMode: 'receiveAndDelete' });
    await sender.sendMessages([{ body: 'a' }, { body: 'b' }]);

    assert.deepEqual(texts(await receive(receiver, 2)), ['a', 'b']);

    const { messages, storedBytes } = await emulator.describe(name);
    assert.equal(messages[name].active, 0);
    assert.equal(storedBytes, 0);
  });

  test('gets more messages over one link than any window of unsettled deliveries holds', async () => {
    const { name, sender, receiver } = await given();
    const total = 4_500;
    for (let i = 0; i < total; i += 900) await sender.sendMessages(Array.from({ length: 900 }, () => ({ body: 'x' })));

    const subscription = receiver.subscribe(
      { processMessage: async () => {}, processError: async () => {} },
      { maxConcurrentCalls: 200 },
    );

    await until(async () => (await emulator.describe(name)).storedBytes === 0, `${total} messages`, 15_000);
    await subscription.close();
  });
});

describe('A locked message', { concurrency: true }, () => {
  test('comes back to its place when abandoned, counted and changed as asked', async () => {
    const { sender, receiver } = await given();
    await sender.sendMessages([{ body: 'a', applicationProperties: { kept: 1, changed: 'no' } }, { body: 'b' }]);

    const [first] = await receive(receiver, 1);
    await receiver.abandonMessage(first, { changed: 'yes', added: 2 });

    const [again, second] = await receive(receiver, 2);
    assert.deepEqual(texts([again, second]), ['a', 'b']);
    assert.equal(again.deliveryCount, 1);
    assert.deepEqual(again.applicationProperties, { kept: 1, changed: 'yes', added: 2 });
    assert.equal(again.sequenceNumber.toNumber(), first.sequenceNumber.toNumber());
  });

  test('comes back by itself when the lock has expired, and the late settler is told', async () => {
    const { sender, receiver } = await given({ LockDuration: 'PT1S' });
    await sender.sendMessages({ body: 'a' });

    const [first] = await receive(receiver, 1);
    const [again] = await receive(receiver, 1);

    assert.equal(again.deliveryCount, 1);
    await assert.rejects(receiver.completeMessage(first), { code: 'MessageLockLost' });
    await receiver.completeMessage(again);
  });

  test('stays locked while its lock is renewed', async () => {
    const { name, client, sender, receiver } = await given({ LockDuration: 'PT1S' });
    await sender.sendMessages({ body: 'a' });
    const [message] = await receive(receiver, 1);

    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
      assert.ok((await receiver.renewMessageLock(message)) > new Date());
    }

    assert.deepEqual(await client.createReceiver(name).receiveMessages(1, { maxWaitTimeInMs: 100 }), []);
    await receiver.completeMessage(message);
  });

  test('cannot be renewed once the lock is lost', async () => {
    const { sender, receiver } = await given({ LockDuration: 'PT1S' });
    await sender.sendMessages({ body: 'a' });
    const [message] = await receive(receiver, 1);
    await receiver.completeMessage(message);

    await assert.rejects(receiver.renewMessageLock(message), { code: 'MessageLockLost' });
  });

  test('can be settled after its receiver was closed', async () => {
    const { name, sender, receiver } = await given();
    await sender.sendMessages({ body: 'a' });
    const [message] = await receive(receiver, 1);

    await receiver.close();
    await receiver.completeMessage(message).catch((error) => assert.match(error.message, /closed/));

    const { messages } = await emulator.describe(name);
    assert.ok(messages[name].locked <= 1 && messages[name].active === 0);
  });

  test('goes to the dead-letter queue after its last delivery', async () => {
    const { name, client, sender, receiver } = await given({ MaxDeliveryCount: 3 });
    await sender.sendMessages({ body: 'poison', messageId: 'p' });

    for (let i = 0; i < 3; i++) {
      const [message] = await receive(receiver, 1);
      assert.equal(message.deliveryCount, i);
      await receiver.abandonMessage(message);
    }

    const [dead] = await receive(client.createReceiver(name, { subQueueType: 'deadLetter' }), 1);
    assert.equal(dead.messageId, 'p');
    assert.equal(dead.deadLetterReason, 'MaxDeliveryCountExceeded');
    assert.equal(dead.deadLetterErrorDescription, 'Message could not be consumed after 3 delivery attempts.');
    assert.equal(dead.deadLetterSource, name);
  });
});

describe('The dead-letter queue', { concurrency: true }, () => {
  test('holds a dead-lettered message with its reason, description and changes', async () => {
    const name = await emulator.create(topic({ all: {} }));
    const client = emulator.client();
    await client.createSender(name).sendMessages({ body: 'bad', applicationProperties: { kept: 'x' } });
    const receiver = client.createReceiver(name, 'all');

    await receiver.deadLetterMessage((await receive(receiver, 1))[0], {
      deadLetterReason: 'Invalid',
      deadLetterErrorDescription: 'no lines',
      extra: 'e',
    });

    const letters = client.createReceiver(name, 'all', { subQueueType: 'deadLetter' });
    const [dead] = await receive(letters, 1);
    assert.equal(dead.deadLetterReason, 'Invalid');
    assert.equal(dead.deadLetterErrorDescription, 'no lines');
    assert.equal(dead.applicationProperties.kept, 'x');
    assert.equal(dead.applicationProperties.extra, 'e');
    assert.equal(dead.deadLetterSource, `${name}/Subscriptions/all`);
    await letters.completeMessage(dead);
    assert.equal((await emulator.describe(name)).messages.all.deadLettered, 0);
  });

  test('gets expired messages where that is configured, and only there', async () => {
    const name = await emulator.create(topic({ keeps: { DeadLetteringOnMessageExpiration: true }, drops: {} }));
    const client = emulator.client();
    await client.createSender(name).sendMessages([{ body: 'short', timeToLive: 300 }, { body: 'long' }]);

    await until(async () => (await emulator.describe(name)).messages.keeps.deadLettered === 1);

    const { messages } = await emulator.describe(name);
    assert.deepEqual(messages.drops, { active: 1, locked: 0, deferred: 0, deadLettered: 0 });
    const [dead] = await receive(client.createReceiver(name, 'keeps', { subQueueType: 'deadLetter' }), 1);
    assert.equal(dead.deadLetterReason, 'TTLExpiredException');
    assert.deepEqual(texts(await receive(client.createReceiver(name, 'keeps'), 1)), ['long']);
  });

  test('does not let a message expire, and gives it back as often as it is abandoned', async () => {
    const { name, client, sender, receiver } = await given({ MaxDeliveryCount: 1, DefaultMessageTimeToLive: 'PT1S' });
    await sender.sendMessages({ body: 'a' });
    await receiver.abandonMessage((await receive(receiver, 1))[0]);
    const letters = client.createReceiver(name, { subQueueType: 'deadLetter' });

    for (let i = 0; i < 3; i++) await letters.abandonMessage((await receive(letters, 1))[0]);

    await new Promise((resolve) => {
      setTimeout(resolve, 1_100);
    });
    assert.equal((await receive(letters, 1)).length, 1);
  });
});

describe('A deferred message', { concurrency: true }, () => {
  test('is only received by its number, and can then be settled', async () => {
    const { name, sender, receiver } = await given();
    await sender.sendMessages([{ body: 'later' }, { body: 'now' }]);
    const [message] = await receive(receiver, 1);

    await receiver.deferMessage(message, { why: 'not yet' });

    assert.deepEqual(texts(await receive(receiver, 1)), ['now']);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber);
    assert.equal(deferred.body, 'later');
    assert.equal(deferred.state, 'deferred');
    assert.equal(deferred.applicationProperties.why, 'not yet');
    await receiver.completeMessage(deferred);
    assert.equal((await emulator.describe(name)).messages[name].deferred, 0);
  });

  test('stays deferred when abandoned', async () => {
    const { sender, receiver } = await given();
    await sender.sendMessages({ body: 'later' });
    const [message] = await receive(receiver, 1);
    await receiver.deferMessage(message);

    await receiver.abandonMessage((await receiver.receiveDeferredMessages(message.sequenceNumber))[0]);

    const [again] = await receiver.receiveDeferredMessages(message.sequenceNumber);
    assert.equal(again.deliveryCount, 1);
    await receiver.deadLetterMessage(again, { deadLetterReason: 'r' });
  });

  test('that is not there is said to be missing', async () => {
    const { sender, receiver } = await given();
    await sender.sendMessages({ body: 'active' });
    const [peeked] = await receiver.peekMessages(1);
    await assert.rejects(receiver.receiveDeferredMessages(peeked.sequenceNumber), { code: 'MessageNotFound' });
  });
});

describe('Peeking', { concurrency: true }, () => {
  test('shows messages in order without locking them', async () => {
    const { sender, receiver } = await given();
    await sender.sendMessages([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);

    assert.deepEqual(texts(await receiver.peekMessages(2)), ['a', 'b']);
    assert.deepEqual(texts(await receiver.peekMessages(2)), ['c']);
    assert.deepEqual(await receiver.peekMessages(2), []);
    assert.deepEqual(texts(await receive(receiver, 3)), ['a', 'b', 'c']);
  });

  test('shows locked, deferred and scheduled ones too, and says so', async () => {
    const { sender, receiver } = await given();
    await sender.sendMessages([{ body: 'locked' }, { body: 'deferred' }]);
    const [, second] = await receive(receiver, 2);
    await receiver.deferMessage(second);
    await sender.scheduleMessages({ body: 'scheduled' }, new Date(Date.now() + 60_000));

    const states = (await receiver.peekMessages(10)).map(({ body, state }) => [body, state]);

    assert.deepEqual(states, [
      ['locked', 'active'],
      ['deferred', 'deferred'],
      ['scheduled', 'scheduled'],
    ]);
  });
});

describe('A scheduled message', { concurrency: true }, () => {
  test('comes when it is due, not before, in the same order for those due at the same time', async () => {
    const { sender, receiver } = await given();
    const due = new Date(Date.now() + 700);

    await sender.scheduleMessages([{ body: 'a' }, { body: 'b' }], due);
    await sender.sendMessages({ body: 'now' });

    assert.deepEqual(texts(await receive(receiver, 1)), ['now']);
    assert.deepEqual(texts(await receive(receiver, 2)), ['a', 'b']);
    assert.ok(Date.now() >= due.getTime());
  });

  test('never comes when cancelled', async () => {
    const { name, sender, receiver } = await given();
    const [number] = await sender.scheduleMessages({ body: 'never' }, new Date(Date.now() + 300));

    await sender.cancelScheduledMessages(number);

    await assert.rejects(sender.cancelScheduledMessages(number), { code: 'MessageNotFound' });
    assert.deepEqual(await receiver.receiveMessages(1, { maxWaitTimeInMs: 600 }), []);
    assert.equal((await emulator.describe(name)).storedBytes, 0);
  });
});
