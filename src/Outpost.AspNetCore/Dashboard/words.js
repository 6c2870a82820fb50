// Numbers, times and states in words. Nothing here touches the page.

const WHOLE = new Intl.NumberFormat('en');
const number = (value) => WHOLE.format(value);
const counted = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);

function rate(value) {
  if (value > 0 && value < 0.05) return '< 0.1/s';
  return `${value < 10 ? value.toFixed(1).replace('.0', '') : number(Math.round(value))}/s`;
}

function age(seconds) {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

/** All times on the page are in one time zone: the browser's own, or UTC. */
const ZONE = 'outpost-zone';
const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zone = () => (sessionStorage.getItem(ZONE) === 'UTC' ? 'UTC' : localZone);

/** A time with seconds, and with the day where it is not today. The exact time is in the element's title. */
function clock(timestamp) {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return timestamp;
  const text = (date) => date.toLocaleString('sv', { timeZone: zone() });
  const [day, time] = text(at).split(' ');
  return day === text(new Date()).split(' ')[0] ? time : `${day} ${time}`;
}

const timeOf = (timestamp) => h('time', { datetime: timestamp, title: timestamp }, clock(timestamp));

/** Reads a typed date and time, in the page's time zone. */
function typedTime(text) {
  if (zone() === localZone) return new Date(text);
  return new Date(/[zZ]$/.test(text) ? text : `${text}Z`);
}

/** What an error means to the user of the page. */
function inWords(error) {
  if (error instanceof ApiError) return error.detail;
  if (error?.name === 'TimeoutError') return 'The app did not answer in time.';
  if (error instanceof Unreachable) return 'The app can’t be reached. It is stopped, or the network is down.';
  return String(error?.message ?? error);
}

/** Explains a failing forwarder: a title, and a text that says what goes on, what waits and what to do. */
function explain(forwarder) {
  if (forwarder.partitions.length === 0) return { title: 'No partition can be read.', text: 'Rows of the log are damaged; the top of this page names them.' };
  const waiting = sum(forwarder.partitions, (partition) => partition.backlog);
  const oldest = Math.max(0, ...forwarder.partitions.map((partition) => partition.oldestUnforwardedAgeSeconds));
  const waits = waiting === 0
    ? 'Nothing waits right now.'
    : `${counted(waiting, 'event is', 'events are')} waiting, the oldest for ${age(oldest)}.`;
  return { title: `${forwarder.cause ?? 'Its target does not accept events'}.`, text: `Commands and the event API go on. ${waits} ${forwarder.wayOut ?? ''}` };
}

const STATES = {
  idle: { label: 'Idle', mark: '○', tone: 'calm' },
  running: { label: 'Running', mark: '●', tone: 'good' },
  paused: { label: 'Paused', mark: '‖', tone: 'warn' },
  orphaned: { label: 'Orphaned', mark: '▲', tone: 'bad' },
  failing: { label: 'Failing', mark: '▲', tone: 'bad' },
};
const stateOf = (state) => STATES[state] ?? { label: state, mark: '·', tone: 'calm' };

/** The state of a forwarder. One that is late or has parked events does not look well. */
function standOf({ state, late, parked }) {
  if (!['idle', 'running'].includes(state)) return stateOf(state);
  if (late > 0) return { label: 'Late', mark: '▲', tone: 'bad' };
  return parked > 0 ? { label: 'Parked', mark: '◆', tone: 'warn' } : stateOf(state);
}

const isStuck = ({ state }) => ['failing', 'blocked'].includes(state);

const OF_THE_LOG = /^(log|layout)-/;

const toldOf = (status, codes) => (status.problems ?? []).filter(({ code }) => codes.test(code)).map(({ detail }) => detail).join(' ');

/** The worst of the whole state: in a few words, what it means, and what no other part of the page says. */
function headline(status) {
  const { tone, text, more } = worst(status);
  const besides = toldOf(status, /^(request-blocked|retention-held|clock-off)$/);
  return { tone, text, more: more.includes(besides) ? more : `${more} ${besides}` };
}

function worst(status) {
  const told = (codes) => toldOf(status, codes);
  if (told(OF_THE_LOG)) return { tone: 'bad', text: 'Something is wrong with the log itself', more: told(OF_THE_LOG) };
  const by = (state) => status.forwarders.filter((forwarder) => forwarder.state === state).map(({ name }) => name);
  const parked = sum(status.forwarders, (forwarder) => forwarder.parked);
  const waiting = sum(status.forwarders, backlogOf);
  if (by('orphaned').length > 0) {
    const stuck = sum(status.forwarders.filter(({ state }) => state === 'orphaned'), backlogOf);
    return { tone: 'bad', text: `Nobody runs ${by('orphaned').join(' and ')}`, more: `${counted(stuck, 'event waits', 'events wait')}, and no process delivers them. Give the app its setting again (for servicebus: ServiceBus), or forget it if it is gone for good.` };
  }
  if (by('failing').length > 0) {
    const { title, text } = explain(status.forwarders.find(({ state }) => state === 'failing'));
    return { tone: 'bad', text: `${by('failing').join(' and ')} can’t deliver`, more: `${title} ${text}` };
  }
  if (status.timer?.isMissed) {
    const last = status.timer.lastTickAt ? `It last ran at ${clock(status.timer.lastTickAt)}.` : 'It has not run yet.';
    return { tone: 'bad', text: 'The timer does not run', more: `${last} Look at the setting FORWARDER_SCHEDULE and at the function Forward.` };
  }
  const held = status.forwarders.filter(({ partitions }) => partitions.some(({ paused }) => paused));
  if (held.length > 0) {
    const inPart = held.every(({ state }) => state !== 'paused') ? ' in part' : '';
    return { tone: 'warn', text: `${held.map(({ name }) => name).join(' and ')} paused${inPart}`, more: `${whoPaused(held[0].partitions.find(({ paused }) => paused))} Events wait in the log until it is resumed.` };
  }
  const late = status.forwarders.filter((forwarder) => forwarder.late > 0);
  if (late.length > 0) return { tone: 'bad', text: `${late.map(({ name }) => name).join(' and ')} ${late.length === 1 ? 'is' : 'are'} late`, more: `${counted(sum(late, (one) => one.late), 'event waits', 'events wait')} for longer than they should, the oldest for ${age(Math.max(...late.map(oldestOf)))}: the target is slow, or takes nothing.` };
  if (told(/^request-blocked$/)) return { tone: 'warn', text: 'A request is blocked', more: told(/^request-blocked$/) };
  const asked = status.forwarders.flatMap(({ name, requests }) => (requests ?? []).map((request) => ({ name, ...request })));
  const stuck = asked.find(isStuck);
  if (stuck) return { tone: 'warn', text: `What was asked of ${stuck.name} is stuck`, more: stuck.reason ?? 'Look at the request below.' };
  if (parked > 0) return { tone: 'warn', text: `${counted(parked, 'event is', 'events are')} parked`, more: 'A target refused them, for the reasons below. Everything else is forwarded. Retry them, or discard them.' };
  if (told(/^retention-held$/)) return { tone: 'warn', text: 'Old events can’t be deleted', more: told(/^retention-held$/) };
  if (told(/^clock-off$/)) return { tone: 'warn', text: 'This machine’s clock is wrong', more: told(/^clock-off$/) };
  if (status.partitions.every(({ headOffset }) => headOffset === 0)) return { tone: 'calm', text: 'The log is empty', more: 'Nothing has been recorded yet. The first event will show up here by itself.' };
  if (status.forwarders.length === 0) return { tone: 'good', text: 'The log is served', more: 'This app forwards nothing; the event API serves what is recorded.' };
  if (waiting > 0) return { tone: 'good', text: 'Events are on their way', more: `${counted(waiting, 'event is', 'events are')} being forwarded.` };
  return { tone: 'good', text: 'Everything is forwarded', more: `Nothing waits, nothing is parked.${asked.length > 0 ? ` What was asked of ${[...new Set(asked.map(({ name }) => name))].join(' and ')} is under way.` : ''}` };
}

/** When it was paused, by whom and why, as far as that is known. */
function whoPaused({ pausedAt, pausedBy, pausedReason }) {
  const why = pausedReason ? `: ${pausedReason}${/[.!?]$/.test(pausedReason) ? '' : '.'}` : '.';
  return `Paused${pausedAt ? ` since ${clock(pausedAt)}` : ''}${pausedBy ? ` by ${pausedBy}` : ''}${why}`;
}

const backlogOf = (forwarder) => sum(forwarder.partitions, ({ backlog }) => backlog);
const oldestOf = (forwarder) => Math.max(0, ...forwarder.partitions.map((one) => one.oldestUnforwardedAgeSeconds));
