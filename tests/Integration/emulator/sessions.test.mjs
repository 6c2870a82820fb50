import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { queue, receive, sharedEmulator, texts, topic, until } from './emulator.mjs';

const emulator = await sharedEmulator();

/** A topic whose subscription `orders` has sessions. */
async function given(properties = {}) {
  const name = await emulator.create(topic({ orders: { RequiresSession: true, ...properties } }));
  const client = emulator.client();
  const sender = client.createSender(name);
  return {
    name,
    client,
    send: (...pairs) => sender.sendMessages(pairs.map(([sessionId, body]) => ({ sessionId, body }))),
    accept: (id, options) =>
      client.acceptSession(name, 'orders', id, { maxAutoLockRenewalDurationInMs: 0, ...options }),
    acceptNext: (options) =>
      client.acceptNextSession(name, 'orders', { maxAutoLockRenewalDurationInMs: 0, ...options }),
  };
}

describe('A session', { concurrency: true }, () => {
  test('hands out its own messages, in order, and no others', async () => {
    const { send, accept } = await given();
    await send(['a', 'a1'], ['b', 'b1'], ['a', 'a2'], ['b', 'b2'], ['a', 'a3']);

    const session = await accept('a');
    const messages = await receive(session, 3);

    assert.deepEqual(texts(messages), ['a1', 'a2', 'a3']);
    assert.deepEqual(await session.receiveMessages(1, { maxWaitTimeInMs: 100 }), []);
    for (const message of messages) await session.completeMessage(message);
    assert.equal(session.sessionId, 'a');
  });

  test('that is next is the one waiting longest that nobody holds', async () => {
    const { send, acceptNext } = await given();
    await send(['a', '1'], ['b', '2'], ['a', '3']);

    const first = await acceptNext();
    const second = await acceptNext();

    assert.deepEqual([first.sessionId, second.sessionId], ['a', 'b']);
  });

  test('gets messages that arrive while it is held', async () => {
    const { send, accept } = await given();
    const session = await accept('a');
    const coming = receive(session, 2);

    await send(['b', 'other'], ['a', '1'], ['a', '2']);

    assert.deepEqual(texts(await coming), ['1', '2']);
  });

  test('returns an abandoned message to its place, before later ones', async () => {
    const { send, accept } = await given();
    await send(['a', '1'], ['a', '2'], ['a', '3']);
    const session = await accept('a');

    const [first] = await receive(session, 1);
    await session.abandonMessage(first);

    assert.deepEqual(texts(await receive(session, 3)), ['1', '2', '3']);
  });

  test('has one holder: another is refused until it is closed', async () => {
    const { send, accept } = await given();
    await send(['a', '1']);
    const session = await accept('a');
    const [message] = await receive(session, 1);

    await assert.rejects(accept('a'), { code: 'SessionCannotBeLocked' });
    await session.close();

    const again = await accept('a');
    const [same] = await receive(again, 1);
    assert.equal(same.messageId, message.messageId);
    assert.equal(same.deliveryCount, 0, 'closing a session is not a failed delivery');
  });

  test('is lost when its lock expires, and its messages come back counted', async () => {
    const { send, accept } = await given({ LockDuration: 'PT1S' });
    await send(['a', '1']);
    const session = await accept('a');
    const [message] = await receive(session, 1);

    await new Promise((resolve) => {
      setTimeout(resolve, 1_200);
    });

    await assert.rejects(session.completeMessage(message), { code: 'SessionLockLost' });
    const [again] = await receive(await accept('a'), 1);
    assert.equal(again.deliveryCount, 1);
  });

  test('stays held while its lock is renewed', async () => {
    const { send, accept } = await given({ LockDuration: 'PT1S' });
    await send(['a', '1']);
    const session = await accept('a');
    const [message] = await receive(session, 1);
    const before = session.sessionLockedUntilUtc;

    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
      await session.renewSessionLock();
    }

    assert.ok(session.sessionLockedUntilUtc > before);
    await session.completeMessage(message);
  });

  test('keeps its state from one holder to the next', async () => {
    const { accept } = await given();
    const first = await accept('a');
    assert.equal(await first.getSessionState(), null);
    await first.setSessionState({ step: 2 });
    await first.close();

    const second = await accept('a');
    assert.deepEqual(await second.getSessionState(), { step: 2 });
    await second.setSessionState(null);
    assert.equal(await second.getSessionState(), null);
  });

  test('can defer a message and take it back by number', async () => {
    const { send, accept } = await given();
    await send(['a', 'later'], ['a', 'now']);
    const session = await accept('a');
    const [message] = await receive(session, 1);
    await session.deferMessage(message);

    assert.deepEqual(texts(await receive(session, 1)), ['now']);
    const [deferred] = await session.receiveDeferredMessages(message.sequenceNumber);
    await session.completeMessage(deferred);
  });

  test('is not free while its messages are all held, and is free again after', async () => {
    const { name, send, acceptNext } = await given();
    await send(['a', '1']);
    const session = await acceptNext();
    const waiting = acceptNext();
    await session.close();
    const again = await waiting;

    await again.completeMessage((await receive(again, 1))[0]);
    await again.close();

    assert.equal((await emulator.describe(name)).messages.orders.active, 0);
  });
});

describe('Waiting for a session', { concurrency: true }, () => {
  test('ends with a timeout when none has messages', async () => {
    const { name } = await given();
    const client = emulator.client({ timeoutInMs: 600 });
    const started = Date.now();

    await assert.rejects(
      client.acceptNextSession(name, 'orders'),
      ({ code }) => code === 'ServiceTimeout' || code === 'SessionCannotBeLocked',
    );

    assert.ok(Date.now() - started >= 300, 'it did wait');
  });

  test('ends when a message for a new session arrives', async () => {
    const { send, acceptNext } = await given();
    const waiting = acceptNext();

    await send(['late', '1']);

    assert.equal((await waiting).sessionId, 'late');
  });

  test('is first come, first served', async () => {
    const { send, acceptNext } = await given();
    const first = acceptNext();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    const second = acceptNext();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });

    await send(['a', '1'], ['b', '2']);

    assert.deepEqual([(await first).sessionId, (await second).sessionId], ['a', 'b']);
  });
});

describe('Sessions are required', { concurrency: true }, () => {
  test('so a message without one goes to the dead-letter queue of the subscription', async () => {
    const name = await emulator.create(topic({ orders: { RequiresSession: true }, all: {} }));
    const client = emulator.client();

    await client.createSender(name).sendMessages({ body: 'stray' });

    const [dead] = await receive(client.createReceiver(name, 'orders', { subQueueType: 'deadLetter' }), 1);
    assert.equal(dead.deadLetterReason, 'Session ID is null.');
    assert.deepEqual(texts(await receive(client.createReceiver(name, 'all'), 1)), ['stray']);
  });

  test('so a queue refuses a message without one', async () => {
    const name = await emulator.create(queue({ RequiresSession: true }));
    await assert.rejects(emulator.client().createSender(name).sendMessages({ body: 'stray' }), /SessionId was not set/);
  });

  test('so a receiver without one is refused, and one with a session where there are none', async () => {
    const name = await emulator.create(topic({ orders: { RequiresSession: true }, all: {} }));
    const client = emulator.client();
    await assert.rejects(client.createReceiver(name, 'orders').receiveMessages(1), /requires sessions/);
    await assert.rejects(client.acceptNextSession(name, 'all'), /does not require sessions/);
  });
});

test('One client can work through 200 sessions side by side, each in order', async () => {
  const { name, client } = await given();
  const sender = client.createSender(name);
  for (let round = 0; round < 5; round++) {
    await sender.sendMessages(Array.from({ length: 200 }, (_, i) => ({ sessionId: `s${i}`, body: round })));
  }
  const got = new Map();
  const work = async () => {
    for (;;) {
      const { messages } = await emulator.describe(name);
      if (messages.orders.active + messages.orders.locked === 0) return;
      const session = await emulator
        .client({ timeoutInMs: 1_000 })
        .acceptNextSession(name, 'orders')
        .catch(() => undefined);
      if (!session) return;
      for (const message of await receive(session, 5)) {
        got.set(session.sessionId, [...(got.get(session.sessionId) ?? []), message.body]);
        await session.completeMessage(message);
      }
      await session.close();
    }
  };

  await Promise.all(Array.from({ length: 8 }, work));

  assert.equal(got.size, 200);
  for (const bodies of got.values()) assert.deepEqual(bodies, [0, 1, 2, 3, 4]);
  await until(async () => (await emulator.describe(name)).messages.orders.locked === 0);
});
