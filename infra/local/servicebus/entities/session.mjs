import { Lane } from './lane.mjs';

/** The messages of one session id, its state, and who holds it. */
export class Session {
  /** @param {string} id @param {import('./queue.mjs').Queue} queue */
  constructor(id, queue) {
    this.id = id;
    this.queue = queue;
    this.lane = new Lane();
    /** @type {Buffer|null} */
    this.state = null;
    /** Who holds the session's lock: an object of the caller's. */
    this.holder = undefined;
    this.until = 0;
    this.deadline = undefined;
    /** @type {Set<import('./queue.mjs').Entry>} */
    this.locked = new Set();
    /** How many of its messages are deferred. */
    this.deferred = 0;
  }

  /** Whether nothing is lost when the session is forgotten. */
  get unused() {
    return (
      !this.holder && this.state === null && this.lane.count === 0 && this.locked.size === 0 && this.deferred === 0
    );
  }

  hold(holder, now) {
    this.holder = holder;
    this.#setDeadline(now);
  }

  renew(now) {
    this.#setDeadline(now);
    for (const entry of this.locked) entry.lock.until = this.until;
    return this.until;
  }

  letGo() {
    this.holder = undefined;
    this.queue.shared.deadlines.cancel(this.deadline);
    this.deadline = undefined;
  }

  #setDeadline(now) {
    const { deadlines } = this.queue.shared;
    deadlines.cancel(this.deadline);
    this.until = now + this.queue.options.lockMs;
    this.deadline = deadlines.add(this.until, { kind: 'session', queue: this.queue, session: this });
  }
}
