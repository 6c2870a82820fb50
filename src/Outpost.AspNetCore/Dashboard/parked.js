// Lists the parked events of one forwarder, page by page. Of ten thousand, the page holds only as many as the user asked for.

const PARKED_PAGE = 50;
// A longer list is read again only when the user asks for it.
const READ_AGAIN_MAX = 500;
// After an action, the list is read again in so many polls, because a retry that is refused again changes no count.
const POLLS_AFTER_ACTION = 3;
const parkedView = { name: null, next: null, total: 0, pollsToRead: 0, reading: null };

/** Shows after each poll which forwarders have parked events, and how many. */
function showParked(status) {
  byId('parked').hidden = status.isLimited;
  const having = status.forwarders.filter(({ name, parked }) => parked > 0 || name === parkedView.name);
  const any = status.forwarders.some(({ parked }) => parked > 0);
  byId('parked-none').hidden = any;
  byId('parked-card').hidden = !any;
  keepChildren(byId('parked-forwarder'), having, ({ name }) => name, ({ name }) => h('option', { value: name }, name));
  if (!any) {
    Object.assign(parkedView, { name: null, total: 0 });
    byId('parked-list').replaceChildren();
    byId('parked-groups').replaceChildren();
    return;
  }
  if (!having.some(({ name }) => name === parkedView.name)) return void loadParked(having.find(({ parked }) => parked > 0).name);
  byId('parked-forwarder').value = parkedView.name;
  const { parked } = status.forwarders.find(({ name }) => name === parkedView.name);
  const isChanged = parked !== parkedView.total || parkedView.pollsToRead-- > 0;
  parkedView.total = parked;
  const shown = byId('parked-list').childElementCount;
  if (isChanged && shown <= READ_AGAIN_MAX) loadParked(parkedView.name, shown);
  else countParked();
}

function openParked(name) {
  if (parkedView.name !== name) loadParked(name);
  byId('parked').scrollIntoView({ block: 'start' });
  byId('parked-forwarder').focus({ preventScroll: true });
}

/** Reads the list from its start. Events that are still there keep their row, open or not. */
async function loadParked(name, shown = 0) {
  if (parkedView.name !== name) byId('parked-list').replaceChildren();
  parkedView.name = name;
  parkedView.total = lastStatus.forwarders.find((one) => one.name === name)?.parked ?? 0;
  await reading(async (isWanted) => {
    const [response, groups] = await Promise.all([readParked(name, Math.max(PARKED_PAGE, shown)), getJson(`forwarders/${part(name)}/parked?groupBy=reason`)]);
    const page = await response.json();
    if (!isWanted()) return;
    showGroups(groups);
    parkedView.next = nextLink(response);
    keepChildren(byId('parked-list'), page, parkedKey, parkedRow);
  });
}

const GROUPS_SHOWN = 20;

/** Shows why events are parked, the largest group first. Each group is one decision. */
function showGroups(groups) {
  keepChildren(byId('parked-groups'), groups.slice(0, GROUPS_SHOWN), ({ reason }) => reason, groupRow);
  byId('parked-groups-more').hidden = groups.length <= GROUPS_SHOWN;
  setText(byId('parked-groups-more'), `There are ${number(groups.length)} different reasons; the ${GROUPS_SHOWN} most frequent are shown.`);
}

function groupRow({ reason }) {
  const { name } = parkedView;
  const facts = h('span', { class: 'muted' });
  let now;
  const row = h('li', {},
    h('p', { class: 'reason' }, reason), facts,
    h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'small', 'aria-label': `Retry all refused for ${reason}`, onclick: () => askRetryGroup(name, now) }, 'Retry all…'),
      h('button', { type: 'button', class: 'small danger', 'aria-label': `Discard all refused for ${reason}`, onclick: () => askDiscardGroup(name, now) }, 'Discard all…')));
  row.update = (group) => {
    now = group;
    row.querySelector('.buttons').hidden = group.count === 0;
    const behind = group.followers > 0 ? `, ${number(group.followers)} behind them` : '';
    setText(facts, `${counted(group.count, 'event')}${behind} · ${group.types.join(', ')} · since ${clock(group.since)}`);
  };
  return row;
}

async function loadMoreParked() {
  const { name, next } = parkedView;
  await reading(async (isWanted) => {
    const response = await readParked(name, PARKED_PAGE, next);
    const page = await response.json();
    if (!isWanted()) return;
    parkedView.next = nextLink(response);
    const rows = page.map((entry) => {
      const row = parkedRow(entry);
      row.dataset.key = parkedKey(entry);
      return row;
    });
    byId('parked-list').append(...rows);
    rows[0]?.querySelector('summary').focus();
  });
}

/** Only the latest read counts. What an earlier one still brings is ignored. */
async function reading(read) {
  const mine = Symbol('reading');
  parkedView.reading = mine;
  const isWanted = () => parkedView.reading === mine;
  setText(byId('parked-problem'), '');
  try {
    await read(isWanted);
  } catch (error) {
    if (isWanted()) setText(byId('parked-problem'), inWords(error));
  } finally {
    if (isWanted()) countParked();
  }
}

function countParked() {
  const shown = byId('parked-list').childElementCount;
  const total = Math.max(shown, parkedView.total);
  setText(byId('parked-count'), shown < total ? `The first ${number(shown)} of ${number(total)}, by partition and offset` : counted(total, 'event'));
  byId('parked-more').hidden = !parkedView.next || shown >= total;
}

const parkedKey = ({ id, attempts, reason }) => `${id} ${attempts} ${reason}`;

function parkedRow(entry) {
  const { name } = parkedView;
  const waits = entry.behind !== undefined && entry.behind !== null;
  const actions = h('div', { class: 'buttons' },
    waits ? null : h('button', { type: 'button', class: 'small', 'aria-label': `Retry entry ${entry.offset}`, onclick: () => askRetry(name, entry) }, 'Retry…'),
    waits ? null : h('button', { type: 'button', class: 'small danger', 'aria-label': `Discard entry ${entry.offset}`, onclick: () => askDiscard(name, entry) }, 'Discard…'));
  return eventRow({
    id: entry.id,
    summary: [
      h('span', { class: 'offset' }, placeOf(entry)),
      h('b', {}, entry.type),
      h('span', { class: 'subject' }, entry.subject),
      h('span', { class: 'reason' }, waits ? `Waits behind entry ${entry.behind}, which has the same subject: it follows by itself.` : entry.reason),
    ],
    facts: [
      ['Id', entry.id],
      ['Parked', timeOf(entry.at)],
      ['Tried', counted(entry.attempts, 'time')],
    ],
    actions,
  });
}

const placeOf = ({ partition, offset }) => (lastStatus.partitions.length === 1 ? number(offset) : `${partition} / ${number(offset)}`);
