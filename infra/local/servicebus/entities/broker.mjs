import { randomUUID } from 'node:crypto';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { Deadlines } from './deadlines.mjs';
import { Entity } from './entity.mjs';
import { Entry } from './queue.mjs';
import { deadLetter, giveBackSession, lapse } from './settlement.mjs';
import { restore } from './snapshot.mjs';

const ID_LENGTH_MAX = 128;

/**
 * All entities and what happens to them. Every lasting change is a record that is first written down (`write`) and
 * then applied; a restart applies the same records again, so whatever `apply` does may depend on nothing but the
 * record and what was applied before: no clock, no chance.
 */
export class Broker {
  /** @type {Map<string, Entity>} by lower-case name */
  entities = new Map();
  /** @type {Map<string, import('./queue.mjs').Queue>} by lower-case path */
  queues = new Map();

  constructor() {
    /** Writes a record down; replaced by the journal's. */
    this.write = (_record) => {};
    /** A queue has something for a receiver. */
    this.onReady = (_queue) => {};
    /** A session's lock has expired while held. */
    this.onSessionLost = (_holder) => {};
    /** A queue was deleted. */
    this.onDropped = (_queue) => {};
    this.deadlines = new Deadlines(() => this.onSooner());
    this.onSooner = () => {};
    this.shared = {
      deadlines: this.deadlines,
      newToken: () => randomUUID().replaceAll('-', ''),
      onReady: (queue) => this.onReady(queue),
    };
  }

  commit(record) {
    this.write(record);
    return this.apply(record);
  }

  /** @returns {Entity} */
  entity(name) {
    const entity = this.entities.get(name.toLowerCase());
    if (entity) return entity;
    throw new BrokerError(CONDITION.notFound, `The messaging entity '${name}' could not be found.`);
  }

  /** @returns {import('./queue.mjs').Queue} */
  queue(path) {
    const queue = this.queues.get(path.toLowerCase());
    if (queue) return queue;
    throw new BrokerError(CONDITION.notFound, `The messaging entity '${path}' could not be found.`);
  }

  /** Creates an entity or changes it; answers whether it is new. */
  define(definition) {
    const existing = this.entities.get(definition.name.toLowerCase());
    if (existing) refuseChangeOfNature(existing.definition, definition);
    if (JSON.stringify(existing?.definition) !== JSON.stringify(definition)) this.commit({ op: 'define', definition });
    return existing === undefined;
  }

  delete(name) {
    this.commit({ op: 'delete', entity: this.entity(name).name });
  }

  /**
   * Takes a batch, all of it or nothing. Answers the sequence numbers, in order; a duplicate has none.
   * @param {string} name @param {import('../amqp/message.mjs').StoredMessage[]} messages @param {number} now
   */
  send(name, messages, now) {
    const entity = this.entity(name);
    let bytes = 0;
    for (const message of messages) {
      this.#check(entity, message);
      bytes += message.size;
    }
    const { maxTotalBytes } = entity.definition;
    if (entity.bytes + bytes > maxTotalBytes) {
      throw new BrokerError(CONDITION.quota, `The entity '${entity.name}' holds ${entity.bytes} bytes; with these `
        + `${bytes} it would exceed its maximum of ${maxTotalBytes}. Receive some messages or raise its `
        + 'MaxSizeInMegabytes.');
    }
    const identified = messages.map((message) => (message.messageId ? message : message.withMessageId(this.shared.newToken())));
    return this.commit({ op: 'send', entity: entity.name, at: now, messages: identified });
  }

  #check(entity, message) {
    const { definition } = entity;
    if (message.size > definition.maxMessageBytes) {
      throw new BrokerError(CONDITION.tooLarge, `The message of ${message.size} bytes exceeds the maximum of `
        + `${definition.maxMessageBytes} of '${entity.name}'.`);
    }
    const { sessionId, messageId, partitionKey } = message;
    for (const [name, value] of Object.entries({ MessageId: messageId, SessionId: sessionId, PartitionKey: partitionKey })) {
      if (value !== undefined && value.length > ID_LENGTH_MAX) {
        throw new BrokerError(CONDITION.argument, `${name} is ${value.length} characters; at most ${ID_LENGTH_MAX} are allowed.`);
      }
    }
    if (sessionId !== undefined && partitionKey !== undefined && sessionId !== partitionKey) {
      throw new BrokerError(CONDITION.argument, 'PartitionKey must be equal to SessionId where both are set.');
    }
    if (entity.isQueue && definition.requiresSession && !sessionId) {
      throw new BrokerError(CONDITION.notAllowed, `The SessionId was not set on a message, and it cannot be sent to `
        + `'${entity.name}', which requires sessions.`);
    }
  }

  /** Takes back scheduled messages. */
  cancelScheduled(name, sequences) {
    const entity = this.entity(name);
    for (const sequence of sequences) {
      if (!entity.scheduled.has(sequence)) {
        throw new BrokerError(CONDITION.messageNotFound, `No message is scheduled with sequence number ${sequence}.`);
      }
    }
    this.commit({ op: 'cancel', entity: entity.name, sequences });
  }

  /** Does what has become due: locks lapse, messages expire, scheduled ones are enqueued. Answers when to come again. */
  advance(now, most = 10_000) {
    for (let i = 0; i < most; i++) {
      const due = this.deadlines.take(now);
      if (due === undefined) break;
      if (due.kind === 'lock') lapse(this, due.queue, due.entry, now);
      else if (due.kind === 'session') {
        const { holder } = due.session;
        giveBackSession(this, due.session, now, { lapsed: true });
        this.onSessionLost(holder);
      } else if (due.kind === 'expiry') this.#expire(due.queue, due.entry, now);
      else this.commit({ op: 'activate', entity: due.entity.name, sequence: due.sequence, at: now });
    }
    return this.deadlines.next();
  }

  #expire(queue, entry, now) {
    if (entry.state === 'locked') return; // whoever holds it may still settle it; see `afterUnlock`
    this.expireNow(queue, entry, now);
  }

  /** @param {import('./queue.mjs').Queue} queue */
  expireNow(queue, entry, now) {
    if (queue.options.deadLetterOnExpiration) {
      deadLetter(this, queue, entry, now, {
        reason: 'TTLExpiredException', description: 'The message expired and was dead lettered.',
      });
    } else this.commit({ op: 'remove', queue: queue.path, sequence: entry.sequence });
    if (queue.lane.count > 0 || queue.free.size > 0) this.onReady(queue);
  }

  prune(now) {
    for (const { history } of this.entities.values()) history.prune(now);
  }

  /** Applies a record, first time or replayed. */
  apply(record) {
    switch (record.op) {
      case 'define': return this.#define(record.definition);
      case 'delete': return this.#delete(this.entity(record.entity));
      case 'send': return record.messages.map((message) => this.#take(this.entity(record.entity), message, record.at));
      case 'activate': return this.#activate(this.entity(record.entity), record);
      case 'cancel': return record.sequences.forEach((s) => this.#unschedule(this.entity(record.entity), s));
      case 'remove': return this.#remove(record);
      case 'return': return this.#return(record);
      case 'dead': return this.#dead(record);
      case 'state': return this.queue(record.queue).setSessionState(record.session,
        record.state === null ? null : Buffer.from(record.state, 'base64'));
      default: return restore(this, record);
    }
  }

  #define(definition) {
    const existing = this.entities.get(definition.name.toLowerCase());
    const entity = existing ?? new Entity(definition, this.shared);
    for (const queue of existing?.redefine(definition) ?? []) this.#dropQueue(queue);
    this.entities.set(definition.name.toLowerCase(), entity);
    for (const queue of entity.queues()) this.queues.set(queue.path.toLowerCase(), queue);
  }

  #delete(entity) {
    for (const { queue } of entity.outlets.values()) this.#dropQueue(queue);
    for (const { deadline } of entity.scheduled.values()) this.deadlines.cancel(deadline);
    this.entities.delete(entity.name.toLowerCase());
  }

  #dropQueue(queue) {
    for (const each of [queue, queue.deadLetter]) {
      for (const entry of [...each.entries.values()]) each.remove(entry);
      for (const session of each.sessions.values()) this.deadlines.cancel(session.deadline);
      this.queues.delete(each.path.toLowerCase());
      this.onDropped(each);
    }
  }

  /** @returns {number|undefined} the sequence number, none for a duplicate */
  #take(entity, message, at) {
    const { dedupeMs } = entity.definition;
    if (dedupeMs > 0 && message.messageId && entity.history.seen(message.messageId, at, dedupeMs)) return undefined;
    if (message.scheduledAt === undefined || message.scheduledAt <= at) return this.#publish(entity, message, at);
    return this.schedule(entity, (entity.lastSequence += 1), message, at);
  }

  schedule(entity, sequence, message, enqueuedAt) {
    const dueAt = message.scheduledAt;
    const deadline = this.deadlines.add(dueAt, { kind: 'scheduled', entity, sequence });
    entity.scheduled.set(sequence, { message, enqueuedAt, dueAt, deadline });
    entity.addCopy(message);
    return sequence;
  }

  #unschedule(entity, sequence) {
    const scheduled = entity.scheduled.get(sequence);
    this.deadlines.cancel(scheduled.deadline);
    entity.scheduled.delete(sequence);
    entity.dropCopy(scheduled.message);
    return scheduled.message;
  }

  /** A scheduled message is enqueued under a new number and keeps the old one as its enqueue number. */
  #activate(entity, { sequence, at }) {
    this.#publish(entity, this.#unschedule(entity, sequence), at, sequence);
  }

  #publish(entity, message, at, enqueuedSequence = entity.lastSequence + 1) {
    const sequence = (entity.lastSequence += 1);
    for (const { queue, accepts } of entity.outlets.values()) {
      if (!accepts(message)) continue;
      const ttl = Math.min(message.ttl ?? Infinity, entity.definition.ttlMs ?? Infinity, queue.options.ttlMs);
      const entry = new Entry(sequence, message, { enqueuedSequence, enqueuedAt: at, expiresAt: at + ttl });
      entity.addCopy(message);
      if (queue.requiresSession && !message.sessionId) {
        this.#putDead(queue, entry, at, {
          reason: 'Session ID is null.',
          description: 'Session enabled entity does not allow a message whose session identifier is null.',
        });
      } else queue.put(entry);
    }
    return sequence;
  }

  #remove({ queue: path, sequence }) {
    const queue = this.queue(path);
    const entry = queue.entries.get(sequence);
    queue.remove(entry);
    queue.shared.entity.dropCopy(entry.message);
  }

  #return({ queue: path, sequence, deliveryCount, changes, deferred }) {
    const queue = this.queue(path);
    queue.giveBack(queue.entries.get(sequence), { deliveryCount, changes, deferred });
  }

  #dead({ queue: path, sequence, at, reason, description, changes, deliveryCount }) {
    const queue = this.queue(path);
    const entry = queue.entries.get(sequence);
    queue.remove(entry);
    entry.deliveryCount = deliveryCount;
    entry.changes = { ...entry.changes, ...changes };
    this.#putDead(queue, entry, at, { reason, description });
  }

  #putDead(queue, entry, at, { reason, description }) {
    const target = queue.deadLetter;
    const dead = new Entry((target.lastSequence += 1), entry.message, {
      enqueuedSequence: entry.enqueuedSequence, enqueuedAt: entry.enqueuedAt,
    });
    dead.deliveryCount = entry.deliveryCount;
    dead.deadLetterSource = queue.path;
    dead.changes = { ...entry.changes };
    if (reason !== undefined) dead.changes.DeadLetterReason = reason;
    if (description !== undefined) dead.changes.DeadLetterErrorDescription = description;
    target.put(dead);
  }
}

function refuseChangeOfNature(before, after) {
  const sessions = (definition) => new Map((definition.subscriptions ?? [definition])
    .map(({ name, requiresSession }) => [name.toLowerCase(), requiresSession]));
  const old = sessions(before);
  for (const [name, requiresSession] of sessions(after)) {
    if (old.has(name) && old.get(name) !== requiresSession) {
      throw new BrokerError(CONDITION.notAllowed, `RequiresSession of '${name}' cannot be changed.`);
    }
  }
  if (before.kind !== after.kind) {
    throw new BrokerError(CONDITION.notAllowed, `'${before.name}' is a ${before.kind} and cannot become a ${after.kind}.`);
  }
}
