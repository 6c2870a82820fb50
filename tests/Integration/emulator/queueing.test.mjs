import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Broker } from '../../../infra/local/servicebus/entities/broker.mjs';
import { Deadlines } from '../../../infra/local/servicebus/entities/deadlines.mjs';
import { DuplicateHistory } from '../../../infra/local/servicebus/entities/duplicates.mjs';
import { Lane } from '../../../infra/local/servicebus/entities/lane.mjs';
import { Line } from '../../../infra/local/servicebus/entities/line.mjs';
import * as settle from '../../../infra/local/servicebus/entities/settlement.mjs';
import { snapshot } from '../../../infra/local/servicebus/entities/snapshot.mjs';
import { StoredMessage } from '../../../infra/local/servicebus/amqp/message.mjs';
import { entityDefinition } from '../../../infra/local/servicebus/config.mjs';
import { queue, topic } from './emulator.mjs';

// the rules by themselves: no process, no waiting, time is a number

/** Numbers below n from a seed, so that a failure can be run again. */
function randomFrom(seed) {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const rhea = createRequire(createRequire(import.meta.url).resolve('@azure/service-bus'))('rhea');

/** As a client encodes it. */
const message = (body, { messageId, sessionId, ttl, dueAt } = {}) =>
  new StoredMessage(
    rhea.message.encode({
      body: rhea.message.data_section(Buffer.from(body)),
      ttl,
      ...(messageId && { message_id: messageId }),
      ...(sessionId && { group_id: sessionId }),
      ...(dueAt && { message_annotations: { 'x-opt-scheduled-enqueue-time': rhea.types.wrap_timestamp(dueAt) } }),
    }),
  );
const define = (broker, name, item) => broker.define(entityDefinition({ ...item, Name: name }));
const bodyOf = ({ message: { bytes, bodyStart } }) => bytes.toString('latin1', bodyStart + 5);

function brokerWith(name, item) {
  const broker = new Broker();
  define(broker, name, item);
  return broker;
}

function receiveNext(of, now) {
  const entry = of.next(now);
  return entry && of.lock(entry, now);
}

test('A lane hands out by number, whatever was given back and in which order', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = randomFrom(seed);
    const lane = new Lane();
    const waiting = [];
    const taken = [];
    let last = 0;
    for (let step = 0; step < 3_000; step++) {
      const kind = random(4);
      if (kind === 0) {
        const entry = { sequence: (last += 1 + random(3)), state: 'active' };
        waiting.push(entry);
        lane.push(entry);
      } else if (kind === 1 && taken.length > 0) {
        const [entry] = taken.splice(random(taken.length), 1);
        entry.state = 'active';
        waiting.push(entry);
        lane.push(entry);
      } else if (kind === 2 && waiting.length > 0) {
        const [entry] = waiting.splice(random(waiting.length), 1);
        entry.state = 'gone';
        lane.forget();
      } else {
        waiting.sort((a, b) => a.sequence - b.sequence);
        const expected = waiting.shift();
        const entry = lane.pop();
        assert.equal(entry, expected, `seed ${seed}, step ${step}`);
        if (entry) {
          entry.state = 'locked';
          taken.push(entry);
        }
      }
      assert.equal(lane.count, waiting.length);
    }
  }
});

test('Deadlines come in order of time, less those cancelled, and do not pile up', () => {
  const random = randomFrom(7);
  const deadlines = new Deadlines();
  const expected = [];
  for (let i = 0; i < 20_000; i++) {
    const what = { at: random(500), i };
    const handle = deadlines.add(what.at, what);
    if (random(10) === 0) expected.push(what);
    else deadlines.cancel(handle);
  }
  assert.ok(deadlines.size < 3 * expected.length, `${deadlines.size} kept for ${expected.length}`);

  const taken = [];
  for (let item = deadlines.due(Infinity); item !== undefined; item = deadlines.due(Infinity)) {
    taken.push(item.what);
    deadlines.cancel(item);
  }

  assert.deepEqual(
    taken,
    expected.sort((a, b) => a.at - b.at || a.i - b.i),
  );
  assert.equal(deadlines.next(), Infinity);
});

test('A history of ids forgets by time and, at a million, the oldest', () => {
  const history = new DuplicateHistory();
  assert.equal(history.seen('a', 0, 100), false);
  assert.equal(history.seen('a', 99, 100), true, 'within the window');
  assert.equal(history.seen('a', 100, 100), false, 'after it');
  for (let i = 0; i < 1_000_010; i++) history.note(`${i}`, 1_000);
  assert.equal(history.size, 1_000_000);
  assert.equal(history.seen('9', 500, 1), false);
  assert.equal(history.seen('1000009', 500, 1), true);
  history.prune(2_000);
  assert.equal(history.size, 0);
});

test('A message costs the same beyond a million remembered ids as before', () => {
  const history = new DuplicateHistory();
  let next = 0;
  const msFor = (count) => {
    const start = performance.now();
    for (const end = next + count; next < end; next++) history.seen(`id-${next}`, 0, 1_000);
    return performance.now() - start;
  };
  const below = msFor(1_000_000);
  const beyond = msFor(200_000); // took 80 to 450 times as long for each
  assert.ok(beyond < below, `${beyond} ms for 200,000 beyond a million, ${below} ms for the million`);
});

test('The first in a line is found at once, whatever left it before', () => {
  const line = new Line();
  const model = new Map();
  const random = randomFrom(1);
  for (let i = 0; i < 20_000; i++) {
    const key = random(5_000);
    if (random(3) > 0) {
      model.delete(key);
      model.set(key, i);
      line.push(key, i);
    } else {
      const gone = random(2) ? key : line.first();
      model.delete(gone);
      line.delete(gone);
    }
    assert.equal(line.first(), model.keys().next().value);
    assert.equal(line.size, model.size);
    assert.equal(line.get(key), model.get(key));
  }
  assert.deepEqual(line.entries(), [...model]);
});

test('A message that passes its time to live while locked can still be completed, and otherwise goes', () => {
  const broker = brokerWith('q', queue({ LockDuration: 'PT10S' }));
  const q = broker.queue('q');
  broker.send('q', [message('a', { ttl: 5_000 }), message('b', { ttl: 5_000 })], 0);
  const a = receiveNext(q, 0);
  receiveNext(q, 0);

  broker.advance(6_000);
  settle.complete(broker, q, a.lock.token, 6_000);
  broker.advance(10_000);

  assert.equal(q.entries.size, 0, 'b went with its lock');
  assert.equal(broker.entity('q').bytes, 0);
});

test('The shortest time to live counts: of the message, the topic, the subscription', () => {
  const broker = brokerWith(
    't',
    topic({ s: { DefaultMessageTimeToLive: 'PT30S' }, l: {} }, { DefaultMessageTimeToLive: 'PT1M' }),
  );
  broker.send('t', [message('a'), message('b', { ttl: 10_000 })], 0);
  const left = (at) => {
    broker.advance(at);
    return ['s', 'l'].map((name) => broker.queue(`t/Subscriptions/${name}`).entries.size);
  };
  assert.deepEqual(
    [left(9_999), left(10_000), left(29_999), left(30_000), left(59_999), left(60_000)],
    [
      [2, 2],
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 0],
    ],
  );
});

test('Behind an expired message the next one is received', () => {
  const broker = brokerWith('q', queue());
  broker.send('q', [message('short', { ttl: 1_000 }), message('long')], 0);
  let woken = 0;
  broker.onReady = () => {
    woken += 1;
  };
  broker.advance(1_000);
  assert.equal(bodyOf(receiveNext(broker.queue('q'), 1_000)), 'long');
  assert.ok(woken > 0, 'receivers are told');
});

test('A session that is given back goes to the end of the line', () => {
  const broker = brokerWith('q', queue({ RequiresSession: true }));
  const q = broker.queue('q');
  broker.send(
    'q',
    ['a', 'b', 'a', 'b'].map((sessionId) => message('x', { sessionId })),
    0,
  );
  const accept = () => q.acceptSession(null, {}, 0);
  const first = accept();
  settle.giveBackSession(broker, first, 0, { lapsed: false });
  assert.deepEqual([first.id, accept().id, accept().id, accept()], ['a', 'b', 'a', undefined]);
});

test('A session nobody uses is forgotten', () => {
  const broker = brokerWith('q', queue({ RequiresSession: true }));
  const q = broker.queue('q');
  for (let i = 0; i < 100; i++) {
    broker.send('q', [message('x', { sessionId: `s${i}` })], 0);
    const session = q.acceptSession(null, {}, 0);
    settle.complete(broker, q, q.lock(q.next(0, session), 0).lock.token, 0);
    settle.giveBackSession(broker, session, 0, { lapsed: false });
  }
  assert.equal(q.sessions.size, 0);
});

/** All that lasts, in a form that can be compared. */
function lasting(broker) {
  return [...broker.entities.values()].map((entity) => ({
    definition: entity.definition,
    lastSequence: entity.lastSequence,
    bytes: entity.bytes,
    history: entity.history.entries(),
    scheduled: [...entity.scheduled].map(
      ([
        sequence,
        {
          message: { bytes },
          dueAt,
        },
      ]) => [sequence, bytes.toString('hex'), dueAt],
    ),
    queues: [...entity.queues()].map((each) => ({
      path: each.path,
      lastSequence: each.isDeadLetter ? each.lastSequence : undefined,
      states: [...each.sessions.values()]
        .filter(({ state }) => state)
        .map(({ id, state }) => [id, String(state)])
        .sort(),
      entries: [...each.from(0)].map((entry) => ({
        sequence: entry.sequence,
        enqueuedSequence: entry.enqueuedSequence,
        enqueuedAt: entry.enqueuedAt,
        expiresAt: entry.expiresAt,
        deferred: entry.deferred,
        deliveryCount: entry.deliveryCount,
        source: entry.deadLetterSource,
        changes: entry.changes && Object.entries(entry.changes).sort(),
        bytes: entry.message.bytes.toString('hex'),
      })),
    })),
  }));
}

/** Anything a client or the clock can do, one step of it. */
function randomStep(broker, random, now, locks) {
  const sub = (name) => broker.queue(`t/Subscriptions/${name}`);
  const properties = () => ({
    messageId: `m${random(40)}`,
    ...(random(5) > 0 && { sessionId: `s${random(4)}` }),
    ...(random(4) === 0 && { ttl: 1_000 * (1 + random(20)) }),
    ...(random(6) === 0 && { dueAt: now + random(10_000) }),
  });
  switch (random(8)) {
    case 0:
    case 1:
      broker.send(
        't',
        Array.from({ length: 1 + random(4) }, () => message(`${now}`, properties())),
        now,
      );
      return;
    case 2:
    case 3: {
      const of = [sub('all'), sub('all').deadLetter, sub('orders').deadLetter][random(3)];
      const entry = receiveNext(of, now);
      if (entry) locks.push({ of, token: entry.lock.token });
      return;
    }
    case 4: {
      const of = sub('orders');
      const session = of.acceptSession(null, {}, now);
      if (!session) return;
      for (let entry = of.next(now, session); entry && random(3) > 0; entry = of.next(now, session)) {
        const { token } = of.lock(entry, now).lock;
        randomSettlement(broker, random, { of, token }, now);
      }
      if (random(2) === 0) settle.setSessionState(broker, session, random(3) === 0 ? null : Buffer.from(`${now}`));
      if (random(3) > 0) settle.giveBackSession(broker, session, now, { lapsed: false });
      return;
    }
    case 5: {
      const [lock] = locks.splice(random(locks.length), 1);
      if (lock?.of.locks.has(lock.token)) randomSettlement(broker, random, lock, now);
      return;
    }
    case 6: {
      const deferred = [...sub('all').entries.values()].filter(({ state }) => state === 'deferred');
      if (deferred.length > 0)
        locks.push({
          of: sub('all'),
          token: settle.lockDeferred(sub('all'), deferred[random(deferred.length)].sequence, now).lock.token,
        });
      const [scheduled] = [...broker.entity('t').scheduled.keys()];
      if (scheduled && random(3) === 0) broker.cancelScheduled('t', [scheduled]);
      return;
    }
    default:
      if (random(20) === 0) define(broker, 't', definitionOf(random(2) === 0));
  }
}

function randomSettlement(broker, random, { of, token }, now) {
  const changes = random(2) === 0 ? { touched: now } : undefined;
  switch (random(5)) {
    case 0:
      return settle.complete(broker, of, token, now);
    case 1:
      return settle.abandon(broker, of, token, now, changes);
    case 2:
      return settle.release(broker, of, token, now);
    case 3:
      return settle.defer(broker, of, token, now, changes);
    default:
      return of.isDeadLetter ? undefined : settle.reject(broker, of, token, now, { reason: 'r', changes });
  }
}

const definitionOf = (more) =>
  topic(
    {
      all: { LockDuration: 'PT3S', MaxDeliveryCount: 3, DeadLetteringOnMessageExpiration: true },
      orders: { RequiresSession: true, LockDuration: 'PT5S', MaxDeliveryCount: 4 },
      ...(more && { extra: { DefaultMessageTimeToLive: 'PT8S' } }),
    },
    { RequiresDuplicateDetection: true, DuplicateDetectionHistoryTimeWindow: 'PT15S' },
  );

test('Applying the records again, or a snapshot of them, ends in the same state: 100 seeded histories', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    const live = new Broker();
    const records = [];
    live.write = (record) => records.push(written(record));
    define(live, 't', definitionOf(false));
    const locks = [];
    let now = 1_000;
    for (let step = 0; step < 200; step++) {
      randomStep(live, random, now, locks);
      live.advance((now += random(800)));
    }

    const replayed = new Broker();
    for (const record of records) replayed.apply(record);
    assert.deepEqual(lasting(replayed), lasting(live), `replay of seed ${seed}`);

    const restored = new Broker();
    for (const record of snapshot(live)) restored.apply(written(record));
    assert.deepEqual(lasting(restored), lasting(live), `snapshot of seed ${seed}`);

    // and from there on both go the same way
    for (const broker of [live, restored]) {
      for (const each of broker.queues.values()) {
        for (const session of [...each.sessions.values()])
          if (session.holder) settle.giveBackSession(broker, session, now, { lapsed: false });
        for (const token of [...each.locks.keys()]) settle.release(broker, each, token, now);
      }
      broker.advance(now + 60_000);
    }
    assert.deepEqual(lasting(restored), lasting(live), `afterlife of seed ${seed}`);
  }
});

/** A record as the journal gives it back: through JSON, its messages made again from their bytes. */
function written({ messages, ...rest }) {
  return {
    ...JSON.parse(JSON.stringify(rest)),
    messages: messages?.map(({ bytes }) => new StoredMessage(Buffer.from(bytes))),
  };
}

test('A broker keeps nothing of what is gone', () => {
  const broker = brokerWith('t', definitionOf(false));
  const random = randomFrom(3);
  const locks = [];
  let now = 0;
  for (let step = 0; step < 5_000; step++) {
    randomStep(broker, random, now, locks);
    broker.advance((now += 100));
  }
  fetchAll(broker, now + 1_000_000);

  const entity = broker.entity('t');
  assert.equal(entity.bytes, 0);
  assert.equal(entity.history.size, 0);
  assert.equal(entity.scheduled.size, 0);
  for (const each of broker.queues.values()) {
    assert.deepEqual(
      [each.entries.size, each.locks.size, each.free.size, each.counts],
      [0, 0, 0, { active: 0, locked: 0, deferred: 0 }],
      each.path,
    );
  }
  assert.ok(broker.deadlines.size < 2_500, `${broker.deadlines.size} deadlines`);
});

/** Lets all locks lapse and everything due happen, then takes what is left. */
function fetchAll(broker, now) {
  broker.advance(now);
  for (const each of broker.queues.values()) {
    for (const session of [...each.sessions.values()]) {
      if (session.holder) settle.giveBackSession(broker, session, now, { lapsed: false });
    }
    for (const entry of [...each.entries.values()]) settle.consume(broker, each, entry);
  }
  broker.prune(now);
}
