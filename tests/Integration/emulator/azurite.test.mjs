import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { until } from './emulator.mjs';

const MAIN = fileURLToPath(new URL('../../../infra/local/azurite.mjs', import.meta.url));
const directories = [];
const children = [];
after(() => {
  // A test that failed leaves its process, and this file would wait for that process.
  children.forEach((each) => each.kill('SIGKILL'));
  directories.forEach((each) => rmSync(each, { recursive: true, force: true }));
});

function newDirectory() {
  directories.push(mkdtempSync(join(tmpdir(), 'azurite-')));
  return directories.at(-1);
}

/** Azurite's table service as a process, or what it said when it did not start. */
async function start(...args) {
  const child = spawn(process.execPath, [MAIN, '--exit-with-stdin', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  const complaints = [];
  child.stderr.on('data', (text) => complaints.push(text));
  const exited = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, text: complaints.join('') }));
  });
  const lines = [];
  const line = await Promise.race([
    new Promise((resolve) => {
      createInterface(child.stdout).on('line', (each) => lines.push(each) && resolve(each));
    }),
    exited,
  ]);
  if (typeof line !== 'string') return line;
  assert.match(
    line,
    /^Tables: DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=[^;]+;TableEndpoint=http:[^;]+;$/,
  );
  const connectionString = line.slice('Tables: '.length);
  return {
    child,
    exited,
    lines,
    complaints,
    port: Number(/:(\d+)\//.exec(connectionString.split('TableEndpoint=')[1])[1]),
    table: () =>
      TableClient.fromConnectionString(connectionString, 'outpost', {
        allowInsecureConnection: true,
        retryOptions: { maxRetries: 0 },
      }),
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

async function write(table, from, count) {
  for (let i = from; i < from + count; i++)
    await table.createEntity({ partitionKey: '0000', rowKey: `e|${String(i).padStart(19, '0')}`, text: 'x' });
}

async function rowKeys(table) {
  const keys = [];
  for await (const { rowKey } of table.listEntities()) keys.push(rowKey);
  return keys;
}

const noLimits = spawnSync('prlimit', ['--version']).error ? 'prlimit (util-linux) is not installed' : false;

describe('Azurite', { concurrency: 2 }, () => {
  test('goes on while its disk is full, and saves when there is room again', { skip: noLimits }, async () => {
    const location = newDirectory();
    const azurite = await start('--port', '0', '--location', location);
    const limit = (bytes) => execFileSync('prlimit', ['--pid', String(azurite.child.pid), `--fsize=${bytes}:`]);
    await azurite.table().createTable();
    limit(100);
    await write(azurite.table(), 0, 20);
    const failed = () => azurite.complaints.join('').split('EFBIG').length - 1;
    await until(() => failed() > 0, 'a save that fails');
    const before = failed();
    await until(() => failed() > before + 1, 'a save that is tried again, though nothing was written meanwhile');
    limit('unlimited');
    await azurite.end('SIGTERM');
    const again = await start('--port', '0', '--location', location);
    assert.equal((await rowKeys(again.table())).length, 20);
    await again.end('SIGTERM');
  });

  test('says what is lost when its disk is still full at the end', { skip: noLimits }, async () => {
    const azurite = await start('--port', '0', '--location', newDirectory());
    execFileSync('prlimit', ['--pid', String(azurite.child.pid), '--fsize=100:']);
    await azurite.table().createTable();
    const { code, text } = await azurite.end('SIGTERM');
    assert.equal(code, 1);
    assert.match(text, /Azurite: could not save \(.*EFBIG.*\); what was written since the last save is lost\n$/);
  });

  test('keeps what was written until it is told to end, however it is told, and most of it when killed', async () => {
    const location = newDirectory();
    let written = 0;
    for (const how of ['SIGTERM', 'SIGINT', 'the end of its standard input', 'SIGKILL']) {
      const azurite = await start('--port', '0', '--location', location);
      if (written === 0) await azurite.table().createTable();
      assert.equal((await rowKeys(azurite.table())).length, written, `before ${how}`);
      await write(azurite.table(), written, 20);
      written += 20;
      if (how === 'SIGKILL')
        await new Promise((resolve) => {
          setTimeout(resolve, 1_500);
        });
      if (how.startsWith('SIG')) azurite.child.kill(how);
      else azurite.child.stdin.end();
      const { code, signal } = await azurite.exited;
      assert.deepEqual({ code, signal }, how === 'SIGKILL' ? { code: null, signal: how } : { code: 0, signal: null });
      assert.equal(azurite.lines.length, 1, 'it printed one line');
    }
    const azurite = await start('--port', '0', '--location', location);
    assert.equal((await rowKeys(azurite.table())).length, written, 'what is older than about a second survives a kill');
    await azurite.end('SIGTERM');
  });

  test('in memory begins empty each time', async () => {
    const first = await start('--port', '0', '--in-memory');
    await first.table().createTable();
    await first.end('SIGTERM');
    const second = await start('--port', String(first.port), '--in-memory');
    assert.equal(second.port, first.port);
    await assert.rejects(rowKeys(second.table()), { statusCode: 404 });
    await second.end('SIGTERM');
  });

  test('says in one line what is wrong and ends with 2', async () => {
    const running = await start('--port', '0', '--in-memory');
    const location = newDirectory();
    const owner = await start('--port', '0', '--location', location);
    const file = join(newDirectory(), 'file');
    writeFileSync(file, '');
    for (const [args, expected] of [
      [
        ['--port', String(running.port), '--in-memory'],
        /^Azurite cannot run: port \d+ is taken; choose another with --port, or 0 for any free one\n$/,
      ],
      [['--port', 'x', '--in-memory'], /^Azurite cannot run: --port is "x"; allowed: 0 to 65535; 0 is any free one\n$/],
      [['--port', '0'], /^Azurite cannot run: give either --location DIR or --in-memory\n$/],
      [['--port', '0', '--location', location], /^Azurite cannot run: --location .* is used by process \d+;.*\n$/],
      [['--port', '0', '--location', file], /^Azurite cannot run: --location .* cannot be used as a folder \(EEXIST.*\n$/],
      [['--colour'], /^Azurite cannot run: .*allowed: --port, --location, --in-memory, --exit-with-stdin\n$/],
    ]) {
      const { code, text } = await start(...args);
      assert.equal(code, 2);
      assert.match(text, expected);
    }
    await running.end('SIGTERM');
    await owner.end('SIGTERM');
  });
});
