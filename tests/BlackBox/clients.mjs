// Callers of the API: they repeat a command under its key until it is answered, and remember every answer.
import { randomUUID } from 'node:crypto';
import { sleep } from './random.mjs';

const GIVE_UP_MS = 4_000;
const NEVER_MS = 180_000;
const NEXT = { placed: ['pay', 'cancel'], paid: ['ship', 'cancel'] };
const LINES = [{ sku: 'a', quantity: 2, unitPrice: 9.5 }];
export const EVENT_OF = { place: 'OrderPlaced', pay: 'OrderPaid', ship: 'OrderShipped', cancel: 'OrderCancelled' };

export class Clients {
  /** Each answered command: { orderId, verb, version, state, from, to }, the last two being when it was asked for and answered. */
  answered = [];

  /** What must never be, in words. */
  wrong = [];

  counts = { sent: 0, unanswered: 0, unavailable: 0, replayed: 0, conflicts: 0, stale: 0 };

  waits = [];

  #old = [];

  constructor(urls, random, key) {
    this.urls = urls;
    this.random = random;
    this.headers = key ? { 'x-functions-key': key } : {};
    this.run = randomUUID().slice(0, 8);
  }

  async work(name, isOver) {
    for (let number = 0; !isOver(); number += 1) {
      const orderId = this.random.below(4) === 0 ? undefined : `${this.run}-${name}-${number}`;
      let order = await this.#do('/api/orders', 'place', { orderId, customerId: name, lines: LINES }, 201);
      while (order && NEXT[order.state] && !isOver() && this.random.below(3) > 0) {
        const verb = this.random.pick(NEXT[order.state]);
        order = await this.#do(`/api/orders/${order.orderId}/${verb}`, verb, verb === 'cancel' ? { reason: 'as planned' } : undefined, 200, order);
      }

      if (this.random.below(10) === 0) await this.#repeatOld();
      if (order && this.random.below(10) === 0) await this.#beRefused(order);
      await sleep(this.random.below(40));
    }
  }

  async #do(path, verb, body, expected, before) {
    const [key, from] = [randomUUID(), Date.now()];
    const answer = await this.#untilAnswered('POST', path, body, { 'Idempotency-Key': `"${key}"` });
    if (answer.status !== expected) {
      this.wrong.push(`${verb} ${path}: ${answer.status} ${answer.text}`);
      return undefined;
    }

    const order = JSON.parse(answer.text);
    if (before && order.version !== before.version + 1) this.wrong.push(`${path}: version ${order.version} after ${before.version}`);
    if (answer.headers.get('etag') !== `"${order.version}"`) this.wrong.push(`${path}: ETag ${answer.headers.get('etag')} of version ${order.version}`);
    this.answered.push({ orderId: order.orderId, verb, version: order.version, state: order.state, from, to: Date.now() });
    this.#old.push({ path, body, key, status: expected, text: answer.text });
    if (this.#old.length > 500) this.#old.shift();
    return order;
  }

  // Long after: the same answer, whatever the order is now, and no second change.
  async #repeatOld() {
    const old = this.random.pick(this.#old);
    if (!old) return;
    const answer = await this.#untilAnswered('POST', old.path, old.body, { 'Idempotency-Key': `"${old.key}"` });
    this.counts.replayed += 1;
    if (answer.status !== old.status || answer.text !== old.text || answer.headers.get('idempotency-replayed') !== 'true')
      this.wrong.push(`repeat of ${old.path}: ${answer.status} ${answer.text} instead of ${old.status} ${old.text}`);
    if (!old.body) return;
    const body = { ...old.body, ...(old.body.reason ? { reason: 'another' } : { customerId: 'another' }) };
    const other = await this.#untilAnswered('POST', old.path, body, { 'Idempotency-Key': `"${old.key}"` });
    if (other.status !== 422) this.wrong.push(`another body under the key of ${old.path}: ${other.status} ${other.text}`);
  }

  async #beRefused(order) {
    const stale = await this.#untilAnswered('POST', `/api/orders/${order.orderId}/cancel`, { reason: 'x' }, { 'If-Match': '"999"' });
    this.counts.stale += 1;
    if (stale.status !== 412) this.wrong.push(`If-Match of a version that never was: ${stale.status} ${stale.text}`);
    if (order.state !== 'shipped' && order.state !== 'cancelled') return;
    const refused = await this.#untilAnswered('POST', `/api/orders/${order.orderId}/pay`, undefined, {});
    this.counts.conflicts += 1;
    if (refused.status !== 409) this.wrong.push(`pay after ${order.state}: ${refused.status} ${refused.text}`);
  }

  // The same request to whichever app answers, until one does.
  async #untilAnswered(method, path, body, headers) {
    const start = Date.now();
    while (Date.now() - start < NEVER_MS) {
      this.counts.sent += 1;
      try {
        const response = await fetch(this.random.pick(this.urls) + path, {
          method,
          headers: { ...this.headers, ...headers, ...(body ? { 'Content-Type': 'application/json' } : {}) },
          body: body && JSON.stringify(body),
          signal: AbortSignal.timeout(GIVE_UP_MS),
        });
        const text = await response.text();
        if (response.status < 500) {
          this.waits.push(Date.now() - start);
          return { status: response.status, headers: response.headers, text };
        }

        // Without a word it is the host's, whose worker was killed or paused: no answer. The product's own faults have a problem.
        if (response.status !== 503 && text !== '') this.wrong.push(`${method} ${path}: ${response.status} ${text}`);
        this.counts.unavailable += 1;
      } catch {
        this.counts.unanswered += 1; // cut, dead, paused
      }

      await sleep(20 + this.random.below(80));
    }

    throw new Error(`${method} ${path} was never answered.`);
  }
}
