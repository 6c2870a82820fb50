// The log itself: the newest as they come, or from an offset or a time on.

const ENTRIES_PAGE = 25;
const LIVE_ROWS_MAX = 25;
const WAIT_SECONDS = 20;
const entriesView = { partition: null, offset: 0, stop: new AbortController(), tryNow: () => {} };

function showEntryTools(status) {
  const many = status.partitions.length > 1;
  byId('entries-partition-label').hidden = !many;
  keepChildren(byId('entries-partition'), status.partitions, ({ partition }) => partition,
    ({ partition }) => h('option', { value: partition }, String(partition)));
  if (entriesView.partition !== null) return;
  // Where something happened last.
  const newest = [...status.partitions].sort((one, other) => (other.headTimestamp ?? '').localeCompare(one.headTimestamp ?? ''))[0];
  byId('entries-partition').value = String(newest.partition);
  chooseEntries();
}

function chooseEntries() {
  const mode = byId('entries-mode').value;
  byId('entries-offset-label').hidden = mode !== 'offset';
  byId('entries-time-label').hidden = mode !== 'time';
  byId('entries-show').hidden = mode === 'newest';
  entriesView.partition = Number(byId('entries-partition').value);
  if (mode === 'newest') showNewest();
  else restart();
}

/** Ends what is under way: its answers, should they still come, are of no use. */
function restart() {
  entriesView.stop.abort();
  entriesView.stop = new AbortController();
  setText(byId('entries-problem'), '');
  setText(byId('entries-state'), '');
  return entriesView.stop.signal;
}

const pageOf = (offset, limit, more = '') => `events?partition=${entriesView.partition}&offset=${offset}&limit=${limit}${more}`;

/** Waits at the log's end; one request at a time, none while nobody looks, slower while it fails. */
async function showNewest() {
  const signal = restart();
  byId('entries-list').replaceChildren();
  byId('entries-pager').hidden = true;
  let [offset, failures, wait] = [null, 0, 0];
  while (!signal.aborted) {
    try {
      await visible(signal);
      // The first answer at once, also when there is nothing.
      if (offset === null) [offset, wait] = [await startOfNewest(signal), 0];
      const asked = performance.now();
      const response = await request(pageOf(offset, ENTRIES_PAGE, `&wait=${wait}`), { signal, withinMs: (WAIT_SECONDS + 10) * 1000 });
      const page = await response.json();
      if (signal.aborted) return;
      failures = 0;
      offset = Number(response.headers.get('Next-Offset'));
      addNewest(page);
      // No room to wait: not again at once.
      if (wait > 0 && page.length === 0 && performance.now() - asked < 1000) await pause(2000, signal);
      wait = WAIT_SECONDS;
    } catch (error) {
      if (signal.aborted) return;
      // Deleted meanwhile, or another log: from its newest on.
      if (error instanceof ApiError && (error.status === 410 || error.problem === 'offset-beyond-head')) offset = null;
      failures++;
      setText(byId('entries-state'), `Not live right now. ${inWords(error)}`);
      if (error instanceof ApiError && error.isAboutKey) return;
      await Promise.race([pause(Math.min(30_000, 1000 * 2 ** failures), signal), new Promise((resolve) => { entriesView.tryNow = resolve; })]);
    }
  }
}

async function startOfNewest(signal) {
  const { partitions } = await getJson('partitions', { signal });
  const { oldestOffset, headOffset } = partitions.find(({ partition }) => partition === entriesView.partition);
  return Math.max(oldestOffset, headOffset - ENTRIES_PAGE);
}

function addNewest(page) {
  const list = byId('entries-list');
  list.prepend(...page.toReversed().map(entryRow));
  // Not one that somebody is reading.
  for (const row of [...list.children].slice(LIVE_ROWS_MAX)) if (!row.querySelector('details').open) row.remove();
  setText(byId('entries-state'), list.childElementCount === 0 ? 'Live. Nothing has been recorded here yet.' : 'Live: new entries come in at the top.');
}

/** The page from what the form says on. */
async function showChosen() {
  const signal = restart();
  try {
    if (byId('entries-mode').value === 'time') {
      const time = new Date(byId('entries-time').value);
      if (Number.isNaN(time.getTime())) throw new Error('A date and a time are needed.');
      const { offset } = await getJson(`partitions/${entriesView.partition}/offset-at?time=${part(time.toISOString())}`, { signal });
      await showFrom(offset, signal);
    } else {
      const typed = byId('entries-offset').value.trim().replaceAll(',', '');
      if (!/^[0-9]{1,15}$/.test(typed)) throw new Error('The offset is a whole number from 0 on.');
      await showFrom(Number(typed), signal);
    }
  } catch (error) {
    if (!signal.aborted) await offerInstead(error, signal);
  }
}

/** The API says where the log begins and ends: that is more use than a refusal. */
async function offerInstead(error, signal) {
  const { oldestOffset, headOffset } = error.body ?? {};
  if (error.problem === 'offset-expired' && Number.isInteger(oldestOffset)) {
    await showFrom(oldestOffset, signal);
    setText(byId('entries-state'), `These are deleted by retention; the oldest that is left is ${number(oldestOffset)}.`);
    return;
  }
  setText(byId('entries-problem'), error.problem === 'offset-beyond-head' && Number.isInteger(headOffset)
    ? headOffset === 0 ? 'The log is empty.' : `The newest entry is ${number(headOffset - 1)}.`
    : inWords(error));
}

async function showFrom(offset, signal) {
  const response = await request(pageOf(offset, ENTRIES_PAGE), { signal });
  const page = await response.json();
  if (signal.aborted) return;
  entriesView.offset = offset;
  byId('entries-list').replaceChildren(...page.map(entryRow));
  byId('entries-pager').hidden = false;
  byId('entries-older').disabled = offset === 0;
  byId('entries-newer').disabled = !response.headers.get('Link');
  entriesView.next = Number(response.headers.get('Next-Offset'));
  setText(byId('entries-state'), page.length === 0 ? 'The log ends here.' : `${number(page[0].offset)} to ${number(page.at(-1).offset)}`);
  say(byId('entries-state').textContent);
}

async function turnPage(to) {
  const signal = restart();
  try {
    await showFrom(Math.max(0, to), signal);
  } catch (error) {
    if (!signal.aborted) await offerInstead(error, signal);
  }
}

function entryRow(entry) {
  return eventRow({
    id: entry.id,
    summary: [
      h('span', { class: 'offset' }, number(entry.offset)),
      h('b', {}, entry.type),
      h('span', { class: 'subject' }, entry.subject),
      h('time', { datetime: entry.timestamp, title: entry.timestamp }, clock(entry.timestamp)),
    ],
    facts: [
      ['Id', entry.id],
      ['Version of the subject', number(entry.version)],
      ['Content type', entry.contentType],
      ['Recorded', entry.timestamp],
      ...(entry.correlationId ? [['Correlation id', entry.correlationId]] : []),
      ...(entry.traceparent ? [['Trace', entry.traceparent]] : []),
    ],
  });
}
