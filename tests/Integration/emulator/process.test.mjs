import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { orGiveUp, queue, receive, sharedEmulator, startEmulator, texts } from './emulator.mjs';

// it complains about the nonsense below, as it should
const emulator = await sharedEmulator({ quiet: true });
const PROJECT_CONFIG = fileURLToPath(new URL('../../../infra/local/servicebus.config.json', import.meta.url));

function configFile(config) {
  const path = join(mkdtempSync(join(tmpdir(), 'emulator-')), 'Config.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

const namespaceOf = (namespace) => configFile({ UserConfig: { Namespaces: [{ Name: 'n', ...namespace }] } });

/** Sends raw bytes and answers what comes back until the other side hangs up or falls silent. */
function talk(port, ...chunks) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const received = [];
    const end = (how) => {
      socket.destroy();
      resolve({ how, bytes: Buffer.concat(received) });
    };
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('close', () => end('closed'));
    socket.on('error', () => end('closed'));
    socket.setTimeout(300, () => end('silent'));
    for (const chunk of chunks) socket.write(chunk);
  });
}

describe('The process', { concurrency: true }, () => {
  test("serves the project's own configuration", async () => {
    const own = await startEmulator('--config', PROJECT_CONFIG);
    assert.deepEqual(Object.keys((await own.describe('events')).messages), ['orders', 'all']);
    await own.stop();
  });

  test('reads queues and topics from the configuration', async () => {
    const own = await startEmulator(
      '--config',
      namespaceOf({ Queues: [{ Name: 'q' }], Topics: [{ Name: 't', Subscriptions: [{ Name: 's' }] }] }),
    );
    assert.equal((await own.describe('q')).kind, 'queue');
    assert.equal((await own.describe('t')).kind, 'topic');
    await own.stop();
  });

  test('refuses a bad configuration in one line with field, value and what is allowed', async () => {
    for (const [config, expected] of [
      ['{', /--config is .*; allowed: a JSON file/],
      ['{}', /UserConfig\.Namespaces is missing; allowed: a list/],
      [namespaceOf({ Topics: [{ Name: 'a b' }] }), /Namespaces\[0\]\.Topics\[0\]\.Name is "a b"; allowed: 1 to 50 of/],
      [namespaceOf({ Topics: [{ Name: 'a' }, { Name: 'A' }] }), /is "A"; allowed: each name once/],
      [
        namespaceOf({ Queues: [{ Name: 'q', Properties: { LockDuration: 'PT' } }] }),
        /LockDuration is "PT"; allowed: an ISO 8601 duration/,
      ],
      [
        namespaceOf({ Queues: [{ Name: 'q', Properties: { MaxDeliveryCount: 0 } }] }),
        /MaxDeliveryCount is 0; allowed: a whole number from 1 to 2000/,
      ],
      [
        namespaceOf({ Queues: [{ Name: 'q', Properties: { RequiresSession: 'yes' } }] }),
        /RequiresSession is "yes"; allowed: true or false/,
      ],
      [namespaceOf({ Queues: [{ Name: 'q', Properties: { ForwardTo: 'r' } }] }), /ForwardTo is "r"; allowed: nothing/],
    ]) {
      const path = config.startsWith('/') ? config : configFile(config);
      await assert.rejects(startEmulator('--config', path, { quiet: true }), (error) => {
        assert.match(error.message, /code 2/);
        assert.match(error.message, expected);
        assert.equal(error.message.trim().split('\n').length, 2, 'one line of its own');
        return true;
      });
    }
    await assert.rejects(startEmulator('--config', '/nowhere', { quiet: true }), /a readable file \(ENOENT\)/);
  });

  test('refuses a bad argument in the same way', async () => {
    await assert.rejects(startEmulator('--port', 'x', { quiet: true }), /code 2.*--port is "x"; allowed: 0 to 65535/s);
    await assert.rejects(startEmulator('--host', '0.0.0.0', { quiet: true }), /code 2.*loopback/s);
    await assert.rejects(startEmulator('--colour', { quiet: true }), /code 2.*allowed: --port/s);
  });

  test('says in one line on its error stream that --data is no folder', async () => {
    const file = configFile('{}');
    for (const path of [file, join(file, 'below')]) {
      await assert.rejects(startEmulator('--data', path, { quiet: true }), ({ message }) => {
        assert.match(message, /code 2\nService Bus emulator cannot run: --data .* cannot be used as a folder \(E\w+:/);
        assert.equal(message.trim().split('\n').length, 2, 'one line of its own');
        return true;
      });
    }
  });

  test('says when its port is taken', async () => {
    await assert.rejects(startEmulator('--port', String(emulator.port), { quiet: true }), /code 2.*port \d+ is taken/s);
  });

  test('runs beside another one, each with its own entities', async () => {
    const other = await startEmulator();
    const name = await emulator.create(queue());
    assert.notEqual(other.port, emulator.port);
    assert.equal((await fetch(`${other.url}/${name}`)).status, 404);
    await other.stop();
  });

  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`ends with 0 on ${signal}, promptly, with clients connected`, async () => {
      const own = await startEmulator();
      const name = await own.create(queue());
      const client = own.client();
      const waiting = client
        .createReceiver(name)
        .receiveMessages(1, { maxWaitTimeInMs: 5_000 })
        .catch(() => []);
      await client.createSender(name).sendMessages({ body: 'a' });
      const idle = connect(own.port, '127.0.0.1').on('error', () => {});
      const started = Date.now();
      own.child.kill(signal);
      assert.deepEqual(await own.exited, { code: 0, signal: null });
      assert.ok(Date.now() - started < 1_000);
      idle.destroy();
      await orGiveUp(waiting);
      await own.closeClients();
    });
  }

  test('ends when its standard input does', async () => {
    const own = await startEmulator();
    own.child.stdin.end();
    assert.deepEqual(await own.exited, { code: 0, signal: null });
  });
});

describe('A peer that sends nonsense', { concurrency: true }, () => {
  const header = (id) => Buffer.from([0x41, 0x4d, 0x51, 0x50, id, 1, 0, 0]);
  const frame = (type, ...body) => {
    const content = Buffer.concat(body.map((part) => Buffer.from(part)));
    const bytes = Buffer.alloc(8 + content.length);
    bytes.writeUInt32BE(bytes.length, 0);
    bytes.set([2, type, 0, 0], 4);
    content.copy(bytes, 8);
    return bytes;
  };
  const open = frame(0, [0x00, 0x53, 0x10, 0xc0, 0x04, 0x01, 0xa1, 0x01, 0x78]);
  const begin = frame(0, [0x00, 0x53, 0x11, 0xc0, 0x08, 0x04, 0x40, 0x43, 0x52, 0xff, 0x52, 0xff, 0x43]);

  /** The one thing that matters: everybody else is still served. */
  async function stillServes() {
    const name = await emulator.create(queue());
    const client = emulator.client();
    await client.createSender(name).sendMessages({ body: 'fine' });
    assert.deepEqual(texts(await receive(client.createReceiver(name), 1)), ['fine']);
    assert.equal(emulator.child.exitCode, null);
  }

  test('is hung up on, and nobody else is', async () => {
    const nonsense = {
      'neither AMQP nor HTTP': ['hello, is anybody there?\r\n\r\n'],
      'the wrong version': [Buffer.from('AMQP\x00\x00\x09\x01')],
      'an unknown protocol': [header(7), Buffer.alloc(100)],
      'a frame of no size': [header(0), Buffer.alloc(64)],
      'a frame of 2 GiB': [header(0), Buffer.from([0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0]), Buffer.alloc(100_000)],
      'a frame shorter than its header': [header(0), Buffer.from([0, 0, 0, 9, 200, 0, 0, 0, 0])],
      'an unknown performative': [header(0), frame(0, [0x00, 0x53, 0x7f, 0x45])],
      'a list that claims four billion items': [
        header(0),
        frame(0, [0x00, 0x53, 0x10, 0xd0, 0, 0, 0, 20, 0xff, 0xff, 0xff, 0xff]),
      ],
      'an array of four billion nulls': [
        header(0),
        open,
        frame(0, [0x00, 0x53, 0x11, 0xd0, 0, 0, 0, 40, 0, 0, 0, 1, 0xf0, 0, 0, 0, 20, 0xff, 0xff, 0xff, 0xff, 0x40]),
      ],
      'lists nested 20,000 deep': [
        header(0),
        frame(0, [0x00, 0x53, 0x10], Buffer.alloc(20_000, Buffer.from([0xc0, 0xff, 0x01]))),
      ],
      'a transfer without a session': [header(0), open, frame(0, [0x00, 0x53, 0x14, 0xc0, 0x02, 0x01, 0x43])],
      'a transfer without a link': [header(0), open, begin, frame(0, [0x00, 0x53, 0x14, 0xc0, 0x02, 0x01, 0x43])],
      'two opens': [header(0), open, open],
    };
    const answers = await Promise.all(
      Object.entries(nonsense).map(async ([what, chunks]) => [what, (await talk(emulator.port, ...chunks)).how]),
    );
    assert.deepEqual(
      answers,
      Object.keys(nonsense).map((what) => [what, 'closed']),
    );
    await stillServes();
  });

  test('in a disposition of four billion deliveries does not keep the process busy', async () => {
    await talk(
      emulator.port,
      header(0),
      open,
      begin,
      frame(0, [0x00, 0x53, 0x15, 0xc0, 0x0b, 0x04, 0x41, 0x43, 0x70, 0xff, 0xff, 0xff, 0xfe, 0x41, 0x40]),
    );
    await stillServes();
  });

  test('at random, a thousand times, does no harm', async () => {
    let seed = 20_261_122;
    const random = (below) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % below;
    };
    const good = [
      header(3),
      frame(1, [0x00, 0x53, 0x41, 0xc0, 0x0c, 0x01, 0xa3, 0x09], Buffer.from('ANONYMOUS')),
      header(0),
      open,
      begin,
      frame(
        0,
        [
          0x00, 0x53, 0x12, 0xc0, 0x12, 0x07, 0xa1, 0x01, 0x6c, 0x43, 0x42, 0x40, 0x40, 0x40, 0x00, 0x53, 0x29, 0xc0,
          0x04, 0x01, 0xa1, 0x01, 0x71,
        ],
      ),
    ];
    const one = () => {
      const bytes = Buffer.concat(good.slice(random(2) * 2));
      for (let n = 1 + random(6); n > 0; n--) bytes[random(bytes.length)] = random(256);
      return talk(emulator.port, bytes.subarray(0, 1 + random(bytes.length)));
    };
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, one));
    await stillServes();
  });

  test('in a message is refused without losing the link', async () => {
    const name = await emulator.create(queue());
    const client = emulator.client();
    const sender = client.createSender(name);
    await sender.sendMessages({ body: 'before' });
    const connection = client._connectionContext.connection;
    const link = await connection.createAwaitableSender({ target: { address: name } });
    for (const payload of [
      Buffer.from('nonsense'),
      Buffer.from([0x00, 0x53, 0x75, 0xb0, 0xff, 0xff, 0xff, 0xff]),
      Buffer.alloc(0),
      Buffer.from([0x00, 0x53, 0x00]),
    ]) {
      for (const format of [0, 0x80013700])
        await link.send(payload, { format, tag: Buffer.from('t') }).then(
          () => assert.equal(payload.length + format, 0),
          (error) => assert.match(`${error.condition ?? error.innerError?.condition}`, /decode-error/),
        );
    }
    await sender.sendMessages({ body: 'after' });
    await stillServes();
  });

  test('slowly over HTTP does not hold up others', async () => {
    const slow = Array.from({ length: 50 }, () => connect(emulator.port, '127.0.0.1').on('error', () => {}));
    slow.forEach((socket, i) =>
      socket.write(i % 2 ? 'PO' : `PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`),
    );
    await stillServes();
    slow.forEach((socket) => socket.destroy());
  });

  test('over HTTP gets no answer that crashes anything', async () => {
    await talk(emulator.port, 'GET /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await talk(emulator.port, 'GET //[ HTTP/1.1\r\nHost: x\r\n\r\n');
    await talk(emulator.port, 'PUT /$faults/%E0%A4%A HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await stillServes();
  });
});
