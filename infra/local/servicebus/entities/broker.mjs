import { randomUUID } from 'node:crypto';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { Deadlines } from './deadlines.mjs';
import { apply } from './changes.mjs';
import { deadLetter, giveBackSession, lapse } from './settlement.mjs';

const ID_LENGTH_MAX = 128;

/**
 * Holds all entities and changes them. Every lasting change is a record that is first written down (`write`) and
 * then applied (`changes.mjs`); a restart applies the same records again.
 */
export class Broker {
  /** @type {Map<string, import('./entity.mjs').Entity>} by lower-case name */
  entities = new Map();
  /** @type {Map<string, import('./queue.mjs').Queue>} by lower-case path */
  queues = new Map();

  constructor() {
    /** Writes a record down. The journal replaces this. */
    this.write = (_record) => {};
    /** Called when a queue has something for a receiver. */
    this.onReady = (_queue) => {};
    /** Called when a session's lock has expired while held. */
    this.onSessionLost = (_holder) => {};
    /** Called when a queue was deleted. */
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

  /** @returns {import('./entity.mjs').Entity} */
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

  /** Creates an entity or changes it. Returns whether it is new. */
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
   * Takes a whole batch or nothing. Returns the sequence numbers, in order; a duplicate has none.
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
      throw new BrokerError(
        CONDITION.quota,
        `The entity '${entity.name}' holds ${entity.bytes} bytes; with these ` +
          `${bytes} it would exceed its maximum of ${maxTotalBytes}. Receive some messages or raise its ` +
          'MaxSizeInMegabytes.',
      );
    }
    const identified = messages.map((message) =>
      message.messageId ? message : message.withMessageId(this.shared.newToken()),
    );
    return this.commit({ op: 'send', entity: entity.name, at: now, messages: identified });
  }

  #check(entity, message) {
    const { definition } = entity;
    if (message.size > definition.maxMessageBytes) {
      throw new BrokerError(
        CONDITION.tooLarge,
        `The message of ${message.size} bytes exceeds the maximum of ` +
          `${definition.maxMessageBytes} of '${entity.name}'.`,
      );
    }
    const { sessionId, messageId, partitionKey } = message;
    for (const [name, value] of Object.entries({
      MessageId: messageId,
      SessionId: sessionId,
      PartitionKey: partitionKey,
    })) {
      if (value !== undefined && value.length > ID_LENGTH_MAX) {
        throw new BrokerError(
          CONDITION.argument,
          `${name} is ${value.length} characters; at most ${ID_LENGTH_MAX} are allowed.`,
        );
      }
    }
    if (sessionId !== undefined && partitionKey !== undefined && sessionId !== partitionKey) {
      throw new BrokerError(CONDITION.argument, 'PartitionKey must be equal to SessionId where both are set.');
    }
    if (entity.isQueue && definition.requiresSession && !sessionId) {
      throw new BrokerError(
        CONDITION.notAllowed,
        `The SessionId was not set on a message, and it cannot be sent to ` +
          `'${entity.name}', which requires sessions.`,
      );
    }
  }

  /** Cancels scheduled messages. */
  cancelScheduled(name, sequences) {
    const entity = this.entity(name);
    for (const sequence of sequences) {
      if (!entity.scheduled.has(sequence)) {
        throw new BrokerError(CONDITION.messageNotFound, `No message is scheduled with sequence number ${sequence}.`);
      }
    }
    this.commit({ op: 'cancel', entity: entity.name, sequences });
  }

  /** Does what is due: locks lapse, messages expire, scheduled ones are enqueued. Returns when to call it again. */
  advance(now, most = 10_000) {
    for (let i = 0; i < most; i++) {
      const item = this.deadlines.due(now);
      if (item === undefined) break;
      this.#perform(item.what, now);
      // only now: what could not be written down is still due
      this.deadlines.cancel(item);
    }
    return this.deadlines.next();
  }

  #perform(due, now) {
    if (due.kind === 'lock') lapse(this, due.queue, due.entry, now);
    else if (due.kind === 'session') {
      const { holder } = due.session;
      giveBackSession(this, due.session, now, { lapsed: true });
      this.onSessionLost(holder);
    } else if (due.kind === 'expiry') this.#expire(due.queue, due.entry);
    else this.commit({ op: 'activate', entity: due.entity.name, sequence: due.sequence, at: now });
  }

  #expire(queue, entry) {
    // the holder of the lock may still settle it; if not, it goes when the lock does
    if (entry.state !== 'locked') this.expireNow(queue, entry);
  }

  /** @param {import('./queue.mjs').Queue} queue */
  expireNow(queue, entry) {
    if (queue.options.deadLetterOnExpiration) {
      deadLetter(this, queue, entry, {
        reason: 'TTLExpiredException',
        description: 'The message expired and was dead lettered.',
      });
    } else this.commit({ op: 'remove', queue: queue.path, sequence: entry.sequence });
    if (queue.lane.count > 0 || queue.free.size > 0) this.onReady(queue);
  }

  prune(now) {
    for (const { history } of this.entities.values()) history.prune(now);
  }

  /** Applies a record, whether it is new or replayed. */
  apply(record) {
    return apply(this, record);
  }
}

function refuseChangeOfNature(before, after) {
  const sessions = (definition) =>
    new Map(
      (definition.subscriptions ?? [definition]).map(({ name, requiresSession }) => [
        name.toLowerCase(),
        requiresSession,
      ]),
    );
  const old = sessions(before);
  for (const [name, requiresSession] of sessions(after)) {
    if (old.has(name) && old.get(name) !== requiresSession) {
      throw new BrokerError(CONDITION.notAllowed, `RequiresSession of '${name}' cannot be changed.`);
    }
  }
  if (before.kind !== after.kind) {
    throw new BrokerError(
      CONDITION.notAllowed,
      `'${before.name}' is a ${before.kind} and cannot become a ${after.kind}.`,
    );
  }
}
