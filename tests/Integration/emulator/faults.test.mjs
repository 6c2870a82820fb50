import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { queue, sharedEmulator } from './emulator.mjs';

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
    post: (id = 'm') =>
      emulator.post(name, [{ Body: 'a', BrokerProperties: { MessageId: id } }], { signal: AbortSignal.timeout(timeoutInMs) }),
  };
}

describe('A fault asked for by a test', { concurrency: true }, () => {
  test('busy refuses as often as it was asked to, then sends go through', async () => {
    const { sender, post, count } = await given({ mode: 'busy', times: 2 });

    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceBusy' });
    const response = await post();
    assert.equal(response.status, 503);
    assert.ok(response.headers.get('retry-after'));

    assert.equal((await post()).status, 201);
    await sender.sendMessages({ body: 'a' });
    assert.equal(await count(), 2);
  });

  test('entity-disabled and unauthorized refuse until lifted', async () => {
    for (const [mode, code, status] of [
      ['entity-disabled', 'MessagingEntityDisabled', 403],
      ['unauthorized', 'UnauthorizedAccess', 401],
    ]) {
      const { name, sender, post, count } = await given({ mode });
      for (let i = 0; i < 3; i++) await assert.rejects(sender.sendMessages({ body: 'a' }), { code });
      assert.equal((await post()).status, status);
      await emulator.fault(name, { mode: 'none' });
      assert.equal((await post()).status, 201);
      assert.equal(await count(), 1);
    }
  });

  test('reset hangs up before the message is taken', async () => {
    const { sender, post, count } = await given({ mode: 'reset', times: 2 });
    await assert.rejects(post());
    await assert.rejects(sender.sendMessages({ body: 'a' }));
    assert.equal(await count(), 0);
  });

  test('accept-then-reset takes the message and hangs up before saying so', async () => {
    const { sender, post, count } = await given({ mode: 'accept-then-reset', times: 2 });
    await assert.rejects(post());
    await assert.rejects(sender.sendMessages({ body: 'a' }));
    assert.equal(await count(), 2);
  });

  test('hang never answers', async () => {
    const { sender, post, count } = await given({ mode: 'hang' }, { timeoutInMs: 2_500 });
    await assert.rejects(post(), { name: 'TimeoutError' });
    await assert.rejects(sender.sendMessages({ body: 'a' }), { code: 'ServiceTimeout' });
    assert.equal(await count(), 0);
  });

  test('messageIdPattern refuses for good the batches that have such a message, and no others', async () => {
    const { name, sender, post, count } = await given({ messageIdPattern: '^bad-' });

    await assert.rejects(
      sender.sendMessages([
        { body: 'a', messageId: 'ok-1' },
        { body: 'b', messageId: 'bad-1' },
      ]),
      { code: 'GeneralError' },
    );
    const response = await post('bad-2');
    assert.equal(response.status, 400);
    assert.equal((await response.json()).error.code, 'com.microsoft:argument-error');
    assert.equal((await post('ok-2')).status, 201);
    await sender.sendMessages({ body: 'a', messageId: 'ok-3' });

    assert.equal(await count(), 2);
    await emulator.fault(name, {});
    assert.equal((await post('bad-3')).status, 201);
  });

  test('concerns its own entity only', async () => {
    await given({ mode: 'busy' });
    const other = await emulator.create(queue());
    assert.equal((await emulator.post(other, [{ Body: 'a' }])).status, 201);
  });

  test('that does not exist is refused', async () => {
    const name = await emulator.create(queue());
    for (const wish of [{ mode: 'slow' }, { mode: 'busy', times: 0 }, { messageIdPattern: '(' }]) {
      assert.equal((await emulator.fault(name, wish)).status, 400);
    }
  });
});
