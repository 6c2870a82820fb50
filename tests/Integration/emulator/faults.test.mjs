import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { queue, sharedEmulator, until } from './emulator.mjs';

const emulator = await sharedEmulator();

async function given(fault, { timeoutInMs = 10_000 } = {}) {
  const name = await emulator.create(queue());
  assert.equal((await emulator.fault(name, fault)).status, 200);
  const sender = emulator.client({ timeoutInMs }).createSender(name);
  const count = async () => (await emulator.describe(name)).messages[name].active;
  return {
    name,
    sender,
    count,
  };
}

describe('A fault asked for by a test', { concurrency: true }, () => {
  test('busy refuses as often as it was asked to, then sends go through', async () => {
    const { sender, count } = await given({ mode: 'busy', times: 2 });

    for (let i = 0; i < 2; i++) await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceBusy' });

    await sender.sendMessages({ body: 'a' });
    assert.equal(await count(), 1);
  });

  test('entity-disabled and unauthorized refuse until lifted', async () => {
    for (const [mode, code] of [
      ['entity-disabled', 'MessagingEntityDisabled'],
      ['unauthorized', 'UnauthorizedAccess'],
    ]) {
      const { name, sender, count } = await given({ mode });
      for (let i = 0; i < 3; i++) await assert.rejects(sender.sendMessages({ body: 'a' }), { code });
      await emulator.fault(name, { mode: 'none' });
      await sender.sendMessages({ body: 'a' });
      assert.equal(await count(), 1);
    }
  });

  test('reset hangs up before the message is taken', async () => {
    const { sender, count } = await given({ mode: 'reset', times: 1 });
    await assert.rejects(sender.sendMessages({ body: 'a' }));
    assert.equal(await count(), 0);
  });

  test('accept-then-reset takes the message and hangs up before saying so', async () => {
    const { sender, count } = await given({ mode: 'accept-then-reset', times: 1 });
    await assert.rejects(sender.sendMessages({ body: 'a' }));
    assert.equal(await count(), 1);
  });

  test('hang never answers', async () => {
    const { sender, count } = await given({ mode: 'hang' }, { timeoutInMs: 2_500 });
    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceTimeout' });
    assert.equal(await count(), 0);
  });

  test('messageIdPattern refuses for good the batches that have such a message, and no others', async () => {
    const { name, sender, count } = await given({ messageIdPattern: '^bad-' });

    await assert.rejects(
      sender.sendMessages([
        { body: 'a', messageId: 'ok-1' },
        { body: 'b', messageId: 'bad-1' },
      ]),
      { code: 'GeneralError' },
    );
    await sender.sendMessages({ body: 'a', messageId: 'ok-3' });

    assert.equal(await count(), 1);
    await emulator.fault(name, {});
    await sender.sendMessages({ body: 'a', messageId: 'bad-2' });
  });

  test('concerns its own entity only', async () => {
    await given({ mode: 'busy' });
    const other = await emulator.create(queue());
    await emulator.send(other, { body: 'a' });
  });

  test('accept-then-hang takes the message and never says so', async () => {
    const { sender, count } = await given({ mode: 'accept-then-hang', times: 1 }, { timeoutInMs: 1_000 });
    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceTimeout' });
    await sender.sendMessages({ body: 'b' });
    assert.equal(await count(), 2);
  });

  test('of the scope link stays with the links it met, and is not met by the next', async () => {
    const { name, sender, count } = await given({ mode: 'busy', scope: 'link', times: 1 });
    const client = emulator.client();
    for (let i = 0; i < 2; i++) await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceBusy' });

    await client.createSender(name).sendMessages({ body: 'a' });

    assert.deepEqual(await emulator.faultOf(name), { mode: 'busy', on: 'send', scope: 'link', met: 1, left: 0 });
    await emulator.fault(name, { mode: 'none' });
    await sender.sendMessages({ body: 'a' });
    assert.equal(await count(), 2);
  });

  test('of the scope connection meets every link of that connection', async () => {
    const { name, count } = await given({ mode: 'busy', scope: 'connection', times: 1 });
    const [hit, spared] = [emulator.client(), emulator.client()];
    for (let i = 0; i < 2; i++)
      await assert.rejects(hit.createSender(name).sendMessages({ body: 'a' }), { code: 'ServiceBusy' });
    await spared.createSender(name).sendMessages({ body: 'a' });
    assert.equal(await count(), 1);
  });

  test('on attach refuses the link and not what is sent on those that are there', async () => {
    const { name, sender, count } = await given({ mode: 'none' });
    await sender.sendMessages({ body: 'a' });
    await emulator.fault(name, { mode: 'throttled', on: 'attach', times: 1 });

    await sender.sendMessages({ body: 'a' });
    const other = emulator.client().createSender(name);
    await assert.rejects(other.createMessageBatch(), { code: 'ServiceBusy' });
    await other.sendMessages({ body: 'a' });

    assert.equal(await count(), 3);
  });

  test('slow takes longer the more is sent', async () => {
    const { sender, count } = await given({ mode: 'slow', bytesPerSecond: 100_000 });
    const before = performance.now();
    await sender.sendMessages({ body: Buffer.alloc(50_000) });
    assert.ok(performance.now() - before >= 490);
    assert.equal(await count(), 1);
  });

  test('detach closes the link with an error, and the client opens another', async () => {
    const { sender, count } = await given({ mode: 'detach', times: 1 });
    await assert.rejects(sender.sendMessages({ body: 'a' }));
    await sender.sendMessages({ body: 'a' });
    assert.equal(await count(), 1);
  });

  test('silence makes the connection half-open until it is lifted', async () => {
    const { name, sender, count } = await given({ mode: 'silence', times: 1 }, { timeoutInMs: 1_000 });
    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceTimeout' });
    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceTimeout' });
    await emulator.client().createSender(name).sendMessages({ body: 'another connection' });
    assert.equal((await emulator.faultOf(name)).met, 1);

    await emulator.fault(name, { mode: 'none' });
    await until(() => sender.sendMessages({ body: 'a' }).then(() => true, () => false), 'the new connection', 10_000);
    assert.equal(await count(), 2);
  });

  test('every refusal has its condition', async () => {
    for (const [mode, code] of [
      ['throttled', 'ServiceBusy'],
      ['quota-exceeded', 'QuotaExceeded'],
      ['timed-out', 'ServiceTimeout'],
      ['internal-error', 'GeneralError'],
    ]) {
      const { sender } = await given({ mode, times: 1 });
      await assert.rejects(sender.sendMessages({ body: 'a' }), { code });
      await sender.sendMessages({ body: 'a' });
    }
  });

  test('that does not exist is refused', async () => {
    const name = await emulator.create(queue());
    for (const wish of [
      { mode: 'slo' },
      { mode: 'detach', on: 'attach' },
      { mode: 'busy', times: 0 },
      { mode: 'busy', scope: 'queue' },
      { mode: 'busy', time: 1 },
      { messageIdPattern: '(' },
    ]) {
      assert.equal((await emulator.fault(name, wish)).status, 400);
    }
  });
});
