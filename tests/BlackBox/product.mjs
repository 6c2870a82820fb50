// The product as its processes: tables, bus and apps, each behind a proxy; what can be done to them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proxy } from './proxy.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const built = (project) => path.join(root, 'src', project, 'bin', 'Release', 'net10.0');
const host = path.join(built('LocalHost'), 'Outpost.LocalHost.dll');

/** A program with lines, that ends when this one does. */
class Program {
  constructor(command, args, environment = {}) {
    this.process = spawn(command, args, { cwd: root, env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.lines = [];
    this.ended = new Promise((resolve) => { this.process.once('exit', resolve); });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        this.lines.push(...text.split('\n'));
        this.lines.splice(0, Math.max(0, this.lines.length - 500));
      });
    }
    this.process.stdin.on('error', () => {});
  }

  async line(prefix) {
    for (let waited = 0; waited < 120_000; waited += 20) {
      const found = this.lines.find((line) => line.startsWith(prefix));
      if (found) return found.slice(prefix.length).trim();
      if (this.process.exitCode !== null) break;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    throw new Error(`No line '${prefix}…':\n${this.lines.join('\n')}`);
  }
}

const portOf = (connection, pattern) => Number(pattern.exec(connection)[1]);

export class LocalProduct {
  #data = mkdtempSync(path.join(tmpdir(), 'outpost-blackbox-'));
  #programs = [];
  #apps = [];

  constructor({ apps, partitions }) {
    this.partitions = partitions;
    this.#apps = Array.from({ length: apps }, () => ({ program: null, proxy: new Proxy(0), url: '' }));
  }

  async start() {
    const tables = this.#run('node', ['infra/local/azurite.mjs', '--port', '0', '--location', path.join(this.#data, 'tables'), '--exit-with-stdin']);
    const bus = this.#run('node', ['infra/local/servicebus/main.mjs', '--port', '0', '--config', 'infra/local/servicebus.config.json',
      '--data', path.join(this.#data, 'bus'), '--exit-with-stdin']);
    const connections = { tables: await tables.line('Tables: '), bus: await bus.line('Service Bus emulator: ') };
    this.busConnection = connections.bus;
    this.tables = new Proxy(portOf(connections.tables, /TableEndpoint=http:\/\/127\.0\.0\.1:(\d+)/));
    this.bus = new Proxy(portOf(connections.bus, /sb:\/\/[^:;]+:(\d+)/));
    const [tablesPort, busPort] = [await this.tables.start(), await this.bus.start()];
    this.#environment = {
      TableStorage: connections.tables.replace(/(TableEndpoint=http:\/\/127\.0\.0\.1:)\d+/, `$1${tablesPort}`),
      ServiceBus: connections.bus.replace(/(sb:\/\/[^:;]+:)\d+/, `$1${busPort}`),
      Outpost__PartitionCount: String(this.partitions),
      FORWARDER_SCHEDULE: '* * * * * *',
    };
    for (const app of this.#apps) {
      app.url = `http://127.0.0.1:${await app.proxy.start()}`;
      await this.#startApp(app);
    }
  }

  #environment = {};

  get urls() { return this.#apps.map((app) => app.url); }

  appProxy(index) { return this.#apps[index].proxy; }

  async kill(index) {
    const app = this.#apps[index];
    app.program.process.kill('SIGKILL');
    await app.program.ended;
    await this.#startApp(app);
  }

  async restart(index) {
    const app = this.#apps[index];
    app.program.process.kill('SIGTERM');
    await app.program.ended;
    await this.#startApp(app);
  }

  async pause(index, milliseconds) {
    const { process: paused } = this.#apps[index].program;
    paused.kill('SIGSTOP');
    await new Promise((resolve) => { setTimeout(resolve, milliseconds); });
    paused.kill('SIGCONT');
  }

  async stop() {
    for (const app of this.#apps) app.program?.process.kill('SIGTERM');
    await Promise.all(this.#apps.map((app) => app.program?.ended));
    for (const proxy of [this.tables, this.bus, ...this.#apps.map((app) => app.proxy)]) proxy?.stop();
    for (const program of this.#programs) program.process.stdin.end();
    await Promise.all(this.#programs.map((program) => program.ended));
    rmSync(this.#data, { recursive: true, force: true });
  }

  #run(command, args, environment) {
    const program = new Program(command, args, environment);
    this.#programs.push(program);
    return program;
  }

  async #startApp(app) {
    app.program = new Program('dotnet', [host, '--root', built('Functions'), '--port', '0', '--exit-with-stdin'], this.#environment);
    app.proxy.target = Number(new URL(await app.program.line('Ready: ')).port);
  }
}

/** A product that runs elsewhere: nothing can be done to its processes, but connections to it can be cut. */
export class RemoteProduct {
  constructor({ url, bus }) {
    this.urls = [url.replace(/\/$/, '')];
    this.busConnection = bus;
  }

  async start() {}

  async stop() {}
}
