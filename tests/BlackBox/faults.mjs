// What happens to the product while it works: one thing after the other, every few seconds.
import { sleep } from './random.mjs';

const SECOND = 1_000;

/** All that can be done to a product whose processes are here; each takes its time and then undoes itself. */
export const faultsOf = (product, random) => {
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
    'app paused': () => product.pause(app(), between(SECOND, 5 * SECOND)),
    'app paused for longer than a lease': () => product.pause(app(), between(16 * SECOND, 20 * SECOND)),
    'connections to an app cut': async () => product.appProxy(app()).cut(),
    'connections to the tables cut': async () => product.tables.cut(),
    'tables silent': () => silent(product.tables, between(SECOND / 2, 6 * SECOND)),
    'connections to the bus cut': async () => product.bus.cut(),
    'bus silent': () => silent(product.bus, between(SECOND, 12 * SECOND)),
    'bus away': async () => {
      product.bus.close();
      await sleep(between(SECOND, 10 * SECOND));
      product.bus.open();
    },
  };
};

/** Lets things happen until told that it is over. Gives how often each did. */
export async function disturb(faults, random, every, isOver, say) {
  const counts = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
  while (!isOver()) {
    await sleep(every * (0.5 + random.next()));
    // What happened least, or anything: each kind gets its turn in a short run too.
    const least = Math.min(...Object.values(counts));
    const name = random.below(2) === 0 ? random.pick(Object.keys(counts).filter((one) => counts[one] === least)) : random.pick(Object.keys(counts));
    if (isOver()) break;
    say(name);
    await faults[name]();
    counts[name] += 1;
  }

  return counts;
}
