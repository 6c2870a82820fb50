/** A receiver takes at most this many messages before the next one has its turn. */
const TURN_MESSAGES = 20;

/** Knows who receives from which queue, and gives out what becomes ready, in turns. */
export class Receivers {
  /** @type {Map<object, Set<import('./outlet.mjs').Outlet>>} */
  #byQueue = new Map();
  /** Receivers waiting for any session, longest first. @type {Map<object, Set<import('./outlet.mjs').Outlet>>} */
  #waiting = new Map();
  #ready = new Set();

  add(outlet) {
    addTo(this.#byQueue, outlet.queue, outlet);
  }

  remove(outlet) {
    removeFrom(this.#byQueue, outlet.queue, outlet);
  }

  wait(outlet) {
    addTo(this.#waiting, outlet.queue, outlet);
  }

  stopWaiting(outlet) {
    removeFrom(this.#waiting, outlet.queue, outlet);
  }

  /** Notes that the queue has something to receive. It is looked at when this turn of the event loop is over. */
  ready(queue) {
    if (!this.#byQueue.has(queue) && !this.#waiting.has(queue)) return;
    if (this.#ready.size === 0) setImmediate(() => this.#serve());
    this.#ready.add(queue);
  }

  #serve() {
    const queues = [...this.#ready];
    this.#ready.clear();
    for (const queue of queues) {
      this.#giveSessions(queue);
      this.#giveMessages(queue);
    }
  }

  #giveSessions(queue) {
    for (const outlet of this.#waiting.get(queue) ?? []) {
      if (!outlet.tryNextSession()) return;
      this.stopWaiting(outlet);
    }
  }

  #giveMessages(queue) {
    const outlets = this.#byQueue.get(queue);
    for (let progress = true; progress && outlets;) {
      progress = false;
      for (const outlet of [...outlets]) {
        if (!outlet.pump(TURN_MESSAGES)) continue;
        progress = true;
        // a receiver that was served goes to the end of the line
        if (outlets.delete(outlet)) outlets.add(outlet);
      }
    }
  }

  /** Forgets a deleted queue. */
  drop(queue, error) {
    for (const outlet of [...(this.#byQueue.get(queue) ?? []), ...(this.#waiting.get(queue) ?? [])]) {
      outlet.session = undefined;
      outlet.link.close({ condition: error.condition, description: error.message });
    }
    this.#byQueue.delete(queue);
    this.#waiting.delete(queue);
  }
}

function addTo(map, key, value) {
  if (!map.has(key)) map.set(key, new Set());
  map.get(key).add(value);
}

function removeFrom(map, key, value) {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}
