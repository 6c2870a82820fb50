// What happens to the product while it works: one thing after the other, every few seconds. The tool's work goes on beside it.
import { can } from './program.mjs';
import { sleep } from './random.mjs';

const SECOND = 1_000;
const CLOCK_OFF_SECONDS = 600; // more than 15 minutes off, Azure and Azurite take no request
const GROWING_REQUESTS = 20;
const BACKUP_REQUESTS = 100;

/** All that can be done to a product whose processes are here; each takes its time and then undoes itself. */
export const faultsOf = (product, readers, random) => {
  const app = () => random.below(product.urls.length);
  const between = (low, high) => low + random.below(high - low);
  const silent = async (proxy, milliseconds) => {
    proxy.silence();
    await sleep(milliseconds);
    proxy.open();
  };
  return {
    'app killed': () => product.kill(app()),
    'app restarted': () => product.restart(app()),
    ...(can.setClocks && { 'app restarted with a wrong clock': () => product.restart(app(), between(-CLOCK_OFF_SECONDS, CLOCK_OFF_SECONDS)) }),
    ...(can.seeChildren && { 'worker killed': () => product.killWorker(app()) }),
    'app paused': () => product.pause(app(), between(SECOND, 5 * SECOND)),
    'app paused for longer than a lease': () => product.pause(app(), between(16 * SECOND, 20 * SECOND)),
    'connections to an app cut': async () => product.appProxy(app()).cut(),
    'connections cut during long polls': async () => {
      for (let waited = 0; readers.polling === 0 && waited < 5 * SECOND; waited += 5) await sleep(5);
      product.urls.forEach((_, index) => product.appProxy(index).cut());
    },
    'connections to the tables cut': async () => product.tables.cut(),
    'tables silent': () => silent(product.tables, between(SECOND / 2, 6 * SECOND)),
    'connections to the bus cut': async () => product.bus.cut(),
    'bus silent': () => silent(product.bus, between(SECOND, 12 * SECOND)),
    'bus away': async () => {
      product.bus.close();
      await sleep(between(SECOND, 10 * SECOND));
      product.bus.open();
    },
    ...(can.limitFiles && {
      'disk of the bus full': () => product.fillBus(between(SECOND, 8 * SECOND), random.below(500)),
      'disk of the tables full': () => product.fillTables(between(SECOND, 4 * SECOND)),
    }),
    'log grown': () => product.tool.grow(),
    'growing killed halfway': () => product.tool.grow(1 + random.below(GROWING_REQUESTS)),
    'backup': () => product.tool.backup(new Map(readers.heads)),
    'backup killed halfway': () => product.tool.backup(new Map(readers.heads), 1 + random.below(BACKUP_REQUESTS)),
    'log verified in use': () => product.tool.verify(),
  };
};

/** What this machine cannot do, in words. */
export const leftOut = [
  ...(can.seeChildren ? [] : ['killed workers (there is no /proc)']),
  ...(can.setClocks ? [] : ['wrong clocks (libfaketime is not installed)']),
  ...(can.limitFiles ? [] : ['full disks (prlimit is not installed)']),
];

/** What does not happen as often as everything else: each partition count costs new entities a read. */
export const limitsOf = (minutes) => {
  const most = 1 + Math.floor(minutes / 30);
  return { 'log grown': most, 'growing killed halfway': most };
};

/** Lets things happen until told that it is over. Gives how often each did. */
export async function disturb(faults, limits, random, every, isOver, say) {
  const counts = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
  while (!isOver()) {
    await sleep(every * (0.5 + random.next()));
    // First everything once, then what happened least, or anything.
    const names = Object.keys(counts).filter((name) => counts[name] < (limits[name] ?? Infinity));
    const least = Math.min(...names.map((name) => counts[name]));
    const name = least === 0 || random.below(2) === 0 ? random.pick(names.filter((one) => counts[one] === least)) : random.pick(names);
    if (isOver()) break;
    say(name);
    await faults[name]();
    counts[name] += 1;
  }

  return counts;
}
