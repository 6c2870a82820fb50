import { Entity } from './entity.mjs';
import { Entry } from './queue.mjs';
import { restore } from './snapshot.mjs';

/**
 * What each record does. It may depend only on the record and on what was applied before (no clock, no chance), so
 * that a restart, which applies the same records again, ends where the process was.
 * @param {import('./broker.mjs').Broker} broker
 */
export function apply(broker, record) {
  switch (record.op) {
    case 'define':
      return define(broker, record.definition);
    case 'delete':
      return remove(broker, broker.entity(record.entity));
    case 'send':
      return send(broker, record);
    case 'activate':
      return activate(broker.entity(record.entity), record);
    case 'cancel':
      return record.sequences.forEach((sequence) => unschedule(broker.entity(record.entity), sequence));
    case 'remove':
      return removeMessage(broker.queue(record.queue), record);
    case 'return':
      return giveBack(broker.queue(record.queue), record);
    case 'dead':
      return deadLetter(broker.queue(record.queue), record);
    case 'state':
      return setState(broker.queue(record.queue), record);
    default:
      return restore(broker, record);
  }
}

function define(broker, definition) {
  const key = definition.name.toLowerCase();
  const existing = broker.entities.get(key);
  const entity = existing ?? new Entity(definition, broker.shared);
  for (const queue of existing?.redefine(definition) ?? []) dropQueue(broker, queue);
  broker.entities.set(key, entity);
  for (const queue of entity.queues()) broker.queues.set(queue.path.toLowerCase(), queue);
}

function remove(broker, entity) {
  for (const { queue } of entity.outlets.values()) dropQueue(broker, queue);
  for (const { deadline } of entity.scheduled.values()) broker.deadlines.cancel(deadline);
  broker.entities.delete(entity.name.toLowerCase());
}

function dropQueue(broker, queue) {
  for (const each of [queue, queue.deadLetter]) {
    for (const entry of [...each.entries.values()]) each.remove(entry);
    for (const session of each.sessions.values()) broker.deadlines.cancel(session.deadline);
    broker.queues.delete(each.path.toLowerCase());
    broker.onDropped(each);
  }
}

/** Returns the sequence numbers, in order; a duplicate has none. */
function send(broker, { entity: name, messages, at }) {
  const entity = broker.entity(name);
  const { dedupeMs } = entity.definition;
  return messages.map((message) => {
    if (dedupeMs > 0 && entity.history.seen(message.messageId, at, dedupeMs)) return undefined;
    if (message.scheduledAt === undefined || message.scheduledAt <= at) return publish(entity, message, at);
    return schedule(entity, (entity.lastSequence += 1), message, at);
  });
}

export function schedule(entity, sequence, message, enqueuedAt) {
  const dueAt = message.scheduledAt;
  const deadline = entity.shared.deadlines.add(dueAt, { kind: 'scheduled', entity, sequence });
  entity.scheduled.set(sequence, { message, enqueuedAt, dueAt, deadline });
  entity.addCopy(message);
  return sequence;
}

function unschedule(entity, sequence) {
  const { message, deadline } = entity.scheduled.get(sequence);
  entity.shared.deadlines.cancel(deadline);
  entity.scheduled.delete(sequence);
  entity.dropCopy(message);
  return message;
}

/** A scheduled message is enqueued under a new number and keeps the old one as its enqueue number. */
function activate(entity, { sequence, at }) {
  publish(entity, unschedule(entity, sequence), at, sequence);
}

function publish(entity, message, at, enqueuedSequence = entity.lastSequence + 1) {
  const sequence = (entity.lastSequence += 1);
  for (const { queue, accepts } of entity.outlets.values()) {
    if (!accepts(message)) continue;
    const ttl = Math.min(message.ttl ?? Infinity, entity.definition.ttlMs ?? Infinity, queue.options.ttlMs);
    const entry = new Entry(sequence, message, { enqueuedSequence, enqueuedAt: at, expiresAt: at + ttl });
    entity.addCopy(message);
    if (queue.requiresSession && !message.sessionId) {
      putDead(queue, entry, {
        reason: 'Session ID is null.',
        description: 'Session enabled entity does not allow a message whose session identifier is null.',
      });
    } else queue.put(entry);
  }
  return sequence;
}

function removeMessage(queue, { sequence }) {
  const entry = queue.entries.get(sequence);
  queue.remove(entry);
  queue.shared.entity.dropCopy(entry.message);
}

function giveBack(queue, { sequence, deliveryCount, changes, deferred }) {
  queue.giveBack(queue.entries.get(sequence), { deliveryCount, changes, deferred });
}

function deadLetter(queue, { sequence, reason, description, changes, deliveryCount }) {
  const entry = queue.entries.get(sequence);
  queue.remove(entry);
  entry.deliveryCount = deliveryCount;
  entry.changes = { ...entry.changes, ...changes };
  putDead(queue, entry, { reason, description });
}

function putDead(queue, entry, { reason, description }) {
  const target = queue.deadLetter;
  const { enqueuedSequence, enqueuedAt } = entry;
  const dead = new Entry((target.lastSequence += 1), entry.message, { enqueuedSequence, enqueuedAt });
  dead.deliveryCount = entry.deliveryCount;
  dead.deadLetterSource = queue.path;
  dead.changes = { ...entry.changes };
  if (reason !== undefined) dead.changes.DeadLetterReason = reason;
  if (description !== undefined) dead.changes.DeadLetterErrorDescription = description;
  target.put(dead);
}

function setState(queue, { session, state }) {
  queue.setSessionState(session, state === null ? null : Buffer.from(state, 'base64'));
}
