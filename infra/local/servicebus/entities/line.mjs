/** Fewer gone items than this are not worth tidying up. */
const GONE_MIN = 1024;

/**
 * Keys in the order in which they came, each once. The first is found at once, however many were taken before it; a Map or
 * a Set walks over all of those.
 */
export class Line {
  /** @type {{key: any, value: any, gone: boolean}[]} */
  #items = [];
  #head = 0;
  #byKey = new Map();

  get size() {
    return this.#byKey.size;
  }

  has(key) {
    return this.#byKey.has(key);
  }

  get(key) {
    return this.#byKey.get(key)?.value;
  }

  /** Puts the key at the end, wherever it was before. */
  push(key, value) {
    this.delete(key);
    const item = { key, value, gone: false };
    this.#byKey.set(key, item);
    this.#items.push(item);
  }

  delete(key) {
    const item = this.#byKey.get(key);
    if (!item) return;
    item.gone = true;
    item.key = undefined;
    this.#byKey.delete(key);
    if (this.#items.length > GONE_MIN + 1.5 * this.#byKey.size) this.#tidy();
  }

  /** The key that came first, or undefined. */
  first() {
    while (this.#items[this.#head]?.gone) this.#head += 1;
    return this.#items[this.#head]?.key;
  }

  entries() {
    return this.#items.filter(({ gone }) => !gone).map(({ key, value }) => [key, value]);
  }

  #tidy() {
    this.#items = this.#items.filter(({ gone }) => !gone);
    this.#head = 0;
  }
}
