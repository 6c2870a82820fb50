import { Line } from './line.mjs';

/** More ids than this are not remembered: the oldest go first. */
const IDS_MAX = 1_000_000;

/** The message ids an entity has seen within its window. */
export class DuplicateHistory {
  /** Each id with the time it is forgotten, oldest first. */
  #ids = new Line();

  get size() {
    return this.#ids.size;
  }

  /** Notes the id; answers whether it was there already. */
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
