// What the last ten minutes say: at first what the process kept, then what the page's own polls add. Bounded.

const SAMPLES_MAX = 600;
const WINDOW_MS = 10 * 60_000;
const RATE_OVER_MS = 6_000;
// Polls that stayed away for longer, as in a hidden tab: the process may know what was meanwhile.
const GAP_MS_MAX = 30_000;
let samples = [];
/** Since when numbers are kept, and what began then. */
let began = null;
/** The log that the samples are of. */
let sampledLog = null;
/** What makes a wall clock of this page's own; of the answers' Date header, which has whole seconds. */
let wallOffset = 0;

const isGapBefore = (now) => !samples.length || now - samples.at(-1).now > GAP_MS_MAX;

function remember(status, now) {
  if (status.log !== sampledLog) [samples, began, sampledLog] = [[], { at: now, what: 'this page was opened' }, status.log];
  const offset = status.at.getTime() - now;
  if (Math.abs(offset - wallOffset) > 1500) wallOffset = offset;
  if (status.recent) takeOver(status.recent, now);
  samples.push({
    now,
    head: sum(status.partitions, ({ headOffset }) => headOffset),
    next: new Map(status.forwarders.map((forwarder) => [forwarder.name, sum(forwarder.partitions, ({ nextOffset }) => nextOffset)])),
    backlog: new Map(status.forwarders.map((forwarder) => [forwarder.name, backlogOf(forwarder)])),
  });
  samples = samples.filter((sample) => sample.now >= now - WINDOW_MS).slice(-SAMPLES_MAX);
}

/** What the process that answered has kept, where this page has not looked itself. */
function takeOver({ beganSecondsAgo, samples: kept }, now) {
  const theirs = kept.map(({ ageSeconds, head, forwarders }) => ({
    now: now - 1000 * ageSeconds,
    head,
    next: new Map(forwarders.map(({ name, next }) => [name, next])),
    backlog: new Map(forwarders.map(({ name, backlog }) => [name, backlog])),
  }));
  const [first, last] = [samples[0]?.now ?? now, samples.at(-1)?.now ?? now];
  samples = [...theirs.filter((sample) => sample.now < first - 1000), ...samples, ...theirs.filter((sample) => sample.now > last + 1000)];
  const at = now - 1000 * beganSecondsAgo;
  if (at < began.at) began = { at, what: 'the process that answers began' };
}

/** Entries per second at sample `i`, over the seconds before it; undefined where nothing is known of those. */
function rateAt(i, of) {
  let since = i - 1;
  while (since > 0 && samples[i].now - samples[since].now < RATE_OVER_MS) since--;
  if (since < 0 || of(samples[i]) === undefined || of(samples[since]) === undefined) return undefined;
  return Math.max(0, (1000 * (of(samples[i]) - of(samples[since]))) / Math.max(1, samples[i].now - samples[since].now));
}

/** The time of day of a sample, in the zone of the page. */
const timeAt = (now) => clock(new Date(Math.round(wallOffset + now)).toISOString()).split(' ').at(-1);
