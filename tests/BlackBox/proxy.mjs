// A TCP proxy that can cut what it carries, swallow it, or refuse new connections, as networks do.
import net from 'node:net';

export class Proxy {
  #server;
  #pairs = new Set();
  #target;
  #state = 'open'; // open, silent (nothing passes, nothing ends), closed (new connections are refused at once)

  /** Called when something comes from a client. */
  onRequest = () => {};

  constructor(target) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#carry(client));
  }

  async start() {
    await new Promise((resolve) => { this.#server.listen(0, '127.0.0.1', resolve); });
    return this.#server.address().port;
  }

  /** Where it leads: an app that was restarted listens on another port. */
  set target(port) { this.#target = port; }

  /** Ends every connection in the middle of whatever it carries. */
  cut() {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Lets nothing through, in either direction, and ends nothing: who waits has to give up by itself. */
  silence() {
    this.#state = 'silent';
    for (const [client, server] of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  close() {
    this.#state = 'closed';
    this.cut();
  }

  /** As if nothing had been. What was silent goes on where it stopped, late. */
  open() {
    this.#state = 'open';
    for (const [client, server] of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  stop() {
    this.cut();
    this.#server.close();
  }

  #carry(client) {
    if (this.#state === 'closed') {
      client.resetAndDestroy();
      return;
    }

    const server = net.connect(this.#target, '127.0.0.1');
    const pair = [client, server];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on('data', (data) => {
        if (from === client) this.onRequest();
        if (!to.write(data)) from.pause();
      });
      to.on('drain', () => {
        if (this.#state !== 'silent') from.resume();
      });
      from.on('end', () => to.end());
      from.on('close', end);
      from.on('error', end);
      from.setNoDelay(true);
    }

    if (this.#state === 'silent') {
      client.pause();
      server.pause();
    }
  }
}
