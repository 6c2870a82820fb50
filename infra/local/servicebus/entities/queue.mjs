import { BrokerError, CONDITION } from '../conditions.mjs';
import { Lane } from './lane.mjs';
import { Line } from './line.mjs';
import { Session } from './session.mjs';

/** One message in one queue. */
export class Entry {
  constructor(sequence, message, { enqueuedSequence = sequence, enqueuedAt, expiresAt = Infinity }) {
    this.sequence = sequence;
    this.message = message;
    this.enqueuedSequence = enqueuedSequence;
    this.enqueuedAt = enqueuedAt;
    this.expiresAt = expiresAt;
    /** @type {'active'|'locked'|'deferred'|'gone'} */
    this.state = 'gone';
    this.deferred = false;
    /** How often it was delivered and came back. */
    this.deliveryCount = 0;
    /** Application properties that the receiver changed when it gave the message back. */
    this.changes = undefined;
    /** Where a dead-lettered message came from. */
    this.deadLetterSource = undefined;
    /** @type {{token: string, until: number, deadline?: object}|undefined} */
    this.lock = undefined;
    this.session = undefined;
    this.expiry = undefined;
  }
}

/**
 * A queue, a subscription or a dead-letter queue: what it holds, in which order it gives it out, and who has locked
 * what. Nothing here is durable by itself; `Settlement` and `Broker` write down what must last and then call in here.
 */
export class Queue {
  /**
   * @param {string} path as clients address it
   * @param {object} options lockMs, maxDeliveryCount, requiresSession, deadLetterOnExpiration, ttlMs
   * @param {object} shared entity, deadlines, newToken, onReady
   */
  constructor(path, options, shared) {
    this.path = path;
    this.options = options;
    this.shared = shared;
    /** @type {Map<number, Entry>} in order of sequence number */
    this.entries = new Map();
    /** @type {Map<string, Entry>} */
    this.locks = new Map();
    /** @type {Map<string, Session>} */
    this.sessions = new Map();
    /** Sessions with messages that nobody holds, longest waiting first. */
    this.free = new Line();
    this.lane = new Lane();
    this.counts = { active: 0, locked: 0, deferred: 0 };
    /** @type {Queue|undefined} */
    this.deadLetter = undefined;
    /** Numbers for a dead-letter queue's own messages. */
    this.lastSequence = 0;
  }

  /** False once a snapshot has brought entries back out of order. */
  #inOrder = true;
  #highest = 0;

  get isDeadLetter() {
    return this.deadLetter === undefined;
  }

  get requiresSession() {
    return this.options.requiresSession;
  }

  /** @param {Entry} entry */
  put(entry, state = 'active') {
    this.#inOrder &&= this.#highest < entry.sequence;
    this.#highest = Math.max(this.#highest, entry.sequence);
    this.entries.set(entry.sequence, entry);
    if (this.requiresSession) entry.session = this.session(entry.message.sessionId ?? '');
    entry.deferred = state === 'deferred';
    entry.expiry = this.shared.deadlines.add(entry.expiresAt, { kind: 'expiry', queue: this, entry });
    this.#become(entry, state);
  }

  /** @param {Entry} entry */
  remove(entry) {
    this.unlock(entry);
    if (entry.state === 'active') this.#laneOf(entry).forget();
    this.#become(entry, 'gone');
    this.entries.delete(entry.sequence);
    this.shared.deadlines.cancel(entry.expiry);
    if (entry.session) this.#settleSession(entry.session);
  }

  /** Gives a locked entry back, to its place in the order (or among the deferred, where it came from). */
  giveBack(entry, { deliveryCount = entry.deliveryCount, changes = undefined, deferred = entry.deferred } = {}) {
    this.unlock(entry);
    entry.deliveryCount = deliveryCount;
    if (changes) entry.changes = { ...entry.changes, ...changes };
    entry.deferred = deferred;
    if (entry.state === 'active') {
      // in a replay the entry never left its place, because locks are not written down
      if (!deferred) return;
      this.#laneOf(entry).forget();
    }
    this.#become(entry, deferred ? 'deferred' : 'active');
  }

  /** Takes the next entry for a receiver, and does not lock it yet. */
  next(now, session) {
    const lane = session ? session.lane : this.lane;
    for (;;) {
      const entry = lane.peek();
      // what has expired is left to the deadline that is due for it
      if (entry === undefined || entry.expiresAt <= now) return undefined;
      return lane.pop();
    }
  }

  /** What was taken by `next` and could not be handed out is the next one again. */
  putBack(entry) {
    this.#laneOf(entry).push(entry);
  }

  /** @param {Entry} entry taken by `next`, or deferred */
  lock(entry, now) {
    const session = entry.session;
    const until = session ? session.until : now + this.options.lockMs;
    entry.lock = { token: this.shared.newToken(), until };
    if (!session) entry.lock.deadline = this.shared.deadlines.add(until, { kind: 'lock', queue: this, entry });
    else session.locked.add(entry);
    this.locks.set(entry.lock.token, entry);
    this.#become(entry, 'locked');
    return entry;
  }

  unlock(entry) {
    if (!entry.lock) return;
    this.locks.delete(entry.lock.token);
    this.shared.deadlines.cancel(entry.lock.deadline);
    entry.session?.locked.delete(entry);
    entry.lock = undefined;
  }

  /** @returns {Entry} */
  locked(token, now) {
    const entry = this.locks.get(token);
    if (entry && entry.lock.until > now) return entry;
    throw this.requiresSession
      ? new BrokerError(CONDITION.sessionLockLost, `The session lock on '${this.path}' has expired or was released.`)
      : new BrokerError(
          CONDITION.messageLockLost,
          `The lock ${token} on '${this.path}' is not valid: it has expired, or the message was settled already.`,
        );
  }

  renew(token, now) {
    const entry = this.locked(token, now);
    if (entry.session) return entry.session.until;
    this.shared.deadlines.cancel(entry.lock.deadline);
    entry.lock.until = now + this.options.lockMs;
    entry.lock.deadline = this.shared.deadlines.add(entry.lock.until, { kind: 'lock', queue: this, entry });
    return entry.lock.until;
  }

  /** @returns {Session} */
  session(id) {
    let session = this.sessions.get(id);
    if (!session) {
      session = new Session(id, this);
      this.sessions.set(id, session);
    }
    return session;
  }

  /** The session with this id, or the next free one when id is null; undefined when none is free. */
  acceptSession(id, holder, now) {
    const session = id === null ? this.free.first() : this.session(id);
    if (session === undefined) return undefined;
    if (session.holder) {
      throw new BrokerError(
        CONDITION.sessionCannotBeLocked,
        `The requested session '${id}' cannot be accepted. It may be locked by another receiver.`,
      );
    }
    session.hold(holder, now);
    this.free.delete(session);
    return session;
  }

  /** Ends a session's lock. What its holder had locked was given back before. */
  freeSession(session) {
    session.letGo();
    this.#settleSession(session);
    if (session.lane.count > 0) this.shared.onReady(this);
  }

  setSessionState(id, state) {
    const session = this.session(id);
    session.state = state;
    this.#settleSession(session);
  }

  /** Entries from a sequence number on, oldest first. */
  *from(sequence, sessionId) {
    if (!this.#inOrder) {
      this.entries = new Map([...this.entries].sort(([a], [b]) => a - b));
      this.#inOrder = true;
    }
    for (const entry of this.entries.values()) {
      if (entry.sequence < sequence) continue;
      if (sessionId === undefined || entry.message.sessionId === sessionId) yield entry;
    }
  }

  #laneOf(entry) {
    return entry.session ? entry.session.lane : this.lane;
  }

  #become(entry, state) {
    if (entry.state !== 'gone') this.counts[entry.state] -= 1;
    if (entry.session) entry.session.deferred += (state === 'deferred') - (entry.state === 'deferred');
    entry.state = state;
    if (state !== 'gone') this.counts[state] += 1;
    if (state !== 'active') return;
    this.#laneOf(entry).push(entry);
    if (entry.session) this.#settleSession(entry.session);
    this.shared.onReady(this);
  }

  /** Keeps `free` and `sessions` correct after a session has changed. */
  #settleSession(session) {
    const isFree = !session.holder && session.lane.count > 0;
    if (!isFree) this.free.delete(session);
    else if (!this.free.has(session)) this.free.push(session);
    if (session.unused) this.sessions.delete(session.id);
  }
}
