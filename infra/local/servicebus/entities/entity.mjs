import { Queue } from './queue.mjs';
import { DuplicateHistory } from './duplicates.mjs';
import { compileRules } from './rules.mjs';

const DEAD_LETTER_SUFFIX = '/$DeadLetterQueue';

/** A topic with its subscriptions, or a queue. */
export class Entity {
  /** @param {object} definition as `config.mjs` makes it @param {object} shared what the queues need of the broker */
  constructor(definition, shared) {
    this.name = definition.name;
    this.shared = { ...shared, entity: this };
    /** The last sequence number that was given. A message has the same number in every subscription. */
    this.lastSequence = 0;
    this.history = new DuplicateHistory();
    /** @type {Map<number, {message: object, enqueuedAt: number, dueAt: number, deadline?: object}>} */
    this.scheduled = new Map();
    /** Encoded bytes of all messages held. Each message counts once, however many subscriptions hold it. */
    this.bytes = 0;
    /** @type {Map<string, {queue: Queue, accepts: (message: object) => boolean}>} by lower-case name */
    this.outlets = new Map();
    this.redefine(definition);
  }

  get isQueue() {
    return this.definition.kind === 'queue';
  }

  /** Applies a changed definition. Returns the queues that it removes. */
  redefine(definition) {
    this.definition = definition;
    const dropped = [];
    const outlets = new Map();
    for (const subscription of this.isQueue ? [definition] : definition.subscriptions) {
      const key = subscription.name.toLowerCase();
      const existing = this.outlets.get(key);
      const queue = existing?.queue ?? this.#newQueue(subscription);
      queue.options = queueOptions(subscription);
      queue.deadLetter.options = deadLetterOptions(subscription);
      outlets.set(key, { queue, accepts: compileRules(subscription.rules ?? []) });
    }
    for (const [key, { queue }] of this.outlets) if (!outlets.has(key)) dropped.push(queue);
    this.outlets = outlets;
    for (const queue of dropped) for (const entry of [...allEntries(queue)]) this.dropCopy(entry.message);
    return dropped;
  }

  #newQueue(subscription) {
    const path = this.isQueue ? this.name : `${this.name}/Subscriptions/${subscription.name}`;
    const queue = new Queue(path, queueOptions(subscription), this.shared);
    queue.deadLetter = new Queue(path + DEAD_LETTER_SUFFIX, deadLetterOptions(subscription), this.shared);
    return queue;
  }

  /** Every queue one can receive from, dead-letter queues included. */
  *queues() {
    for (const { queue } of this.outlets.values()) {
      yield queue;
      yield queue.deadLetter;
    }
  }

  addCopy(message) {
    if (message.copies === 0) this.bytes += message.size;
    message.copies += 1;
  }

  dropCopy(message) {
    message.copies -= 1;
    if (message.copies === 0) this.bytes -= message.size;
  }
}

function* allEntries(queue) {
  yield* queue.entries.values();
  yield* queue.deadLetter.entries.values();
}

function queueOptions({ lockMs, maxDeliveryCount, requiresSession, deadLetterOnExpiration, ttlMs }) {
  return { lockMs, maxDeliveryCount, requiresSession, deadLetterOnExpiration, ttlMs: ttlMs ?? Infinity };
}

/** A dead-letter queue keeps what it has. It has no sessions, no expiry, and no limit of deliveries. */
function deadLetterOptions({ lockMs }) {
  return { lockMs, maxDeliveryCount: Infinity, requiresSession: false, deadLetterOnExpiration: false, ttlMs: Infinity };
}
