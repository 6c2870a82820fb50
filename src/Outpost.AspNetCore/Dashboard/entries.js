// The entries of the log: the newest as they come, or those from an offset or a time on.

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
  // Starts with the partition of the newest entry.
  const newest = [...status.partitions].sort((one, other) => (other.headTimestamp ?? '').localeCompare(one.headTimestamp ?? ''))[0];
  byId('entries-partition').value = String(newest.partition);
  chooseEntries();
}

function chooseEntries() {
  const mode = byId('entries-mode').value;
  byId('entries-offset-label').hidden = mode !== 'offset';
  byId('entries-time-label').hidden = mode !== 'time';
  byId('entries-search-label').hidden = mode !== 'search';
  byId('entries-show').hidden = mode === 'newest';
  entriesView.partition = Number(byId('entries-partition').value);
  if (mode === 'newest') showNewest();
  else restart();
}

/** Ends the requests under way. Their answers are ignored, should they still come. */
function restart() {
  entriesView.stop.abort();
  entriesView.stop = new AbortController();
  setText(byId('entries-problem'), '');
  setText(byId('entries-state'), '');
  return entriesView.stop.signal;
}

const pageOf = (offset, limit, more = '') => `events?partition=${entriesView.partition}&offset=${offset}&limit=${limit}${more}`;

/** Waits at the log's end, with one request at a time. It makes none while the page is hidden, and fewer while they fail. */
async function showNewest() {
  const signal = restart();
  byId('entries-list').replaceChildren();
  byId('entries-pager').hidden = true;
  let [offset, failures, wait] = [null, 0, 0];
  while (!signal.aborted) {
    try {
      await visible(signal);
      // The first request does not wait, so that the page shows something at once.
      if (offset === null) [offset, wait] = [await startOfNewest(signal), 0];
      const asked = performance.now();
      const response = await request(pageOf(offset, ENTRIES_PAGE, `&wait=${wait}`), { signal, withinMs: (WAIT_SECONDS + 10) * 1000 });
      const page = await response.json();
      if (signal.aborted) return;
      failures = 0;
      offset = Number(response.headers.get('Next-Offset'));
      addNewest(page);
      // The server had no room for one more waiting reader, so pause before the next request.
      if (wait > 0 && page.length === 0 && performance.now() - asked < 1000) await pause(2000, signal);
      wait = WAIT_SECONDS;
    } catch (error) {
      if (signal.aborted) return;
      // The entries were deleted meanwhile, or this is another log. Start again from its newest entries.
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
  // Keep the rows that the user has open.
  for (const row of [...list.children].slice(LIVE_ROWS_MAX)) if (!row.querySelector('details').open) row.remove();
  setText(byId('entries-state'), list.childElementCount === 0 ? 'Live. Nothing has been recorded here yet.' : 'Live: new entries come in at the top.');
}

/** Shows the entries from the offset or time in the form on. */
async function showChosen() {
  const signal = restart();
  try {
    if (byId('entries-mode').value === 'search') {
      await search(byId('entries-search').value.trim(), signal);
    } else if (byId('entries-mode').value === 'time') {
      const time = typedTime(byId('entries-time').value);
      if (Number.isNaN(time.getTime())) throw new Error('Type a date and a time.');
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

/** Shows where the log begins and ends, which the API says. That is of more use than a refusal. */
async function offerInstead(error, signal) {
  const { oldestOffset, headOffset } = error.body ?? {};
  if (error.problem === 'offset-expired' && Number.isInteger(oldestOffset)) {
    await showFrom(oldestOffset, signal);
    setText(byId('entries-state'), `Retention has deleted these entries. The oldest that is left is ${number(oldestOffset)}.`);
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
      timeOf(entry.timestamp),
    ],
    facts: [
      ['Id', entry.id],
      ['Version of the subject', number(entry.version)],
      ['Content type', entry.contentType],
      ['Recorded', timeOf(entry.timestamp)],
      ...(entry.correlationId ? [['Correlation id', entry.correlationId]] : []),
      ...(entry.traceparent ? [['Trace', traceOf(entry.traceparent)]] : []),
    ],
    more: () => (lastStatus.isLimited || lastStatus.forwarders.length === 0 ? [] : [h('button', { type: 'button', class: 'small quiet', 'aria-label': `Replay entry ${entry.offset}`, onclick: () => askReplayEntry(entry) }, 'Replay entry…')]),
  });
}

/** A link to the trace, where the app has an address for traces. */
function traceOf(traceparent) {
  const template = document.querySelector('meta[name="trace-url"]')?.content;
  const [, trace, span] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(traceparent) ?? [];
  if (!template || !trace) return traceparent;
  return h('a', { href: template.replaceAll('{traceId}', trace).replaceAll('{spanId}', span), target: '_blank', rel: 'noopener noreferrer' }, traceparent);
}

const SEARCHED_MAX = 5000;
const SEARCH_PAGE = 1000;
const EVENT_ID = /^[a-z0-9]{8}-[0-9]{4}-[0-9]{19}$/;

/** Finds one entry by its id, or entries whose subject contains the text, among the newest of each partition. */
async function search(text, signal) {
  if (text === '') throw new Error('Type an event id, a subject such as order/o-1, or a part of a subject.');
  byId('entries-pager').hidden = true;
  byId('entries-list').replaceChildren();
  if (EVENT_ID.test(text)) return void showFound([await getJson(`events/${part(text)}`, { signal })], '1 entry');
  const { partitions } = await getJson('partitions', { signal });
  const found = [];
  let [looked, isAll] = [0, true];
  for (const { partition, oldestOffset, headOffset } of partitions) {
    const first = Math.max(oldestOffset, headOffset - Math.ceil(SEARCHED_MAX / partitions.length));
    isAll &&= first === oldestOffset;
    for (let offset = first; offset < headOffset;) {
      setText(byId('entries-state'), `Looking: ${number(looked)} entries so far, ${number(found.length)} found…`);
      const response = await request(`events?partition=${partition}&offset=${offset}&limit=${SEARCH_PAGE}`, { signal });
      const page = await response.json();
      if (signal.aborted || page.length === 0) break;
      looked += page.length;
      found.push(...page.filter(({ subject }) => subject.includes(text)));
      offset = Number(response.headers.get('Next-Offset'));
    }
  }
  if (signal.aborted) return;
  const among = `among ${isAll ? 'all' : 'the newest'} ${number(looked)} entries`;
  const newest = found.toSorted((one, other) => other.timestamp.localeCompare(one.timestamp)).slice(0, FOUND_SHOWN);
  showFound(newest, found.length === 0 ? `None ${among}.` : `${counted(found.length, 'entry', 'entries')} ${among}${found.length > newest.length ? `; the newest ${newest.length} are shown` : ''}.`);
}

const FOUND_SHOWN = 100;

function showFound(found, text) {
  byId('entries-list').replaceChildren(...found.map(entryRow));
  setText(byId('entries-state'), text);
  say(text);
}
