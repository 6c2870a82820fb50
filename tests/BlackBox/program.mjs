// A program that runs beside this one: its lines, its end, and what Linux lets one do to a process.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from './random.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const built = (project) => path.join(root, 'src', project, 'bin', 'Release', 'net10.0');

/** A program with lines, that ends when this one does. */
export class Program {
  /** @param onLine called with each line as it comes */
  constructor(command, args, environment = {}, onLine = () => {}) {
    this.process = spawn(command, args, { cwd: root, env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.lines = [];
    this.ended = new Promise((resolve) => { this.process.once('close', resolve); });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      let rest = '';
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        lines.forEach(onLine);
        this.lines.push(...lines);
        this.lines.splice(0, Math.max(0, this.lines.length - 500));
      });
    }
    this.process.stdin.on('error', () => {});
  }

  get pid() { return this.process.pid; }

  get isOver() { return this.process.exitCode !== null || this.process.signalCode !== null; }

  kill(signal) { this.process.kill(signal); }

  async line(prefix) {
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(20)) {
      const found = this.lines.find((line) => line.startsWith(prefix));
      if (found) return found.slice(prefix.length).trim();
      if (this.isOver) break;
    }

    throw new Error(`No line '${prefix}…':\n${this.lines.join('\n')}`);
  }
}

const hasProc = existsSync('/proc/self/stat');

/** Processes that this one started and that still run; none where there is no /proc to see them in. */
export function childrenOf(pid) {
  return !hasProc ? [] : readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid).map(Number);
}

// The name of the program, in brackets, may hold anything; state and parent come after it.
function parentOf(pid) {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined; // ended meanwhile
  }
}

/** A process that has ended meanwhile is no fault of this program's. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

export const isRunning = (pid) => parentOf(pid) !== undefined;

/** Lets a running process write no file further than this; more is EFBIG, as on a full disk it is ENOSPC. */
export const limitFiles = (pid, bytes) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

const fakeTime = existsSync('/usr/lib') && readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`).find((file) => existsSync(file));

/** The environment of a process whose clock is so many seconds off. Its timers are not, and neither are its waits (the "fix"). */
export const clockOff = (seconds) => (seconds === 0 ? {} : {
  LD_PRELOAD: fakeTime, FAKETIME: `${seconds > 0 ? '+' : ''}${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0', NO_FAKE_STAT: '1',
});

/** What this machine has for it. */
export const can = {
  seeChildren: hasProc,
  limitFiles: !spawnSync('prlimit', ['--version']).error,
  setClocks: fakeTime !== undefined && fakeTime !== false,
};
