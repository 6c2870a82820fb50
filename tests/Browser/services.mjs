// Azurite, the Service Bus emulator and the app, as programs that end with the tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const built = (project) => join(ROOT, 'src', project, 'bin', 'Release', 'net10.0');
const HOST = join(built('LocalHost'), 'Outpost.LocalHost.dll');
const LINE_WITHIN_MS = 60_000;
let tables = 0;

class Program {
  #child;
  #lines = [];
  #waiting = [];

  constructor(command, args, env = {}) {
    this.#child = spawn(command, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    // It ends while its input is still being closed: nothing to complain about.
    this.#child.stdin.on('error', () => {});
    this.exited = once(this.#child, 'close');
    for (const output of [this.#child.stdout, this.#child.stderr]) createInterface(output).on('line', (line) => this.#take(line));
  }

  /** What follows on the first line that starts so. */
  async line(start) {
    const found = this.#lines.find((line) => line.startsWith(start));
    if (found) return found.slice(start.length);
    let timer;
    const tooLate = new Promise((resolve) => {
      timer = setTimeout(resolve, LINE_WITHIN_MS);
    });
    const line = await Promise.race([new Promise((resolve) => this.#waiting.push({ start, resolve })), this.exited, tooLate]);
    clearTimeout(timer);
    if (typeof line !== 'string') throw new Error(`No line '${start}…' among:\n${this.#lines.join('\n')}`);
    return line.slice(start.length);
  }

  async stop() {
    this.#child.kill();
    await this.exited;
  }

  #take(line) {
    this.#lines.push(line);
    this.#waiting.filter(({ start }) => line.startsWith(start)).forEach(({ resolve }) => resolve(line));
  }
}

/** Starts Azurite and a bus; `app` starts an app on a table of its own. */
export async function startServices() {
  if (!existsSync(HOST)) throw new Error('The app is not built: dotnet run dev.cs test browser builds it.');
  const data = mkdtempSync(join(tmpdir(), 'outpost-browser-'));
  const running = [];
  const start = (command, args, env) => {
    const program = new Program(command, args, env);
    running.push(program);
    return program;
  };
  const azurite = start('node', ['infra/local/azurite.mjs', '--port', '0', '--in-memory', '--exit-with-stdin']);
  const startBus = async (name, port = 0) => {
    const bus = start('node', [
      'infra/local/servicebus/main.mjs', '--port', `${port}`, '--config', 'infra/local/servicebus.config.json',
      '--data', join(data, name), '--exit-with-stdin',
    ]);
    const connection = await bus.line('Service Bus emulator: ');
    // Again where the app looks for it.
    return { connection, stop: () => bus.stop(), again: () => startBus(name, /:(\d+);/.exec(connection)[1]) };
  };
  const connection = await azurite.line('Tables: ');
  const startApp = async (settings = {}) => {
    const tableName = `browser${++tables}`;
    const environment = {
      TableStorage: connection, Outpost__TableName: tableName, FORWARDER_SCHEDULE: '* * * * * *', Forwarder__LingerSeconds: '1', ...settings,
    };
    const begin = () => start('dotnet', [HOST, '--root', built('Functions'), '--port', '0', '--exit-with-stdin'], environment);
    const program = begin();
    const url = await program.line('Ready: ');
    return new App(url, tableName, connection, program);
  };
  return {
    startBus,
    startApp,
    async stop() {
      await Promise.all(running.map((program) => program.stop()));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

class App {
  constructor(url, tableName, connection, program) {
    Object.assign(this, { url, tableName, connection, stop: () => program.stop() });
  }

  async status() {
    return (await fetch(`${this.url}/api/status`)).json();
  }

  async post(path, body, headers = {}) {
    const response = await fetch(`${this.url}/api/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  place(orderId, more = {}, headers = {}) {
    return this.post('orders', { orderId, customerId: 'c1', lines: [{ sku: 'a', quantity: 2, unitPrice: 9.5 }], ...more }, headers);
  }

  /** An order that was paid and cancelled: the payment service is asked for a refund. */
  async cancelPaid(orderId) {
    await this.place(orderId);
    await this.post(`orders/${orderId}/pay`);
    await this.post(`orders/${orderId}/cancel`, { reason: 'changed my mind' });
  }
}

/** Asks until it is so; `what` says what never came. */
export async function until(what, condition, withinMs = 15_000) {
  for (const end = Date.now() + withinMs; ;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`Not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
