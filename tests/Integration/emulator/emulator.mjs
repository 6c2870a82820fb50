import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServiceBusClient } from '@azure/service-bus';

const MAIN = fileURLToPath(new URL('../../../infra/local/servicebus/main.mjs', import.meta.url));
const KEY_NAME = 'RootManageSharedAccessKey';
const KEY = 'SAS_KEY_VALUE';

/**
 * One emulator process. It dies with the test process, because its standard input does. What it complains about is
 * shown unless the last argument is `{ quiet: true }`.
 */
export async function startEmulator(...args) {
  const { quiet = false } = typeof args.at(-1) === 'object' ? args.pop() : {};
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--exit-with-stdin', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const complaints = [];
  child.stderr.on('data', (text) => {
    complaints.push(text);
    if (!quiet) process.stderr.write(text);
  });
  const exited = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const line = await Promise.race([
    new Promise((resolve) => {
      createInterface(child.stdout).once('line', resolve);
    }),
    exited.then(({ code }) => {
      throw new Error(`the emulator ended with code ${code}\n${complaints.join('')}`);
    }),
  ]);
  const connectionString = line.replace('Service Bus emulator: ', '');
  const port = Number(/:(\d+);/.exec(connectionString)[1]);
  return new RunningEmulator(child, exited, connectionString, port);
}

class RunningEmulator {
  #clients = [];

  constructor(child, exited, connectionString, port) {
    this.child = child;
    this.exited = exited;
    this.connectionString = connectionString;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** A client of the official library; quick to give up, so that a failing test fails soon. */
  client(retryOptions = {}) {
    const client = new ServiceBusClient(this.connectionString, {
      retryOptions: { maxRetries: 0, timeoutInMs: 10_000, ...retryOptions },
    });
    this.#clients.push(client);
    return client;
  }

  /** Creates a topic or queue of the test's own; answers its name. */
  async create(item, name = `t-${randomUUID().slice(0, 8)}`) {
    const response = await this.put(name, item);
    if (!response.ok) throw new Error(`PUT ${name}: ${response.status} ${await response.text()}`);
    return name;
  }

  put(name, item) {
    return fetch(`${this.url}/${name}`, { method: 'PUT', body: JSON.stringify(item) });
  }

  async describe(name) {
    const response = await fetch(`${this.url}/${name}`);
    return response.json();
  }

  fault(entity, wish) {
    return fetch(`${this.url}/$faults/${entity}`, { method: 'PUT', body: JSON.stringify(wish) });
  }

  /** The fault as it is now, and how often it was met. */
  async faultOf(entity) {
    const response = await fetch(`${this.url}/$faults/${entity}`);
    return response.json();
  }

  /** Sends to a topic or queue over a connection of its own. */
  async send(entity, ...messages) {
    const client = this.client();
    await client.createSender(entity).sendMessages(messages);
    await client.close();
  }

  async kill(signal = 'SIGKILL') {
    await this.closeClients();
    this.child.kill(signal);
    return this.exited;
  }

  async closeClients() {
    await Promise.all(this.#clients.splice(0).map((client) => orGiveUp(client.close().catch(() => {}))));
  }

  async stop() {
    await this.closeClients();
    this.child.stdin.end();
    return this.exited;
  }
}

/** A client whose connection was cut while it was at work may wait for ever for it, also when it is told to close. */
export function orGiveUp(work, milliseconds = 10_000) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A shared access signature as the clients make it. */
export function token(entity, { key = KEY, keyName = KEY_NAME, expiresInSeconds = 600 } = {}) {
  const resource = encodeURIComponent(`http://127.0.0.1/${entity}`.toLowerCase());
  const expiry = Math.floor(Date.now() / 1000) + expiresInSeconds;
  const signature = encodeURIComponent(createHmac('sha256', key).update(`${resource}\n${expiry}`).digest('base64'));
  return `SharedAccessSignature sr=${resource}&sig=${signature}&se=${expiry}&skn=${keyName}`;
}

/** The emulator all tests of a file share. */
export async function sharedEmulator(...args) {
  const emulator = await startEmulator(...args);
  after(() => emulator.stop());
  return emulator;
}

/** A topic with one subscription per entry: name to Properties. */
export function topic(subscriptions, properties = {}) {
  return {
    Properties: properties,
    Subscriptions: Object.entries(subscriptions).map(([Name, { Rules = [], ...Properties }]) => ({
      Name,
      Properties,
      Rules,
    })),
  };
}

export function queue(properties = {}) {
  return { Properties: properties };
}

export function texts(messages) {
  return messages.map(({ body }) => String(body));
}

/** Waits until the check holds; for what the emulator does by itself in its own time. */
export async function until(check, what = 'the expected state', timeoutMs = 5_000) {
  const end = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
}

/** Receives exactly n messages or fails. */
export async function receive(receiver, n, maxWaitTimeInMs = 5_000) {
  const messages = [];
  while (messages.length < n) {
    const more = await receiver.receiveMessages(n - messages.length, { maxWaitTimeInMs });
    if (more.length === 0) throw new Error(`only ${messages.length} of ${n} messages came`);
    messages.push(...more);
  }
  return messages;
}
