import assert from 'node:assert/strict';
import * as events from 'node:events';
import { createRequire } from 'node:module';
import { after, describe, test } from 'node:test';
import { queue, sharedEmulator, token, topic, until } from './emulator.mjs';

// the AMQP library the official client stands on, to say what the .NET library says and the JavaScript one does not
const rhea = createRequire(createRequire(import.meta.url).resolve('@azure/service-bus'))('rhea');
const { types } = rhea;
const emulator = await sharedEmulator();
const connections = [];
after(() => connections.forEach((connection) => connection.close()));

const once = (emitter, event) => events.once(emitter, event, { signal: AbortSignal.timeout(10_000) });
const OPTIONS = { reconnect: false, session_buffer_size: 20_000 };

async function connect({ mechanism = 'MSSBCBS', ...more } = {}) {
  const connection = rhea.create_container().connect({
    host: '127.0.0.1',
    port: emulator.port,
    ...OPTIONS,
    ...more,
    sasl_mechanisms: { [mechanism]: { start: (callback) => callback(undefined, Buffer.alloc(0)) } },
  });
  connections.push(connection);
  for (const event of ['connection_error', 'disconnected', 'session_error', 'sender_error', 'receiver_error'])
    connection.on(event, () => {});
  await once(connection, 'connection_open');
  return connection;
}

/** One request over links of its own, answered on the link named in reply-to. */
async function request(connection, address, message) {
  const session = connection.create_session();
  session.begin();
  const replyTo = `reply-${Math.random()}`;
  const receiver = session.open_receiver({ source: { address }, target: { address: replyTo } });
  const sender = session.open_sender({ target: { address } });
  await once(sender, 'sendable');
  sender.send({ message_id: 'request-1', reply_to: replyTo, ...message });
  const [context] = await once(receiver, 'message');
  session.close();
  return context.message;
}

/** As the .NET library puts a token: audience with the amqp scheme, an expiration. */
const putToken = (connection, body = token('')) =>
  request(connection, '$cbs', {
    body,
    application_properties: {
      operation: 'put-token',
      type: 'servicebus.windows.net:sastoken',
      name: 'amqp://127.0.0.1/x',
      expiration: new Date(Date.now() + 600_000),
    },
  });

async function authorized(options) {
  const connection = await connect(options);
  const { application_properties: answer, correlation_id: correlationId } = await putToken(connection);
  assert.deepEqual(
    [answer['status-code'], answer['status-description'], correlationId],
    [202, 'Accepted', 'request-1'],
  );
  return connection;
}

describe('On the wire', { concurrency: true }, () => {
  test('both sign-in mechanisms are offered, and no other is accepted', async () => {
    await connect({ mechanism: 'MSSBCBS' });
    await connect({ mechanism: 'ANONYMOUS' });
    const refused = rhea
      .create_container()
      .connect({ host: '127.0.0.1', port: emulator.port, reconnect: false, username: 'a', password: 'b' });
    const [{ error }] = await once(refused, 'connection_error');
    assert.match(String(error), /No suitable mechanism; server supports MSSBCBS,ANONYMOUS/);
  });

  test('links are refused until a token was put, and a wrong one is answered with 401', async () => {
    const name = await emulator.create(queue());
    const connection = await connect();
    for (const wrong of [
      token('', { key: 'WRONG' }),
      token('', { keyName: 'Other' }),
      token('', { expiresInSeconds: -5 }),
      token('').replace('sig=', 'sig=%zz'),
      'nonsense',
    ])
      assert.equal((await putToken(connection, wrong)).application_properties['status-code'], 401, wrong);

    const sender = connection.open_sender({ target: { address: `/${name}` } });
    await once(sender, 'sender_error');
    assert.equal(sender.error.condition, 'amqp:unauthorized-access');

    await putToken(connection);
    await once(connection.open_sender({ target: { address: `/${name}` } }), 'sendable');
  });

  test('an address may begin with a slash or be a whole URI', async () => {
    const name = await emulator.create(topic({ all: {} }));
    const connection = await authorized();
    for (const address of [`/${name}`, `amqp://127.0.0.1:5672/${name}`, name]) {
      await once(connection.open_sender({ target: { address } }), 'sendable');
    }
    for (const address of [`/${name}/Subscriptions/all`, `${name}/subscriptions/ALL/$deadletterqueue`]) {
      await once(connection.open_receiver({ source: { address } }), 'receiver_open');
    }
  });

  test('the answer to a sender tells both size limits', async () => {
    const name = await emulator.create(queue({ MaxMessageSizeInKilobytes: 1024 }));
    const sender = (await authorized()).open_sender({ target: { address: name } });
    await once(sender, 'sender_open');
    assert.equal(sender.max_message_size, 1_048_576);
    assert.equal(sender.properties['com.microsoft:max-message-batch-size'], 1_048_576);
  });

  test('an unknown entity is refused by an attach without a target and a detach with the reason', async () => {
    const sender = (await authorized()).open_sender({ target: { address: 'nowhere' } });
    await Promise.all([once(sender, 'sender_open'), once(sender, 'sender_error')]);
    assert.equal(sender.target.address, undefined);
    assert.equal(sender.error.condition, 'amqp:not-found');
  });

  test('a session is named in the answer to its receiver, with the time its lock ends', async () => {
    const name = await emulator.create(queue({ RequiresSession: true }));
    const connection = await authorized();
    const receiver = connection.open_receiver({
      source: { address: `/${name}`, filter: { 'com.microsoft:session-filter': null } },
    });
    let opened = false;
    receiver.once('receiver_open', () => {
      opened = true;
    });

    await emulator.send(name, { body: 'a', sessionId: 's-1' });
    await until(() => opened, 'the session');

    assert.equal(receiver.source.filter['com.microsoft:session-filter'], 's-1');
    const ticks = receiver.properties['com.microsoft:locked-until-utc'].readBigInt64BE();
    const lockedUntil = Number((ticks - 621355968000000000n) / 10000n);
    assert.ok(Math.abs(lockedUntil - Date.now() - 60_000) < 5_000);
  });

  test('a wait for a session given up by closing the link leaves the session to the next', async () => {
    const name = await emulator.create(queue({ RequiresSession: true }));
    const connection = await authorized();
    const filter = { 'com.microsoft:session-filter': null };
    const first = connection.open_receiver({ source: { address: name, filter } });
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    first.close();
    await once(first, 'receiver_close');

    const second = connection.open_receiver({ source: { address: name, filter } });
    const opened = once(second, 'receiver_open');
    await emulator.send(name, { body: 'a', sessionId: 's-1' });
    await opened;
    assert.equal(second.source.filter['com.microsoft:session-filter'], 's-1');
  });

  test('a connection that breaks gives its session back', async () => {
    const name = await emulator.create(queue({ RequiresSession: true }));
    const filter = { 'com.microsoft:session-filter': 's-1' };
    const connection = await authorized();
    await once(connection.open_receiver({ source: { address: name, filter } }), 'receiver_open');
    connection.socket.destroy();

    const other = await authorized();
    await until(async () => {
      const receiver = other.open_receiver({ source: { address: name, filter } });
      await once(receiver, 'receiver_open');
      return receiver.source.filter !== undefined;
    }, 'the session');
  });

  test("a delivery carries its lock token as a GUID in .NET order, and the broker's annotations typed", async () => {
    const name = await emulator.create(queue({ DefaultMessageTimeToLive: 'PT1H' }));
    await emulator.send(name, { body: 'a', partitionKey: 'p' });
    const connection = await authorized();
    const receiver = connection.open_receiver({
      source: { address: name },
      rcv_settle_mode: 1,
      autoaccept: false,
      autosettle: false,
      credit_window: 0,
    });
    receiver.add_credit(1);

    const [{ message, delivery }] = await once(receiver, 'message');

    assert.equal(delivery.tag.length, 16);
    const annotations = message.message_annotations;
    assert.equal(annotations['x-opt-sequence-number'], 1);
    assert.equal(annotations['x-opt-enqueue-sequence-number'], 1);
    assert.equal(annotations['x-opt-partition-key'], 'p');
    assert.ok(annotations['x-opt-enqueued-time'] instanceof Date && annotations['x-opt-locked-until'] instanceof Date);
    assert.equal(message.delivery_count, 0);
    assert.equal(message.ttl, 3_600_000);

    // the token as a UUID in network order names the same lock on $management
    const uuid = Buffer.from(delivery.tag);
    for (const [start, end] of [
      [0, 4],
      [4, 6],
      [6, 8],
    ])
      uuid.subarray(start, end).reverse();
    const renewed = await request(connection, `${name}/$management`, {
      body: { 'lock-tokens': types.wrap_array([uuid], 0x98) },
      application_properties: { operation: 'com.microsoft:renew-lock' },
    });
    assert.equal(renewed.application_properties.statusCode, 200);
    assert.ok(renewed.body.expirations[0] > new Date());
  });

  test('every outcome is answered with the same outcome, settled, also when they come all at once', async () => {
    const name = await emulator.create(queue());
    await emulator.send(name, ...['accepted', 'rejected', 'modified', 'released'].map((each) => ({ body: Buffer.from(each) })));
    const connection = await authorized();
    const receiver = connection.open_receiver({
      source: { address: name },
      rcv_settle_mode: 1,
      autoaccept: false,
      autosettle: false,
      credit_window: 0,
    });
    receiver.add_credit(4);
    const deliveries = [];
    receiver.on('message', ({ message, delivery }) => deliveries.push([String(message.body.content), delivery]));
    await until(() => deliveries.length === 4, 'all messages');
    const answers = [];
    receiver.on('settled', ({ delivery }) => answers.push(delivery.remote_state.constructor.composite_type));
    const state = {
      accepted: rhea.message.accepted(),
      released: rhea.message.released(),
      rejected: rhea.message.rejected({
        error: { condition: 'com.microsoft:dead-letter', info: { DeadLetterReason: 'r' } },
      }),
      modified: rhea.message.modified({ undeliverable_here: true }),
    };

    // four frames in one packet: written one by one, because the library would wrongly make one of them
    connection.socket.cork();
    for (const [outcome, delivery] of deliveries) {
      delivery.update(false, state[outcome].described());
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    connection.socket.uncork();
    await until(() => answers.length >= 4, 'all outcomes');

    assert.deepEqual(answers.slice(0, 4), ['accepted', 'rejected', 'modified', 'released']);
    const { messages } = await emulator.describe(name);
    assert.deepEqual(messages[name], { active: 1, locked: 0, deferred: 1, deadLettered: 1 });
  });

  test('a refused transfer next to an accepted one is refused', async () => {
    const name = await emulator.create(queue());
    await emulator.fault(name, { messageIdPattern: 'bad' });
    const connection = await authorized();
    const sender = connection.open_sender({ target: { address: name } });
    await once(sender, 'sendable');
    const answers = [];
    for (const outcome of ['accepted', 'rejected'])
      sender.on(outcome, ({ delivery }) => {
        answers[delivery.id] = outcome;
      });

    connection.socket.cork();
    for (const message_id of ['good-1', 'bad-1', 'good-2', 'bad-2', 'bad-3', 'good-3'])
      sender.send({ message_id, body: 'x' });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    connection.socket.uncork();
    await until(() => answers.filter(Boolean).length === 6, 'all answers');

    assert.deepEqual(answers, ['accepted', 'rejected', 'accepted', 'rejected', 'rejected', 'accepted']);
  });

  test('an operation that is not there is answered so', async () => {
    const name = await emulator.create(queue());
    const answer = await request(await authorized(), `${name}/$management`, {
      body: {},
      application_properties: { operation: 'com.microsoft:unheard-of' },
    });
    assert.equal(answer.application_properties.statusCode, 501);
    assert.equal(answer.application_properties.errorCondition, 'amqp:not-implemented');
  });

  test('a request without what it needs is refused, and the next one answered', async () => {
    const name = await emulator.create(queue());
    const connection = await authorized();
    for (const operation of [
      'renew-lock',
      'peek-message',
      'schedule-message',
      'update-disposition',
      'receive-by-sequence-number',
      'set-session-state',
    ]) {
      const { application_properties: answer } = await request(connection, `${name}/$management`, {
        body: 'nothing of use',
        application_properties: { operation: `com.microsoft:${operation}` },
      });
      assert.ok(
        answer.statusCode >= 400 && answer.statusCode < 500,
        `${operation}: ${answer.statusCode} ${answer.statusDescription}`,
      );
    }
  });

  test('a link goes on although thousands of its deliveries were left to lapse', async () => {
    const name = await emulator.create(queue({ LockDuration: 'PT0.3S', MaxDeliveryCount: 2000 }));
    for (let i = 0; i < 6; i++) await emulator.send(name, ...Array.from({ length: 250 }, () => ({ body: 'x' })));
    const receiver = (await authorized()).open_receiver({
      source: { address: name },
      rcv_settle_mode: 1,
      autoaccept: false,
      autosettle: false,
      credit_window: 0,
    });
    let count = 0;
    receiver.on('message', () => {
      count += 1;
    });
    receiver.add_credit(20_000);

    await until(() => count > 6_000, 'more than the window holds', 15_000);
  });
});
