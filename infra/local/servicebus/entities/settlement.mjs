import { BrokerError, CONDITION } from '../conditions.mjs';

/**
 * What receivers do with what they have locked. Each function finds the lock, decides, and commits one record.
 * @typedef {import('./broker.mjs').Broker} Broker
 * @typedef {import('./queue.mjs').Queue} Queue
 */

/** @param {Broker} broker @param {Queue} queue */
export function complete(broker, queue, token, now) {
  const entry = queue.locked(token, now);
  broker.commit({ op: 'remove', queue: queue.path, sequence: entry.sequence });
}

/** Receives and deletes at once. */
export function consume(broker, queue, entry) {
  broker.commit({ op: 'remove', queue: queue.path, sequence: entry.sequence });
}

/** Gives a message back as a failed delivery. After too many of those it goes to the dead-letter queue. */
export function abandon(broker, queue, token, now, changes) {
  failDelivery(broker, queue, queue.locked(token, now), now, changes);
}

/** Gives a message back as if it was never delivered. */
export function release(broker, queue, token, now) {
  const entry = queue.locked(token, now);
  queue.giveBack(entry);
  afterUnlock(broker, queue, entry, now);
}

export function defer(broker, queue, token, now, changes) {
  const entry = queue.locked(token, now);
  broker.commit({
    op: 'return',
    queue: queue.path,
    sequence: entry.sequence,
    deliveryCount: entry.deliveryCount,
    changes,
    deferred: true,
  });
}

export function reject(broker, queue, token, now, { reason, description, changes } = {}) {
  const entry = queue.locked(token, now);
  if (queue.isDeadLetter) {
    throw new BrokerError(
      CONDITION.notAllowed,
      `'${queue.path}' is a dead-letter queue; a message in it cannot be ` + 'dead-lettered again.',
    );
  }
  deadLetter(broker, queue, entry, { reason, description, changes });
}

export function deadLetter(broker, queue, entry, { reason, description, changes, deliveryCount }) {
  broker.commit({
    op: 'dead',
    queue: queue.path,
    sequence: entry.sequence,
    reason,
    description,
    changes,
    deliveryCount: deliveryCount ?? entry.deliveryCount,
  });
}

/** Ends a message lock that has expired. */
export function lapse(broker, queue, entry, now) {
  failDelivery(broker, queue, entry, now);
}

/** Ends a session's lock that its holder gave up or that expired. Only expiry counts as a failed delivery. */
export function giveBackSession(broker, session, now, { lapsed }) {
  const { queue } = session;
  for (const entry of [...session.locked].sort((a, b) => a.sequence - b.sequence)) {
    if (lapsed) failDelivery(broker, queue, entry, now);
    else {
      queue.giveBack(entry);
      afterUnlock(broker, queue, entry, now);
    }
  }
  queue.freeSession(session);
}

/** Locks a deferred message for the receiver that asked for it by number. */
export function lockDeferred(queue, sequence, now, session) {
  const entry = queue.entries.get(sequence);
  if (!entry || entry.state !== 'deferred' || (session && entry.session !== session)) {
    throw new BrokerError(
      CONDITION.messageNotFound,
      `No deferred message with sequence number ${sequence} is in '${queue.path}'.`,
    );
  }
  return queue.lock(entry, now);
}

export function setSessionState(broker, session, state) {
  broker.commit({
    op: 'state',
    queue: session.queue.path,
    session: session.id,
    state: state === null ? null : state.toString('base64'),
  });
}

function failDelivery(broker, queue, entry, now, changes) {
  const deliveryCount = entry.deliveryCount + 1;
  const { maxDeliveryCount } = queue.options;
  if (deliveryCount >= maxDeliveryCount) {
    deadLetter(broker, queue, entry, {
      reason: 'MaxDeliveryCountExceeded',
      description: `Message could not be consumed after ${maxDeliveryCount} delivery attempts.`,
      changes,
      deliveryCount,
    });
    return;
  }
  broker.commit({
    op: 'return',
    queue: queue.path,
    sequence: entry.sequence,
    deliveryCount,
    changes,
    deferred: entry.deferred,
  });
  afterUnlock(broker, queue, entry, now);
}

/** A message may pass its time to live while locked: it is due again at once. */
function afterUnlock(broker, queue, entry, now) {
  if (entry.expiresAt > now) return;
  broker.deadlines.cancel(entry.expiry);
  entry.expiry = broker.deadlines.add(entry.expiresAt, { kind: 'expiry', queue, entry });
}

/** Deletes up to `count` unlocked messages that were enqueued before a time. Returns how many. */
export function deleteBatch(broker, queue, count, before) {
  const entries = [];
  for (const entry of queue.from(0)) {
    if (entries.length >= count) break;
    if (entry.state === 'active' && entry.enqueuedAt < before) entries.push(entry);
  }
  for (const entry of entries) consume(broker, queue, entry);
  return entries.length;
}
