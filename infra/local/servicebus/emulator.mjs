import { createServer } from 'node:net';
import { Broker } from './entities/broker.mjs';
import { BrokerError, CONDITION } from './conditions.mjs';
import { AmqpServer } from './amqp/server.mjs';
import { Receivers } from './amqp/receivers.mjs';
import { createHttp } from './http.mjs';
import { Faults } from './faults.mjs';

/** A client that connects and says nothing is disconnected after this time. */
const SILENCE_MS = 30_000;
const PRUNE_MS = 30_000;
const TIMER_MS_MAX = 60_000;
/** What is due and could not be done is tried again after this. */
const AGAIN_MS = 1_000;
const AMQP = Buffer.from('AMQP');

/** Everything that listens on one port, and the clock that drives the broker. */
export class Emulator {
  #sockets = new Set();
  #timer = undefined;
  #timerAt = Infinity;

  /** @param {{clock?: () => number, log?: (line: string) => void}} options */
  constructor({ clock = Date.now, log = (line) => process.stderr.write(`${line}\n`) } = {}) {
    const broker = new Broker();
    const receivers = new Receivers();
    this.services = { broker, receivers, faults: new Faults(), clock, log };
    broker.onReady = (queue) => receivers.ready(queue);
    broker.onSessionLost = (holder) => holder.sessionLost();
    broker.onDropped = (queue) =>
      receivers.drop(queue, new BrokerError(CONDITION.notFound, `'${queue.path}' was deleted.`));
    broker.onSooner = () => this.#arm();
    this.amqp = new AmqpServer(this.services);
    this.http = createHttp(this.services);
    this.listener = createServer((socket) => this.#accept(socket));
  }

  get broker() {
    return this.services.broker;
  }

  /** @returns {Promise<number>} the port */
  listen(port, host) {
    this.#pruning = setInterval(() => this.broker.prune(this.services.clock()), PRUNE_MS).unref();
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen({ port, host, backlog: 512 }, () => resolve(this.listener.address().port));
    });
  }

  #pruning = undefined;

  close() {
    clearTimeout(this.#timer);
    clearInterval(this.#pruning);
    this.listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** AMQP and HTTP share the port. The first bytes of a connection tell them apart. */
  #accept(socket) {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    let seen = Buffer.alloc(0);
    const look = (chunk) => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      if (seen.length < AMQP.length) return;
      socket.off('data', look);
      socket.pause();
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      if (seen.subarray(0, AMQP.length).equals(AMQP)) this.amqp.accept(socket);
      else this.http.emit('connection', socket);
      socket.unshift(seen);
      socket.resume();
    };
    socket.on('data', look);
  }

  #arm(leastMs = 0) {
    const at = this.broker.deadlines.next();
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.min(Math.max(at - this.services.clock(), leastMs), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.#tick(), wait);
  }

  #tick() {
    this.#timerAt = Infinity;
    try {
      this.broker.advance(this.services.clock());
      this.#arm();
    } catch (error) {
      this.services.log(`what was due could not be done: ${error.stack}`);
      this.#arm(AGAIN_MS);
    }
  }
}
