import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { orGiveUp, queue, receive, startEmulator, texts, topic, until } from './emulator.mjs';

/** Runs the steps one after the other on one data directory, each in a process of its own that is then killed. */
async function inTurn({ signal = 'SIGKILL' }, ...steps) {
  const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
  try {
    for (const step of steps) {
      const emulator = await startEmulator('--data', directory);
      try {
        await step(emulator, directory);
      } finally {
        await emulator.kill(signal);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const counts = async (emulator, name, of = name) => (await emulator.describe(name)).messages[of];

describe('With a data directory', { concurrency: 2 }, () => {
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    test(`messages, settlements and numbers survive ${signal}`, async () => {
      const name = 'topic';
      let numbers;
      await inTurn(
        { signal },
        async (emulator) => {
          await emulator.create(
            topic({ all: {}, orders: { RequiresSession: true } }, { RequiresDuplicateDetection: true }),
            name,
          );
          const client = emulator.client();
          await client
            .createSender(name)
            .sendMessages(
              ['a', 'b', 'c', 'd', 'e'].map((body) => ({
                body,
                messageId: body,
                sessionId: 's',
                subject: 'x',
                applicationProperties: { n: 1 },
              })),
            );
          const receiver = client.createReceiver(name, 'all');
          const [a, b, c, d] = await receive(receiver, 4);
          await receiver.completeMessage(a);
          await receiver.abandonMessage(b, { changed: true });
          await receiver.deferMessage(c);
          await receiver.deadLetterMessage(d, { deadLetterReason: 'r', deadLetterErrorDescription: 'd' });
          numbers = { b: b.sequenceNumber.toNumber(), c: c.sequenceNumber };
          const session = await client.acceptSession(name, 'orders', 's');
          await session.completeMessage((await receive(session, 1))[0]);
          await session.setSessionState('half way');
        },
        async (emulator) => {
          const client = emulator.client();
          assert.deepEqual(await counts(emulator, name, 'all'), { active: 2, locked: 0, deferred: 1, deadLettered: 1 });
          const receiver = client.createReceiver(name, 'all');
          const [b, e] = await receive(receiver, 2);
          assert.deepEqual([b.body, e.body], ['b', 'e']);
          assert.equal(b.sequenceNumber.toNumber(), numbers.b);
          assert.equal(b.deliveryCount, 1);
          assert.deepEqual(b.applicationProperties, { n: 1, changed: true });
          await receiver.completeMessage((await receiver.receiveDeferredMessages(numbers.c))[0]);
          const [d] = await receive(client.createReceiver(name, 'all', { subQueueType: 'deadLetter' }), 1);
          assert.deepEqual([d.body, d.deadLetterReason, d.deadLetterErrorDescription], ['d', 'r', 'd']);
          const session = await client.acceptSession(name, 'orders', 's');
          assert.equal(await session.getSessionState(), 'half way');
          assert.deepEqual(texts(await receive(session, 4)), ['b', 'c', 'd', 'e']);

          await client.createSender(name).sendMessages([
            { body: 'again', messageId: 'a', sessionId: 's' },
            { body: 'f', messageId: 'f', sessionId: 's' },
          ]);
          const [f] = await receive(receiver, 1);
          assert.equal(f.body, 'f', 'a duplicate of before the restart is dropped');
          assert.equal(f.sequenceNumber.toNumber(), numbers.b + 4);
        },
        async (emulator) => {
          // locks do not survive: what was locked when the process died is there again
          assert.deepEqual(await counts(emulator, name, 'all'), { active: 3, locked: 0, deferred: 0, deadLettered: 1 });
        },
      );
    });
  }

  test('everything acknowledged before a kill in mid-flight is there, once', async () => {
    const acknowledged = [];
    await inTurn(
      {},
      async (emulator) => {
        await emulator.create(queue({ RequiresDuplicateDetection: true }), 'q');
        let running = true;
        const client = emulator.client();
        const senders = Array.from({ length: 4 }, async (_, s) => {
          const sender = client.createSender('q');
          for (let i = 0; running; i++) {
            const ids = Array.from({ length: 20 }, (__, n) => `${s}-${i}-${n}`);
            const sent = sender.sendMessages(ids.map((messageId) => ({ body: messageId, messageId })));
            await orGiveUp(sent.then(() => acknowledged.push(...ids)).catch(() => {}));
          }
        });
        await until(() => acknowledged.length > 2_000);
        emulator.child.kill('SIGKILL');
        await emulator.exited;
        running = false;
        await Promise.all(senders);
      },
      async (emulator) => {
        const receiver = emulator.client().createReceiver('q', { receiveMode: 'receiveAndDelete' });
        const { active } = await counts(emulator, 'q');
        const bodies = texts(await receive(receiver, active));
        assert.equal(new Set(bodies).size, bodies.length);
        assert.deepEqual(
          acknowledged.filter((id) => !bodies.includes(id)),
          [],
        );
        assert.ok(bodies.length - acknowledged.length <= 80, 'at most what was in flight came on top');
      },
    );
  });

  test('scheduled messages come when due, also when that was while nobody ran', async () => {
    await inTurn(
      {},
      async (emulator) => {
        await emulator.create(queue({ DefaultMessageTimeToLive: 'PT1H' }), 'q');
        await emulator
          .client()
          .createSender('q')
          .scheduleMessages([{ body: 'a' }, { body: 'b' }], new Date(Date.now() + 300));
      },
      async (emulator) => {
        assert.deepEqual(texts(await receive(emulator.client().createReceiver('q'), 2)), ['a', 'b']);
      },
    );
  });

  test('a record torn by the kill is passed over; what came before stays', async () => {
    await inTurn(
      {},
      async (emulator, directory) => {
        await emulator.create(queue(), 'q');
        await emulator
          .client()
          .createSender('q')
          .sendMessages([{ body: 'a' }]);
        await emulator.kill();
        const { size } = statSync(join(directory, 'journal'));
        const again = await startEmulator('--data', directory);
        await again
          .client()
          .createSender('q')
          .sendMessages([{ body: 'torn' }]);
        await again.kill();
        assert.ok(statSync(join(directory, 'journal')).size > size);
        truncateSync(join(directory, 'journal'), statSync(join(directory, 'journal')).size - 3);
      },
      async (emulator) => {
        assert.deepEqual(
          texts(await receive(emulator.client().createReceiver('q', { receiveMode: 'receiveAndDelete' }), 1)),
          ['a'],
        );
      },
      async (emulator, directory) => {
        assert.equal((await counts(emulator, 'q')).active, 0);
        await emulator.kill();
        appendFileSync(join(directory, 'journal'), Buffer.from([0, 0, 0]));
      },
      async (emulator) => assert.equal((await counts(emulator, 'q')).active, 0),
    );
  });

  test('a damaged journal is refused, not half read', async () => {
    await inTurn({}, async (emulator, directory) => {
      await emulator.create(queue(), 'q');
      await emulator
        .client()
        .createSender('q')
        .sendMessages([{ body: 'aaaaaaaaaaaaaaaaaaaaaaaa' }]);
      await emulator
        .client()
        .createSender('q')
        .sendMessages([{ body: 'b' }]);
      await emulator.kill();
      const path = join(directory, 'journal');
      const at = readFileSync(path).indexOf('aaaaaaaaa');
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.from('!'), 0, 1, at);
      await assert.rejects(startEmulator('--data', directory, { quiet: true }), /code 2.*damaged at byte \d+/s);
      writeFileSync(path, 'something else');
      await assert.rejects(startEmulator('--data', directory, { quiet: true }), /code 2.*move it away/s);
    });
  });

  test('a second process on the same directory is refused', async () => {
    await inTurn({}, async (emulator, directory) => {
      await assert.rejects(startEmulator('--data', directory, { quiet: true }), /code 2.*is used by process \d+/s);
    });
  });

  test('the number of a process that is none of ours keeps nobody out', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
    writeFileSync(join(directory, 'owner.pid'), String(process.pid)); // this test, not an emulator
    const emulator = await startEmulator('--data', directory);
    await emulator.stop();
    rmSync(directory, { recursive: true });
  });

  test('the file is rewritten when it is mostly about what is gone', async () => {
    await inTurn(
      {},
      async (emulator, directory) => {
        await emulator.create(queue({ MaxMessageSizeInKilobytes: 8192 }), 'q');
        const client = emulator.client();
        const sender = client.createSender('q');
        const receiver = client.createReceiver('q', { receiveMode: 'receiveAndDelete' });
        await sender.sendMessages({ body: 'stays', scheduledEnqueueTimeUtc: new Date(Date.now() + 60_000) });
        const body = Buffer.alloc(7 * 1_048_576);
        for (let i = 0; i < 12; i++) {
          await sender.sendMessages({ body });
          await receive(receiver, 1);
        }
        assert.ok(statSync(join(directory, 'journal')).size < 50 * 1_048_576);
        assert.equal((await emulator.describe('q')).scheduled, 1);
      },
      async (emulator) => {
        assert.equal((await emulator.describe('q')).scheduled, 1);
      },
    );
  });
});
