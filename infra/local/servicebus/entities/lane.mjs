/**
 * The messages of one queue, or of one session, that wait to be received, in order of sequence number. New messages only
 * go to the end. A message that is given back returns to its place.
 */
export class Lane {
  #fresh = [];
  #head = 0;
  #returned = [];
  #lastSequence = 0;
  /** How many are waiting. Expired entries are not counted, although they lie there until they are passed over. */
  count = 0;

  push(entry) {
    this.count += 1;
    if (entry.sequence > this.#lastSequence) {
      this.#lastSequence = entry.sequence;
      this.#fresh.push(entry);
    } else this.#insert(entry);
    this.#tidy();
  }

  /** Takes the first one waiting. */
  pop() {
    const entry = this.peek();
    if (entry === undefined) return undefined;
    if (entry === this.#returned[0]) this.#returned.shift();
    else this.#pass();
    this.count -= 1;
    return entry;
  }

  peek() {
    while (this.#returned.length > 0 && this.#returned[0].state !== 'active') this.#returned.shift();
    while (this.#head < this.#fresh.length && this.#fresh[this.#head].state !== 'active') this.#pass();
    const returned = this.#returned[0];
    const fresh = this.#fresh[this.#head];
    if (returned === undefined) return fresh;
    return fresh === undefined || returned.sequence < fresh.sequence ? returned : fresh;
  }

  /** Notes that an entry left without being taken. */
  forget() {
    this.count -= 1;
  }

  #pass() {
    this.#fresh[this.#head] = undefined; // what was taken must not stay in memory because its neighbours do
    this.#head += 1;
    if (this.#head === this.#fresh.length) {
      this.#fresh = [];
      this.#head = 0;
    }
  }

  /** Searches from the end, because given-back entries are few and mostly newer than those given back before. */
  #insert(entry) {
    let i = this.#returned.length;
    while (i > 0 && this.#returned[i - 1].sequence > entry.sequence) i -= 1;
    this.#returned.splice(i, 0, entry);
  }

  #tidy() {
    const lying = this.#fresh.length + this.#returned.length;
    if (lying < 1024 || lying < 2 * this.count) return;
    this.#fresh = this.#fresh.slice(this.#head).filter((entry) => entry.state === 'active');
    this.#returned = this.#returned.filter((entry) => entry.state === 'active');
    this.#head = 0;
  }
}
