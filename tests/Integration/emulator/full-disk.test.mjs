// A disk without room for the journal, as a limit on the size of the files that the emulator's process may write.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { queue, receive, startEmulator, texts, until } from './emulator.mjs';

const skip = spawnSync('prlimit', ['--version']).error ? 'prlimit (util-linux) is not installed' : false;

async function onDisk(work) {
  const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
  const emulator = await startEmulator('--data', directory, { quiet: true });
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(emulator.child.pid), `--fsize=${bytes}:`]);
  const disk = {
    /** Leaves room for so many bytes more: less than a record needs, so that half of it is written. */
    fill: (left = 10) => limit(statSync(join(directory, 'journal')).size + left),
    free: () => limit('unlimited'),
  };
  try {
    await work(emulator, disk, directory);
  } finally {
    await emulator.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

const counts = async (emulator) => (await emulator.describe('q')).messages.q;
const bodies = (...list) => list.map((body) => ({ body, messageId: body }));

describe('On a full disk', { skip, concurrency: 2 }, () => {
  test('a send is refused whole, and taken when there is room again, also after a restart', async () => {
    await onDisk(async (emulator, disk, directory) => {
      await emulator.create(queue({ RequiresDuplicateDetection: true }), 'q');
      const sender = emulator.client().createSender('q');
      await sender.sendMessages(bodies('a'));
      disk.fill();
      await assert.rejects(sender.sendMessages(bodies('b', 'c')), /EFBIG/);
      assert.equal((await counts(emulator)).active, 1);
      disk.free();
      await sender.sendMessages(bodies('b', 'c'));
      await emulator.kill();
      const again = await startEmulator('--data', directory);
      assert.deepEqual(texts(await receive(again.client().createReceiver('q', { receiveMode: 'receiveAndDelete' }), 3)), ['a', 'b', 'c']);
      await again.kill();
    });
  });

  test('what is received and deleted at once is handed out when there is room again, in order', async () => {
    await onDisk(async (emulator, disk) => {
      await emulator.create(queue(), 'q');
      await emulator.client().createSender('q').sendMessages(bodies('a', 'b', 'c'));
      disk.fill();
      const receiver = emulator.client().createReceiver('q', { receiveMode: 'receiveAndDelete' });
      assert.deepEqual(await receiver.receiveMessages(3, { maxWaitTimeInMs: 700 }), []);
      assert.equal((await counts(emulator)).active, 3);
      disk.free();
      assert.deepEqual(texts(await receive(receiver, 3)), ['a', 'b', 'c']);
    });
  });

  test('a completion is refused and the lock stays; a lock that ends meanwhile ends when there is room again', async () => {
    await onDisk(async (emulator, disk) => {
      await emulator.create(queue({ LockDuration: 'PT1S' }), 'q');
      await emulator.client().createSender('q').sendMessages(bodies('a'));
      const receiver = emulator.client().createReceiver('q');
      const [a] = await receive(receiver, 1);
      disk.fill();
      await assert.rejects(receiver.completeMessage(a), /EFBIG/);
      await until(async () => a.lockedUntilUtc < new Date());
      await assert.rejects(emulator.client().createSender('q').sendMessages(bodies('b')), /EFBIG/);
      assert.deepEqual(await counts(emulator), { active: 0, locked: 1, deferred: 0, deadLettered: 0 });
      disk.free();
      const [again] = await receive(receiver, 1);
      assert.deepEqual([again.body, again.deliveryCount], ['a', 1]);
      await receiver.completeMessage(again);
    });
  });

  test('what has passed its time to live goes when there is room again', async () => {
    await onDisk(async (emulator, disk) => {
      await emulator.create(queue({ DefaultMessageTimeToLive: 'PT1S', DeadLetteringOnMessageExpiration: true }), 'q');
      await emulator.client().createSender('q').sendMessages(bodies('a'));
      disk.fill();
      const over = Date.now() + 1_500;
      await until(() => Date.now() > over);
      assert.equal((await counts(emulator)).active, 1);
      disk.free();
      await until(async () => (await counts(emulator)).deadLettered === 1);
    });
  });
});
