// Consumers of the event API that keep their own position. Each checks what every client may rely on.
import { createHash } from 'node:crypto';
import { sleep } from './random.mjs';

const LIMITS = [1, 10, 100, 100, 1000];
const WAITS = [0, 1, 2, 10];
const GIVE_UP_MS = 8_000;
const BATCH = 'application/cloudevents-batch+json';
const NEVER_MS = 180_000;

export class Readers {
  wrong = [];

  pages = 0;

  finalPages = 0;

  /** Long polls under way, and those that were cut off. */
  polling = 0;

  pollsCut = 0;

  /** How many partitions live pages have told of, and the entries of each that a reader has seen. */
  known = 0;

  heads = new Map();

  /** Called with each partition that a live page tells of for the first time, once `known` is set. */
  onPartition = () => {};

  #final = new Map();

  constructor(urls, random, key) {
    this.urls = urls;
    this.random = random;
    this.headers = key ? { 'x-functions-key': key } : {};
  }

  /** Partitions with their numbers, and the log's id. */
  async partitions() {
    const { body } = await this.#ask('/api/partitions');
    return JSON.parse(body);
  }

  /** Whatever the contract has at that path, as JSON. */
  async json(path) {
    const { status, body } = await this.#ask(path);
    return status === 200 ? JSON.parse(body) : undefined;
  }

  /** Reads a partition from an offset until told that it is over and there is no more: all entries, or those of one type. */
  async read(partition, from, isOver, type) {
    const entries = [];
    for (let offset = from; ;) {
      const over = isOver();
      const limit = this.random.pick(LIMITS);
      const path = `/api/events?partition=${partition}&offset=${offset}&limit=${limit}${type ? `&types=${type}` : ''}`;
      const { status, headers, body } = await this.#poll(path, over ? 0 : this.random.pick(WAITS));
      if (status !== 200) {
        this.wrong.push(`${path}: ${status} ${body}`);
        return entries;
      }

      const page = JSON.parse(body);
      const next = Number(headers.get('next-offset'));
      this.#check(path, { partition, offset, limit, type, next }, page, headers);
      this.#hear(partition, next, headers);
      if (headers.get('cache-control').includes('immutable')) this.#remember(path, body, headers);
      entries.push(...page);
      if (over && next === offset) return entries;
      if (this.random.below(20) === 0) await this.#asCloudEvents(path, page);
      offset = next;
    }
  }

  #check(path, { partition, offset, limit, type, next }, page, headers) {
    this.pages += 1;
    const say = (what) => this.wrong.push(`${path}: ${what}`);
    if (page.length > limit) say(`${page.length} entries`);
    if (type ? !(next >= offset + page.length) : next !== offset + page.length) say(`Next-Offset ${next} after ${page.length} entries`);
    let expected = offset;
    for (const entry of page) {
      const belongs = type ? entry.type === type && entry.offset >= expected && entry.offset < next : entry.offset === expected;
      if (!belongs || entry.partition !== partition) say(`entry ${entry.partition}/${entry.offset} (${entry.type}) where ${expected} belongs`);
      if (!entry.id.endsWith(`-${String(partition).padStart(4, '0')}-${String(entry.offset).padStart(19, '0')}`)) say(`id ${entry.id}`);
      expected = entry.offset + 1;
    }

    const head = headers.get('outpost-head');
    if (head !== null && Number(head) < next) say(`head ${head} before its entries`);
  }

  // An instance that has not heard of more partitions yet tells of fewer: that is not wrong.
  #hear(partition, next, headers) {
    this.heads.set(partition, Math.max(this.heads.get(partition) ?? 0, next));
    const count = Number(headers.get('outpost-partitions'));
    for (; this.known < count; this.onPartition(this.known - 1)) this.known += 1;
  }

  async #poll(path, wait) {
    this.polling += wait > 0;
    try {
      return await this.#ask(`${path}&wait=${wait}`, {}, wait);
    } finally {
      this.polling -= wait > 0;
    }
  }

  // The same URL of a final page has the same bytes and tag, whoever asks whenever.
  #remember(path, body, headers) {
    this.finalPages += 1;
    const value = `${createHash('sha256').update(body).digest('hex')} ${headers.get('etag')}`;
    const known = this.#final.get(path);
    if (known === undefined) this.#final.set(path, value);
    else if (known !== value) this.wrong.push(`${path}: a final page changed`);
  }

  async #asCloudEvents(path, page) {
    if (page.length === 0) return;
    const { status, body } = await this.#ask(path, { Accept: BATCH });
    const ids = status === 200 ? JSON.parse(body).map((event) => event.id).slice(0, page.length) : [status];
    if (JSON.stringify(ids) !== JSON.stringify(page.map((entry) => entry.id))) this.wrong.push(`${path} as CloudEvents: ${ids}`);
  }

  async #ask(path, headers = {}, wait = 0) {
    const start = Date.now();
    while (Date.now() - start < NEVER_MS) {
      try {
        const response = await fetch(this.random.pick(this.urls) + path, { headers: { ...this.headers, ...headers }, signal: AbortSignal.timeout(GIVE_UP_MS + wait * 1_000) });
        const body = await response.text();
        if (response.status < 500) return { status: response.status, headers: response.headers, body };
        if (response.status !== 503 && body !== '') this.wrong.push(`${path}: ${response.status} ${body}`);
      } catch {
        this.pollsCut += wait > 0; // cut, dead, paused
      }

      await sleep(20 + this.random.below(80));
    }

    throw new Error(`${path} was never answered.`);
  }
}
