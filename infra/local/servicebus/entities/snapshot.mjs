import { schedule } from './changes.mjs';
import { Entry } from './queue.mjs';

const HISTORY_CHUNK = 5000;

/**
 * The records that rebuild a broker as it is now. Compaction writes them.
 * @param {import('./broker.mjs').Broker} broker
 */
export function* snapshot(broker) {
  for (const entity of broker.entities.values()) {
    yield { op: 'define', definition: entity.definition };
    const history = entity.history.entries();
    for (let i = 0; i < history.length; i += HISTORY_CHUNK) {
      yield { op: 'history', entity: entity.name, ids: history.slice(i, i + HISTORY_CHUNK) };
    }
    for (const [message, copies] of copiesByMessage(entity)) {
      yield { op: 'message', entity: entity.name, messages: [message], copies };
    }
    for (const queue of entity.queues()) {
      for (const { id, state } of queue.sessions.values()) {
        if (state) yield { op: 'state', queue: queue.path, session: id, state: state.toString('base64') };
      }
    }
    // these come last, because what is restored above must not disturb them
    yield { op: 'counter', entity: entity.name, last: entity.lastSequence };
    for (const { path, isDeadLetter, lastSequence } of entity.queues()) {
      if (isDeadLetter) yield { op: 'counter', queue: path, last: lastSequence };
    }
  }
}

/** Each message with its places in the queues, in the order in which the messages came. */
function copiesByMessage(entity) {
  const copies = new Map();
  const add = (message, copy) => {
    if (!copies.has(message)) copies.set(message, []);
    copies.get(message).push(copy);
  };
  for (const [sequence, { message, enqueuedAt }] of entity.scheduled) add(message, { sequence, enqueuedAt });
  for (const queue of entity.queues()) {
    for (const entry of queue.entries.values()) {
      add(entry.message, {
        queue: queue.path,
        sequence: entry.sequence,
        enqueuedSequence: entry.enqueuedSequence,
        enqueuedAt: entry.enqueuedAt,
        expiresAt: entry.expiresAt === Infinity ? null : entry.expiresAt,
        deferred: entry.deferred,
        deliveryCount: entry.deliveryCount,
        changes: entry.changes,
        deadLetterSource: entry.deadLetterSource,
      });
    }
  }
  const cameAt = ([, [{ enqueuedSequence, sequence }]]) => enqueuedSequence ?? sequence;
  return [...copies].sort((a, b) => cameAt(a) - cameAt(b));
}

/** Applies the records that only a snapshot has. @param {import('./broker.mjs').Broker} broker */
export function restore(broker, record) {
  switch (record.op) {
    case 'history': {
      const { history } = broker.entity(record.entity);
      for (const [id, until] of record.ids) history.note(id, until);
      return;
    }
    case 'counter':
      (record.queue ? broker.queue(record.queue) : broker.entity(record.entity)).lastSequence = record.last;
      return;
    case 'message':
      for (const copy of record.copies) restoreCopy(broker, broker.entity(record.entity), record.messages[0], copy);
      return;
    default:
      throw new Error(`unknown record '${record.op}'`);
  }
}

function restoreCopy(broker, entity, message, copy) {
  if (!copy.queue) {
    schedule(entity, copy.sequence, message, copy.enqueuedAt);
    return;
  }
  const entry = new Entry(copy.sequence, message, { ...copy, expiresAt: copy.expiresAt ?? Infinity });
  entry.deliveryCount = copy.deliveryCount;
  entry.changes = copy.changes;
  entry.deadLetterSource = copy.deadLetterSource;
  entity.addCopy(message);
  broker.queue(copy.queue).put(entry, copy.deferred ? 'deferred' : 'active');
}
