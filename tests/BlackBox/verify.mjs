// What must be true when everything has calmed down. Takes what was seen from outside, gives what is wrong.
import { EVENT_OF } from './clients.mjs';

const MAX_TOLD = 20;
/** Entries have the store's time; it is told to the second, and may be heard of late. */
const SECONDS_OFF_MAX = 5;

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

/** An entry's time lies between its command and the answer to it, whatever the clock of the process was. */
export function times(answered, feed) {
  const events = new Map(feed.map((entry) => [`${entry.subject} ${entry.version}`, Date.parse(entry.timestamp)]));
  return answered.flatMap(({ orderId, version, from, to }) => {
    const time = events.get(`order/${orderId} ${version}`);
    const seconds = Math.max(from - time, time - to) / 1_000;
    return seconds > SECONDS_OFF_MAX ? [`order/${orderId} ${version}: its time is ${seconds} s off`] : [];
  }).slice(0, MAX_TOLD);
}

/** A log that was given more partitions has them, tells of the counts it had, and whoever reads it has heard of them. */
export function growth({ partitions, counts = [partitions.length] }, expected, known) {
  const first = expected[0];
  const wrong = [];
  if (JSON.stringify(partitions.map(({ partition }) => partition)) !== JSON.stringify([...Array(expected.at(-1)).keys()]))
    wrong.push(`partitions ${partitions.map(({ partition }) => partition)} after growing from ${first} to ${expected.at(-1)}`);
  if (JSON.stringify(counts) !== JSON.stringify(expected)) wrong.push(`the log says that it has had ${counts} partitions, and it has had ${expected}`);
  if (known !== expected.at(-1)) wrong.push(`readers heard of ${known} partitions instead of ${expected.at(-1)}`);
  return wrong;
}

/** A backup has what was there when it began; what was restored from it is the log up to one offset in each partition. */
export function backup({ partitions, known }, restored, feed) {
  const wrong = [];
  const bare = (entry) => JSON.stringify({ ...entry, id: entry.id.slice(entry.id.indexOf('-')) });
  const heads = new Map(partitions.map((one) => [one.partition, one.head]));
  for (const { partition, oldest, missing } of partitions) if (oldest !== 0 || missing !== 0) wrong.push(`backup: partition ${partition} begins at ${oldest}, and ${missing} are missing`);
  for (const [partition, head] of known) if (!(heads.get(partition) >= head)) wrong.push(`backup: ${heads.get(partition)} entries of partition ${partition}, which had ${head} when it began`);
  for (const [partition, head] of heads) {
    const got = restored.filter((entry) => entry.partition === partition).map(bare);
    const expected = feed.filter((entry) => entry.partition === partition && entry.offset < head).map(bare);
    const at = Math.max(got.findIndex((entry, i) => entry !== expected[i]), got.length < expected.length ? got.length : -1);
    if (at >= 0 || expected.length !== head) wrong.push(`restored: partition ${partition} has ${got.length} entries of ${expected.length} up to ${head}; at ${at}: ${got[at]} instead of ${expected[at]}`);
  }

  return wrong.slice(0, MAX_TOLD);
}

/** What consumers kept is what the log has, from where they began. */
export function readers(lists, feed) {
  const wrong = [];
  for (const { partition, from, type, entries } of lists) {
    const expected = feed.filter((entry) => entry.partition === partition && entry.offset >= from && (!type || entry.type === type));
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
