// What must be true when everything has calmed down. Takes what was seen from outside, gives what is wrong.
import { EVENT_OF } from './clients.mjs';

const MAX_TOLD = 20;

/** Each command that was answered has exactly one event, and there is no event that nobody asked for. */
export function commandsAndFeed(answered, feed) {
  const wrong = [];
  const events = new Map();
  for (const entry of feed) {
    const key = `${entry.subject} ${entry.version}`;
    if (events.has(key)) wrong.push(`${key} twice: ${events.get(key).id} and ${entry.id}`);
    events.set(key, entry);
  }

  for (const { orderId, verb, version, state } of answered) {
    const key = `order/${orderId} ${version}`;
    const event = events.get(key);
    if (!event) wrong.push(`${key}: ${verb} was answered, and there is no event`);
    else if (event.type !== EVENT_OF[verb]) wrong.push(`${key}: ${verb} was answered (${state}), and the event is ${event.type}`);
    events.delete(key);
  }

  for (const [key, entry] of events) wrong.push(`${key}: ${entry.type} that nobody was told of`);
  return wrong.slice(0, MAX_TOLD);
}

/** In a partition offsets are dense and times do not decrease; versions of a subject are 1, 2, 3, … */
export function order(feed) {
  const wrong = [];
  const [partitions, subjects] = [new Map(), new Map()];
  for (const entry of feed) {
    const last = partitions.get(entry.partition);
    if (entry.offset !== (last ? last.offset + 1 : 0)) wrong.push(`${entry.id} after ${last?.id}`);
    if (last && entry.timestamp < last.timestamp) wrong.push(`${entry.id} is older than ${last.id}`);
    partitions.set(entry.partition, entry);
    if (entry.version !== (subjects.get(entry.subject) ?? 0) + 1) wrong.push(`${entry.id}: version ${entry.version} of ${entry.subject} after ${subjects.get(entry.subject)}`);
    subjects.set(entry.subject, entry.version);
  }

  return wrong.slice(0, MAX_TOLD);
}

/** What consumers kept is what the log has, from where they began. */
export function readers(lists, feed) {
  const wrong = [];
  for (const { partition, from, entries } of lists) {
    const expected = feed.filter((entry) => entry.partition === partition && entry.offset >= from);
    if (JSON.stringify(entries) !== JSON.stringify(expected)) wrong.push(`a reader of partition ${partition} got ${entries.length} entries instead of ${expected.length}, or others`);
  }

  return wrong;
}

// 19.0 and 19 are one number.
const same = (body, payload) => JSON.stringify(JSON.parse(body.toString('utf8'))) === JSON.stringify(payload);

/** The bus has every entry once: per partition in order without sessions, per subject in order with. */
export function bus(received, feed) {
  const wrong = [];
  for (const [subscription, messages] of Object.entries(received)) {
    const seen = new Map();
    const last = new Map();
    for (const message of messages) {
      const id = message.messageId;
      if (seen.has(id)) wrong.push(`${subscription}: ${id} twice`);
      seen.set(id, message);
      const line = subscription === 'orders' ? message.sessionId : id.split('-')[1];
      if (last.has(line) && last.get(line) >= id) wrong.push(`${subscription}: ${id} after ${last.get(line)}`);
      last.set(line, id);
    }

    for (const entry of feed) {
      const message = seen.get(entry.id);
      if (!message) wrong.push(`${subscription}: ${entry.id} never came`);
      else if (message.subject !== entry.type || message.sessionId !== entry.subject || !same(message.body, entry.payload))
        wrong.push(`${subscription}: ${entry.id} is ${message.subject} of ${message.sessionId}: ${message.body.toString('utf8').slice(0, 100)}`);
      seen.delete(entry.id);
    }

    for (const id of seen.keys()) wrong.push(`${subscription}: ${id} is not in the log`);
  }

  return wrong.slice(0, MAX_TOLD);
}
