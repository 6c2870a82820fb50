// Consumers on Service Bus, with the official client: one without sessions, several with.
import { ServiceBusClient } from '@azure/service-bus';
import { sleep } from './random.mjs';

const SESSIONS_AT_ONCE = 16;

export class Bus {
  /** Messages by subscription, in the order of arrival. */
  received = { all: [], orders: [] };

  #over = false;

  /** @param from partition and first offset of what is to come: subscriptions may still have what was there before */
  constructor(connection, from, topic = 'events') {
    this.first = new Map(from.map((start) => [start.partition, start.from]));
    const client = new ServiceBusClient(connection, { retryOptions: { maxRetries: 0, timeoutInMs: 2_000 } });
    this.client = client;
    this.topic = topic;
    // Received is received: a lock that is lost on a slow machine would bring messages back behind later ones.
    client.createReceiver(topic, 'all', { receiveMode: 'receiveAndDelete', skipParsingBodyAsJson: true }).subscribe({
      processMessage: async (message) => { this.#got('all', message); },
      processError: async () => {},
    });
    this.running = Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, () => this.#drainSessions()));
  }

  /** Waits until both subscriptions have got so many, or nothing has come for so long: consumers may be far behind. */
  async until(count, milliseconds) {
    let [came, end] = [-1, 0];
    for (; ; await sleep(100)) {
      const now = this.received.all.length + this.received.orders.length;
      if (now > came) [came, end] = [now, Date.now() + milliseconds];
      if ((this.received.all.length >= count && this.received.orders.length >= count) || Date.now() > end) return;
    }
  }

  async stop() {
    this.#over = true;
    await this.running;
    await this.client.close();
  }

  #got(subscription, message) {
    const [, partition, offset] = message.messageId.split('-').map(Number);
    if (!(offset < this.first.get(partition))) this.received[subscription].push(message);
  }

  // A message whose lock was lost comes again with its session; only what is completed counts.
  async #take(session, messages) {
    for (const message of messages) {
      try {
        await session.completeMessage(message);
      } catch {
        return false;
      }

      this.#got('orders', message);
    }

    return true;
  }

  async #drainSessions() {
    while (!this.#over) {
      let session;
      try {
        session = await this.client.acceptNextSession(this.topic, 'orders', { skipParsingBodyAsJson: true });
      } catch {
        continue; // no session has anything to say
      }

      for (let more = true; more;) {
        // Without its connection a session gives nothing more: another one is accepted then.
        const messages = await session.receiveMessages(50, { maxWaitTimeInMs: 50 }).catch(() => []);
        more = messages.length > 0 && await this.#take(session, messages);
      }

      await session.close().catch(() => {});
    }
  }
}
