// The product as its processes: tables, bus and apps, each behind a proxy; what can be done to them.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { built, childrenOf, clockOff, isRunning, limitFiles, Program, signal } from './program.mjs';
import { Proxy } from './proxy.mjs';
import { sleep } from './random.mjs';
import { Tool } from './tool.mjs';

const HOST = path.join(built('LocalHost'), 'Outpost.LocalHost.dll');
const WORKER_WITHIN_MS = 120_000;
const WORKER_ENDS_WITHIN_MS = 15_000;
const START_WITHIN_MS = 120_000;
const portOf = (connection, pattern) => Number(pattern.exec(connection)[1]);

export class LocalProduct {
  /** What must never be, in words. */
  wrong = [];

  counts = { refusedWrites: 0, refusedStarts: 0 };

  #data = mkdtempSync(path.join(tmpdir(), 'outpost-blackbox-'));
  #programs = {};
  #apps = [];
  #environment = {};

  constructor({ apps, partitions }) {
    this.partitions = partitions;
    this.#apps = Array.from({ length: apps }, () => ({ program: null, proxy: new Proxy(0), url: '', secondsOff: 0 }));
  }

  async start() {
    const onLine = (line) => { this.counts.refusedWrites += line.includes('EFBIG'); };
    const tables = new Program('node', ['infra/local/azurite.mjs', '--port', '0', '--location', path.join(this.#data, 'tables'), '--exit-with-stdin'], {}, onLine);
    const bus = new Program('node', ['infra/local/servicebus/main.mjs', '--port', '0', '--config', 'infra/local/servicebus.config.json',
      '--data', path.join(this.#data, 'bus'), '--exit-with-stdin'], {}, onLine);
    this.#programs = { tables, bus };
    this.tablesConnection = await tables.line('Tables: ');
    this.busConnection = await bus.line('Service Bus emulator: ');
    this.tables = new Proxy(portOf(this.tablesConnection, /TableEndpoint=http:\/\/127\.0\.0\.1:(\d+)/));
    this.bus = new Proxy(portOf(this.busConnection, /sb:\/\/[^:;]+:(\d+)/));
    const [tablesPort, busPort] = [await this.tables.start(), await this.bus.start()];
    this.tool = new Tool(this, tablesPort, this.#data);
    this.#environment = {
      TableStorage: this.tablesAt(tablesPort),
      ServiceBus: this.busConnection.replace(/(sb:\/\/[^:;]+:)\d+/, `$1${busPort}`),
      FORWARDER_SCHEDULE: '* * * * * *',
    };
    for (const app of this.#apps) {
      app.url = `http://127.0.0.1:${await app.proxy.start()}`;
      await this.#startApp(app);
    }
  }

  get urls() { return this.#apps.map((app) => app.url); }

  tablesAt(port) { return this.tablesConnection.replace(/(TableEndpoint=http:\/\/127\.0\.0\.1:)\d+/, `$1${port}`); }

  appProxy(index) { return this.#apps[index].proxy; }

  async kill(index) {
    const app = this.#apps[index];
    const workers = childrenOf(app.program.pid);
    app.program.kill('SIGKILL');
    await app.program.ended;
    // A worker ends with its host.
    if (!await within(WORKER_ENDS_WITHIN_MS, () => !workers.some(isRunning))) this.wrong.push(`app ${index}: its worker outlives its host`);
    await this.#startApp(app);
  }

  async restart(index, secondsOff = 0) {
    const app = this.#apps[index];
    app.program.kill('SIGTERM');
    await app.program.ended;
    app.secondsOff = secondsOff;
    await this.#startApp(app);
  }

  /** The host stays, starts another worker, and that one answers. */
  async killWorker(index) {
    const app = this.#apps[index];
    await this.tool.grown;
    // A worker with another count than the log's is refused; a host that is told of the new one is another process.
    if (app.partitions !== this.partitions) await this.restart(index);
    const killed = childrenOf(app.program.pid);
    for (const worker of killed) signal(worker, 'SIGKILL');
    const isBack = () => app.program.isOver || (childrenOf(app.program.pid).some((pid) => !killed.includes(pid)) && answers(app.port));
    if (!await within(WORKER_WITHIN_MS, isBack)) this.wrong.push(`app ${index}: no worker after one was killed: ${app.program.lines.slice(-5).join('\n')}`);
    if (!app.program.isOver) return;
    this.wrong.push(`app ${index}: the host ended with its worker`);
    await this.#startApp(app);
  }

  /** Host and worker. */
  async pause(index, milliseconds) {
    const { program } = this.#apps[index];
    const paused = [program.pid, ...childrenOf(program.pid)];
    for (const pid of paused) signal(pid, 'SIGSTOP');
    await sleep(milliseconds);
    for (const pid of paused) signal(pid, 'SIGCONT');
  }

  /** The last record before the disk of the bus is full fits in part. */
  async fillBus(milliseconds, bytesLeft) {
    await this.#fill('bus', statSync(path.join(this.#data, 'bus', 'journal')).size + bytesLeft, milliseconds);
  }

  async fillTables(milliseconds) {
    await this.#fill('tables', 1_000, milliseconds);
  }

  async #fill(name, bytes, milliseconds) {
    const { pid } = this.#programs[name];
    limitFiles(pid, bytes);
    await sleep(milliseconds);
    limitFiles(pid, 'unlimited');
    if (this.#programs[name].isOver) throw new Error(`${name} ended with its disk full:\n${this.#programs[name].lines.join('\n')}`);
  }

  /** One more app, on another table and without a bus. Gives its address. */
  async startOn(table, partitions) {
    const app = { partitions, secondsOff: 0, proxy: {} };
    this.#apps.push(app);
    await this.#startApp(app, { TableStorage: this.tablesConnection, ServiceBus: '', Outpost__TableName: table });
    return `http://127.0.0.1:${app.port}`;
  }

  async stop() {
    for (const app of this.#apps) app.program?.kill('SIGTERM');
    await Promise.all(this.#apps.map((app) => app.program?.ended));
    for (const proxy of [this.tables, this.bus, ...this.#apps.map((app) => app.proxy)]) proxy?.stop?.();
    for (const program of Object.values(this.#programs)) program.process.stdin.end();
    await Promise.all(Object.values(this.#programs).map((program) => program.ended));
    rmSync(this.#data, { recursive: true, force: true });
  }

  // While the log grows, a start with the count from before may be refused; after it, with the new one, it is not.
  async #startApp(app, settings = {}) {
    for (const end = Date.now() + START_WITHIN_MS; ; await sleep(500)) {
      if (!settings.Outpost__TableName) app.partitions = this.partitions;
      const environment = { ...this.#environment, Outpost__PartitionCount: String(app.partitions), ...clockOff(app.secondsOff), ...settings };
      app.program = new Program('dotnet', [HOST, '--root', built('Functions'), '--port', '0', '--exit-with-stdin'], environment);
      try {
        app.port = app.proxy.target = Number(new URL(await app.program.line('Ready: ')).port);
        return;
      } catch (error) {
        if (Date.now() > end || !app.program.isOver || !error.message.includes('Outpost__PartitionCount')) throw error;
        this.counts.refusedStarts += 1;
      }
    }
  }
}

async function answers(port) {
  try {
    const { ok } = await fetch(`http://127.0.0.1:${port}/api/partitions`, { signal: AbortSignal.timeout(5_000) });
    return ok;
  } catch {
    return false;
  }
}

async function within(milliseconds, isSo) {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(50)) {
    if (await isSo()) return true;
  }

  return false;
}

/** A product that runs elsewhere: nothing can be done to its processes. */
export class RemoteProduct {
  wrong = [];

  constructor({ url, bus }) {
    this.urls = [url.replace(/\/$/, '')];
    this.busConnection = bus;
  }

  async start() {}

  async stop() {}
}
