// The samples of the last ten minutes: at first those that the process kept, then those of the page's own polls. Their
// number is bounded.

const SAMPLES_MAX = 600;
const WINDOW_MS = 10 * 60_000;
const RATE_OVER_MS = 6_000;
// After a longer gap between polls, as in a hidden tab, the process may know what happened meanwhile.
const GAP_MS_MAX = 30_000;
let samples = [];
/** When the samples begin, and what began then. */
let began = null;
/** Id of the log that the samples are of. */
let sampledLog = null;
/** Turns this page's own clock into wall-clock time, by the answers' Date header, which has whole seconds. */
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

/** Adds the samples that the process kept, for times when this page made no polls. */
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

/** Entries per second at sample `i`, over the seconds before it; undefined where nothing is known about them. */
function rateAt(i, of) {
  let since = i - 1;
  while (since > 0 && samples[i].now - samples[since].now < RATE_OVER_MS) since--;
  if (since < 0 || of(samples[i]) === undefined || of(samples[since]) === undefined) return undefined;
  return Math.max(0, (1000 * (of(samples[i]) - of(samples[since]))) / Math.max(1, samples[i].now - samples[since].now));
}

/** The time of day of a sample, in the page's time zone. */
const timeAt = (now) => clock(new Date(Math.round(wallOffset + now)).toISOString()).split(' ').at(-1);
