// Proves from outside what the contract promises: drives a running product, disturbs it, and compares what was answered
// with what the feed, the bus and a restored backup say. Knows nothing of its insides.
//   node tests/BlackBox/main.mjs [--minutes 0.5] [--seed N] [--apps 2] [--partitions 2] [--clients 6] [--every 2]
//                                [--report FILE] [--url URL [--key KEY] [--bus CONNECTION]]
// With --url the product runs elsewhere, on a topic with the subscriptions `all` and `orders` that nobody else reads;
// its processes are left alone. Exit code 0: nothing is wrong.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Bus } from './bus.mjs';
import { Clients } from './clients.mjs';
import { disturb, faultsOf, limitsOf } from './faults.mjs';
import { LocalProduct, RemoteProduct } from './product.mjs';
import { randomOf, sleep } from './random.mjs';
import { Readers } from './readers.mjs';
import { summary } from './report.mjs';
import { checkTables } from './tables.mjs';
import * as verify from './verify.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0.5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    apps: { type: 'string', default: '2' },
    partitions: { type: 'string', default: '2' },
    clients: { type: 'string', default: '6' },
    every: { type: 'string', default: '2' },
    report: { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    bus: { type: 'string' },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const random = randomOf(seed);
const started = Date.now();
const say = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(7)} s  ${text}`);

const product = values.url ? new RemoteProduct(values) : new LocalProduct({ apps: Number(values.apps), partitions: Number(values.partitions) });
say(`seed ${seed}: starting`);
await product.start();
const clients = new Clients(product.urls, random, values.key);
const readers = new Readers(product.urls, random, values.key);

const atFirst = await readers.partitions();
const starts = atFirst.partitions.map(({ partition, headOffset }) => ({ partition, from: headOffset }));
const bus = product.busConnection ? new Bus(product.busConnection, starts) : undefined;
const begin = Date.now();
let [commandsOver, readersOver] = [false, false];
const isOver = () => Date.now() - begin > minutes * 60_000;
say(`working for ${minutes} minutes`);
const working = Promise.all(Array.from({ length: Number(values.clients) }, (_, i) => clients.work(`c${i}`, () => commandsOver)));
const reading = [];
const follow = (partition, from, type) => reading.push(
  readers.read(partition, from, () => readersOver, type).then((entries) => ({ partition, from, type, entries })));
const followAll = (partition, from) => [undefined, undefined, 'OrderCancelled'].forEach((type) => follow(partition, from, type));
// A partition that comes later is followed from its first entry.
readers.known = starts.length;
readers.onPartition = (partition) => {
  starts.push({ partition, from: 0 });
  followAll(partition, 0);
};
for (const { partition, from } of [...starts]) followAll(partition, from);
const faults = values.url ? {} : await disturb(
  faultsOf(product, readers, random), limitsOf(minutes), random, Number(values.every) * 1000, isOver, say);
while (!isOver()) await sleep(100);

say('quiet: commands end, then everything has to arrive');
commandsOver = true;
await working;
await product.tool?.grown;
await product.tool?.copied;
const log = await heardOfAll();
readersOver = true;
const lists = await Promise.all(reading);
const feed = [];
for (const { partition, from } of starts) feed.push(...await readers.read(partition, from, () => true));
await bus?.until(feed.length, 60_000);
const forwarders = await standstill();
await bus?.stop();
say('backup: restored, and compared');
const tables = product.tool ? await checkTables(product, readers, feed) : [];
await product.stop();

const wrong = [
  ...clients.wrong, ...readers.wrong, ...product.wrong,
  ...verify.commandsAndFeed(clients.answered, feed),
  ...(values.url ? [] : [...verify.order(feed), ...verify.times(clients.answered, feed)]),
  ...(values.url ? [] : verify.growth(log, [...Array(1 + log.partitions.length - atFirst.partitions.length).keys()].map((i) => i + atFirst.partitions.length), readers.known)),
  ...verify.readers(lists, feed),
  ...(bus ? verify.bus(bus.received, feed) : []),
  ...forwarders, ...tables,
];
const text = summary({ minutes, seed, values, clients, readers, feed, bus, faults, wrong, product, grown: [atFirst.partitions.length, log.partitions.length] });
if (values.report) writeFileSync(values.report, text);
// A connection that was cut long ago must not keep it from ending.
process.stdout.write(`\n${text}\n`, () => process.exit(wrong.length === 0 ? 0 : 1));

// Every forwarder has nothing left to do, and nothing is parked. A paused or killed one's lease ends first.
async function standstill() {
  for (const end = Date.now() + 180_000; ; await sleep(500)) {
    const status = await readers.json('/api/status');
    if (!status) return ['/api/status was not answered'];
    const left = status.forwarders.flatMap((forwarder) => forwarder.partitions
      .filter((one) => one.backlog > 0).map((one) => `${forwarder.name}: ${one.backlog} left in partition ${one.partition}`)
      .concat(forwarder.parked > 0 ? [`${forwarder.name}: ${forwarder.parked} parked`] : []));
    if (left.length === 0 || Date.now() > end) return left;
  }
}

// Instances hear of a growth within seconds, and readers by them.
async function heardOfAll() {
  for (const end = Date.now() + 60_000; ; await sleep(200)) {
    const now = await readers.partitions();
    if ((readers.known === now.partitions.length && now.partitions.length === (product.partitions ?? now.partitions.length)) || Date.now() > end) return now;
  }
}
