/**
 * What is due when; equal times keep the order in which they came. It is a binary heap whose cancelled items are
 * dropped once they outnumber the rest.
 */
export class Deadlines {
  /** @type {{at: number, order: number, what: any, cancelled: boolean}[]} */
  #heap = [];
  #cancelled = 0;
  #order = 0;

  /** @param {() => void} onSooner called when the next deadline has become an earlier one */
  constructor(onSooner = () => {}) {
    this.onSooner = onSooner;
  }

  get size() {
    return this.#heap.length;
  }

  /** Adds a deadline. Returns a handle for cancel. A time that never comes is not stored. */
  add(at, what) {
    if (at === Infinity) return undefined;
    const item = { at, order: (this.#order += 1), what, cancelled: false };
    this.#heap.push(item);
    this.#up(this.#heap.length - 1);
    if (this.#heap[0] === item) this.onSooner();
    return item;
  }

  cancel(item) {
    if (!item || item.cancelled) return;
    item.cancelled = true;
    this.#cancelled += 1;
    if (this.#cancelled > 1000 && this.#cancelled * 2 > this.#heap.length) this.#rebuild();
  }

  /** When the next one is due; Infinity when none is. */
  next() {
    while (this.#heap.length > 0 && this.#heap[0].cancelled) {
      this.#pop();
      this.#cancelled -= 1;
    }
    return this.#heap.length > 0 ? this.#heap[0].at : Infinity;
  }

  /** One thing that is due: it stays due until it is cancelled, for whoever fails to do it. */
  due(now) {
    return this.next() > now ? undefined : this.#heap[0];
  }

  #pop() {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length > 0) {
      heap[0] = last;
      this.#down(0);
    }
    return top;
  }

  #rebuild() {
    this.#heap = this.#heap.filter((item) => !item.cancelled);
    this.#cancelled = 0;
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  #up(i) {
    const heap = this.#heap;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i], heap[parent])) return;
      [heap[parent], heap[i]] = [heap[i], heap[parent]];
      i = parent;
    }
  }

  #down(i) {
    const heap = this.#heap;
    for (;;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && before(heap[child], heap[least])) least = child;
      }
      if (least === i) return;
      [heap[least], heap[i]] = [heap[i], heap[least]];
      i = least;
    }
  }
}

function before(a, b) {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
