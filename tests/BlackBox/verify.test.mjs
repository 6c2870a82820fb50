// The judge judged: a sound world is found sound, and each way of breaking it is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as verify from './verify.mjs';

const entry = (offset, subject, version, type = version === 1 ? 'OrderPlaced' : 'OrderPaid') => ({
  partition: 0, offset, id: `abcdefgh-0000-${String(offset).padStart(19, '0')}`, type, subject, version,
  timestamp: `2026-11-22T08:00:0${offset}.0000000Z`, payload: { orderId: subject.slice(6), total: 19 },
});

function world() {
  const feed = [entry(0, 'order/a', 1), entry(1, 'order/b', 1), entry(2, 'order/a', 2)];
  const answered = [['a', 'place', 1], ['b', 'place', 1], ['a', 'pay', 2]].map(([orderId, verb, version]) => ({ orderId, verb, version, state: '', from: 0, to: 0 }));
  answered.forEach((one, i) => { one.from = one.to = Date.parse(feed[i].timestamp); });
  const message = (of) => ({ messageId: of.id, sessionId: of.subject, subject: of.type, body: Buffer.from(JSON.stringify(of.payload).replace('19', '19.0')) });
  return {
    feed, answered, received: { all: feed.map(message), orders: feed.map(message) },
    lists: [{ partition: 0, from: 0, entries: [...feed] }, { partition: 0, from: 1, type: 'OrderPaid', entries: [feed[2]] }],
    log: { partitions: [{ partition: 0 }, { partition: 1 }], counts: [1, 2] }, grown: [1, 2], known: 2,
    backup: { partitions: [{ partition: 0, oldest: 0, head: 2, missing: 0 }], known: new Map([[0, 1]]) },
    restored: feed.slice(0, 2).map((one) => ({ ...one, id: one.id.replace('abcdefgh', 'restored') })),
  };
}

const judge = ({ feed, answered, received, lists, log, grown, known, backup, restored }) => [
  ...verify.commandsAndFeed(answered, feed), ...verify.order(feed), ...verify.times(answered, feed), ...verify.readers(lists, feed), ...verify.bus(received, feed),
  ...verify.growth(log, grown, known), ...verify.backup(backup, restored, feed)];

test('a sound world', () => assert.deepEqual(judge(world()), []));

const broken = {
  'an answered command without an event': (w) => w.answered.push({ orderId: 'c', verb: 'place', version: 1, state: 'placed' }),
  'an event that nobody was told of': (w) => w.answered.pop(),
  'another event than the one answered': (w) => { w.answered[2].verb = 'cancel'; },
  'a change made twice': (w) => w.feed.push(entry(3, 'order/a', 2)),
  'a hole in the log': (w) => w.feed.splice(1, 1),
  'a version left out': (w) => { w.feed[2].version = 3; w.answered[2].version = 3; },
  'a time that goes back': (w) => { w.feed[2].timestamp = w.feed[0].timestamp.replace('00', '59').replace('08:', '07:'); },
  'a reader who missed one': (w) => w.lists[0].entries.splice(1, 1),
  'a reader who got one twice': (w) => w.lists[0].entries.push(w.feed[2]),
  'a message that never came': (w) => w.received.all.splice(1, 1),
  'a message twice': (w) => w.received.all.push(w.received.all[2]),
  'messages of a partition out of order': (w) => w.received.all.reverse(),
  'messages of a subject out of order': (w) => w.received.orders.reverse(),
  'a message of no entry': (w) => w.received.orders.push({ ...w.received.orders[2], messageId: 'abcdefgh-0000-0000000000000000009' }),
  'another payload': (w) => { w.received.all[0].body = Buffer.from('{}'); },
  'a time that a wrong clock gave': (w) => { w.answered[1].from = w.answered[1].to += 10_000; },
  'a time before its command': (w) => { w.answered[1].from = w.answered[1].to -= 10_000; },
  'a reader of one type who got another': (w) => w.lists[1].entries.push(w.feed[1]),
  'a reader of one type who missed one': (w) => w.lists[1].entries.pop(),
  'a partition that is not there after growing': (w) => w.log.partitions.pop(),
  'a count that the log does not tell of': (w) => w.log.counts.shift(),
  'a partition that no reader heard of': (w) => { w.known = 1; },
  'a backup without what was there': (w) => w.backup.known.set(0, 3),
  'a backup without a partition that was there': (w) => w.backup.known.set(1, 0),
  'a backup with a hole': (w) => { w.backup.partitions[0].missing = 1; },
  'a backup without its beginning': (w) => { w.backup.partitions[0].oldest = 1; },
  'a restored log without its last entry': (w) => w.restored.pop(),
  'a restored log that goes beyond its backup': (w) => w.restored.push({ ...w.feed[2] }),
  'a restored entry that is another': (w) => { w.restored[1].payload = {}; },
  'a restored entry that the log does not have': (w) => { w.backup.partitions[0].head = 4; },
  'another session': (w) => { w.received.all[0].sessionId = 'order/x'; },
};
for (const [name, breakIt] of Object.entries(broken)) {
  test(`sees ${name}`, () => {
    const w = world();
    breakIt(w);
    assert.notDeepEqual(judge(w), []);
  });
}
