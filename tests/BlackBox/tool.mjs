// The tool `outpost` at work on the table while everything else goes on: it grows the log, copies it, verifies it. It
// has a proxy of its own in front of the tables', so that it can be killed halfway, and meets their faults too.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { built, Program } from './program.mjs';
import { Proxy } from './proxy.mjs';
import { sleep } from './random.mjs';

const CLI = path.join(built('Outpost.Cli'), 'Outpost.Cli.dll');
const GROWN_WITHIN_MS = 300_000;
const HALF_GROWN_MS = 3_000;

export class Tool {
  /** Backups that are whole: { file, partitions, known }, with the entries of each partition known when it began. */
  backups = [];

  counts = { grown: 0, killedGrowing: 0, killedBackups: 0, failedBackups: 0, verified: 0 };

  /** The last growing and the last reading of the whole table, which run beside everything else, each after the one before. */
  grown = Promise.resolve();

  copied = Promise.resolve();

  #readings = 0;

  #number = 0;

  constructor(product, tablesPort, folder) {
    this.product = product;
    this.tablesPort = tablesPort;
    this.folder = folder;
  }

  /** Gives the log one more partition. When killed after so many requests, the tool is run again; and so after an error. */
  grow(killAfter) {
    this.grown = this.grown.then(() => this.#grow(this.product.partitions + 1, killAfter));
  }

  async #grow(partitions, killAfter) {
    for (const end = Date.now() + GROWN_WITHIN_MS; ; await sleep(200)) {
      const { json, wasKilled, text } = await this.run(['grow', '--partitions', String(partitions)], killAfter);
      this.counts.killedGrowing += wasKilled;
      if (wasKilled) await sleep(HALF_GROWN_MS); // the apps live with it, or finish it
      killAfter = undefined;
      if (json) {
        if (json.partitions !== partitions) this.product.wrong.push(`grow to ${partitions}: ${text}`);
        this.counts.grown += 1;
        this.product.partitions = partitions;
        return;
      }

      if (Date.now() > end) throw new Error(`The log did not grow to ${partitions} partitions: ${text}`);
    }
  }

  /** @param known entries that each partition has for sure by now */
  backup(known, killAfter) {
    return this.#read(() => this.#backup(known, killAfter));
  }

  async #backup(known, killAfter) {
    const file = path.join(this.folder, `${this.#number += 1}.outpost`);
    const { json, wasKilled } = await this.run(['backup', '--to', file], killAfter);
    this.counts.killedBackups += wasKilled;
    this.counts.failedBackups += !json && !wasKilled;
    if (json) this.backups.push({ file, partitions: json.partitions, known });
    else if (existsSync(file) && !wasKilled) this.product.wrong.push(`backup: ${file} is there, and was not reported`);
  }

  verify() {
    return this.#read(async () => { this.product.wrong.push(...await this.verifyNow()); });
  }

  // One may wait for its turn; who asks for more waits too.
  async #read(work) {
    if (this.#readings > 1) await this.copied;
    this.#readings += 1;
    this.copied = this.copied.then(work).finally(() => { this.#readings -= 1; });
  }

  /** What is wrong with the log, which may be in use. Without an answer, the tables did not give one. */
  async verifyNow(table = 'outpost') {
    const { json, text } = await this.run(['verify', '--name', table]);
    this.counts.verified += json !== undefined;
    return !json || json.sound ? [] : [`verify of ${table}: ${text}`];
  }

  /** Makes a log of a backup. What a killed one left is refused. */
  async restore({ file }, table) {
    const part = readdirSync(this.folder).find((name) => name.endsWith('.part'));
    if (part && (await this.run(['restore', '--from', path.join(this.folder, part), '--name', 'partly'])).json)
      this.product.wrong.push('a backup that was killed was restored');
    const { json, text } = await this.run(['restore', '--from', file, '--name', table]);
    return json ? [] : [`restore: ${text}`];
  }

  /** Runs the tool; kills it after so many pieces of requests. */
  async run(args, killAfter = Infinity) {
    const proxy = new Proxy(this.tablesPort);
    const program = new Program('dotnet', [CLI, ...args, '--json', '--table', this.product.tablesAt(await proxy.start())]);
    let [requests, wasKilled] = [0, false];
    proxy.onRequest = () => {
      requests += 1;
      if (requests !== killAfter) return;
      wasKilled = !program.isOver;
      program.kill('SIGKILL');
    };
    const code = await program.ended;
    proxy.stop();
    const answer = program.lines.find((line) => line.startsWith('{'));
    const isAnswer = answer && (code === 0 || args[0] === 'verify');
    return { json: isAnswer ? JSON.parse(answer) : undefined, wasKilled, requests, text: `${code} ${program.lines.join('\n').slice(-2000)}` };
  }
}
