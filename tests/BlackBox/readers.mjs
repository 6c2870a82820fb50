// Consumers of the event API that keep their own position. Each checks what every client may rely on.
import { createHash } from 'node:crypto';
import { sleep } from './random.mjs';

const LIMITS = [1, 10, 100, 100, 1000];
const BATCH = 'application/cloudevents-batch+json';
const NEVER_MS = 180_000;

export class Readers {
  wrong = [];

  pages = 0;

  finalPages = 0;

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

  /** Reads a partition from an offset until told that it is over and there is no more. */
  async read(partition, from, isOver) {
    const entries = [];
    for (let offset = from; ;) {
      const over = isOver();
      const limit = this.random.pick(LIMITS);
      const path = `/api/events?partition=${partition}&offset=${offset}&limit=${limit}`;
      const { status, headers, body } = await this.#ask(`${path}&wait=${over ? 0 : this.random.below(3)}`);
      if (status !== 200) {
        this.wrong.push(`${path}: ${status} ${body}`);
        return entries;
      }

      const page = JSON.parse(body);
      this.#check(path, partition, offset, limit, page, headers);
      if (headers.get('cache-control').includes('immutable')) this.#remember(path, body, headers);
      entries.push(...page);
      if (over && page.length === 0) return entries;
      if (this.random.below(20) === 0) await this.#asCloudEvents(path, page);
      offset = Number(headers.get('next-offset'));
    }
  }

  #check(path, partition, offset, limit, page, headers) {
    this.pages += 1;
    const say = (what) => this.wrong.push(`${path}: ${what}`);
    if (page.length > limit) say(`${page.length} entries`);
    if (headers.get('next-offset') !== String(offset + page.length)) say(`Next-Offset ${headers.get('next-offset')} after ${page.length} entries`);
    page.forEach((entry, i) => {
      if (entry.offset !== offset + i || entry.partition !== partition) say(`entry ${entry.partition}/${entry.offset} where ${offset + i} belongs`);
      if (!entry.id.endsWith(`-${String(partition).padStart(4, '0')}-${String(offset + i).padStart(19, '0')}`)) say(`id ${entry.id}`);
    });
    const head = headers.get('outpost-head');
    if (head !== null && Number(head) < offset + page.length) say(`head ${head} before its entries`);
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

  async #ask(path, headers = {}) {
    const start = Date.now();
    while (Date.now() - start < NEVER_MS) {
      try {
        const response = await fetch(this.random.pick(this.urls) + path, { headers: { ...this.headers, ...headers }, signal: AbortSignal.timeout(8_000) });
        const body = await response.text();
        if (response.status < 500) return { status: response.status, headers: response.headers, body };
        if (response.status !== 503 && body !== '') this.wrong.push(`${path}: ${response.status} ${body}`);
      } catch {
        // cut, dead, paused
      }

      await sleep(20 + this.random.below(80));
    }

    throw new Error(`${path} was never answered.`);
  }
}
