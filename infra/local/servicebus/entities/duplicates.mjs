import { Line } from './line.mjs';

/** The most ids that are remembered. The oldest go first. */
const IDS_MAX = 1_000_000;

/** The message ids that an entity has seen within its window. */
export class DuplicateHistory {
  /** Each id with the time when it is forgotten, oldest first. */
  #ids = new Line();

  get size() {
    return this.#ids.size;
  }

  /** Notes the id. Returns whether it was there already. */
  seen(id, now, windowMs) {
    this.prune(now);
    const until = this.#ids.get(id);
    if (until !== undefined && until > now) return true;
    this.note(id, now + windowMs);
    return false;
  }

  note(id, until) {
    this.#ids.push(id, until);
    if (this.#ids.size > IDS_MAX) this.#ids.delete(this.#ids.first());
  }

  prune(now) {
    for (let id = this.#ids.first(); id !== undefined && this.#ids.get(id) <= now; id = this.#ids.first())
      this.#ids.delete(id);
  }

  entries() {
    return this.#ids.entries();
  }
}
