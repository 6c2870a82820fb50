// A card for each forwarder: its state in words, its numbers, its actions, and each partition.

function showForwarders(status) {
  byId('forwarders').hidden = status.isLimited;
  byId('forwarders-none').hidden = status.forwarders.length > 0;
  keepChildren(byId('forwarder-list'), status.forwarders.toSorted((one, other) => rankOf(one) - rankOf(other)), ({ name }) => name, forwarderCard);
}

const RANKS = ['orphaned', 'failing', 'paused', 'running'];

/** Lower ranks come first: the worst forwarder has the lowest. */
function rankOf(one) {
  const trouble = one.late > 0 ? 2.5 : one.parked > 0 ? 2.6 : 4;
  const rank = RANKS.indexOf(one.state);
  return Math.min(rank < 0 ? 4 : rank, trouble, one.requests?.some(isStuck) ? 2.4 : 4);
}

const FACTS = [
  ['Waiting', (one) => number(backlogOf(one))],
  ['Oldest waiting', (one) => (backlogOf(one) > 0 ? age(oldestOf(one)) : '–')],
  ['Late', (one) => number(one.late)],
  ['Parked', (one) => number(one.parked)],
  ['At the latest by', (one) => (one.withinSeconds === null ? '–' : age(one.withinSeconds))],
  ['Last write', (one) => (one.lastWriteAt ? `${age(Math.max(0, (lastStatus.at - new Date(one.lastWriteAt)) / 1000))} ago` : 'never')],
];

function forwarderCard({ name }) {
  const pill = h('span', { class: 'pill' });
  const sentence = h('p', { class: 'sentence' });
  const why = h('div', { class: 'why', hidden: true }, h('p', {}, h('strong'), h('span')), h('details', {}, h('summary', {}, 'What the target said'), h('pre')));
  const facts = FACTS.map(() => h('dd'));
  const toggle = h('button', { type: 'button', onclick: () => askPause(name, toggle.dataset.paused !== 'true', null) });
  const replay = h('button', { type: 'button', class: 'quiet', onclick: () => askReplay(name) }, 'Replay…');
  const parked = h('button', { type: 'button', class: 'quiet', onclick: () => openParked(name) }, 'Parked events');
  const forget = h('button', { type: 'button', class: 'quiet', onclick: () => askForget(name) }, 'Forget…');
  const rows = h('tbody');
  const requests = h('ul', { class: 'requests', 'aria-label': `What was asked of ${name}` });
  const history = h('details', { class: 'history' }, h('summary', {}, 'What was done'), h('div'));
  history.addEventListener('toggle', () => {
    if (history.open) showHistory(history.lastElementChild, name);
  });
  const heads = ['Partition', 'State', 'Next', 'Waiting', 'Oldest', 'Late', 'Parked', 'Forwarded by', 'Action'];
  const scroller = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${name} in each partition` }, h('table', {},
    h('thead', {}, h('tr', {}, ...heads.map((head, i) => h('th', { scope: 'col', class: i > 1 && i < 7 ? 'n' : null }, head)))), rows));
  const card = h('article', { class: 'card forwarder', 'data-acts': true, 'aria-label': `Forwarder ${name}` },
    h('div', { class: 'title' }, h('h3', {}, name), pill, h('div', { class: 'buttons' }, parked, replay, forget, toggle)),
    sentence, why, requests,
    h('dl', { class: 'facts' }, ...FACTS.map(([label], i) => h('div', {}, h('dt', {}, label), facts[i]))),
    h('details', { class: 'partitions' }, h('summary', {}, 'Partition by partition'), scroller), history);

  card.update = (one) => {
    const { label, mark, tone } = standOf(one);
    pill.dataset.tone = tone;
    setText(pill, `${mark} ${label}`);
    const isPaused = one.state === 'paused';
    toggle.dataset.paused = isPaused;
    setText(toggle, isPaused ? 'Resume…' : 'Pause…');
    toggle.setAttribute('aria-label', `${isPaused ? 'Resume' : 'Pause'} ${name}`);
    replay.setAttribute('aria-label', `Replay a range to ${name}`);
    // Only a forwarder that is not this app's own can be forgotten.
    forget.hidden = one.isKnownHere ?? one.withinSeconds !== null;
    forget.setAttribute('aria-label', `Forget ${name}`);
    parked.hidden = one.parked === 0;
    card.classList.toggle('calm', rankOf(one) >= 3 && !one.requests?.length);
    card.classList.toggle('bad', rankOf(one) < 2);
    keepChildren(requests, (one.requests ?? []).slice(0, REQUESTS_SHOWN), ({ id, partition }) => `${id} ${partition}`, (request) => requestRow(name, request));
    sentence.hidden = one.state === 'failing';
    setText(sentence, sentenceOf(one));
    showWhy(why, one);
    FACTS.forEach(([, of], i) => setText(facts[i], of(one)));
    keepChildren(rows, one.partitions, ({ partition }) => partition, (standing) => standingRow(name, standing));
  };
  return card;
}

function sentenceOf(one) {
  const waiting = backlogOf(one);
  const pausedIn = one.partitions.filter(({ paused }) => paused);
  if (one.state === 'paused') return `${whoPaused(pausedIn[0])} ${waiting > 0 ? counted(waiting, 'event waits', 'events wait') : 'New events will wait'} until it is resumed.`;
  if (one.state === 'orphaned') return `${counted(waiting, 'event waits', 'events wait')}, and no process runs it: give the app its setting again, or forget it if it is gone for good.`;
  if (!(one.isKnownHere ?? one.withinSeconds !== null)) return 'This forwarder is not this app’s own: another app has it, or it no longer exists. It holds retention back.';
  const partly = pausedIn.length > 0 ? ` ${whoPaused(pausedIn[0])} That is in ${counted(pausedIn.length, 'partition')}.` : '';
  const except = one.parked > 0 ? `, except ${counted(one.parked, 'parked event')}` : '';
  const late = one.late > 0 ? `${one.late < waiting ? `, ${number(one.late)} of them` : ''} for longer than ${age(one.withinSeconds ?? 0)}` : '';
  return (late ? `${counted(waiting, 'event waits', 'events wait')}${late}${except}.` : waiting > 0 ? `${counted(waiting, 'event is', 'events are')} on the way${except}.` : `Everything is delivered${except}.`) + partly;
}

function showWhy(why, one) {
  why.hidden = one.state !== 'failing';
  if (why.hidden) return;
  const { title, text } = explain(one);
  setText(why.querySelector('strong'), `${title} `);
  setText(why.querySelector('span'), text);
  const failing = one.partitions.filter(({ lastError }) => lastError);
  setText(why.querySelector('pre'), failing.length === 0 ? one.lastError ?? '' : failing.map((each) => `partition ${each.partition}: ${each.lastError}`).join('\n'));
}

function standingRow(name, { partition }) {
  const cells = Array.from({ length: 7 }, (_, i) => h('td', { class: i > 0 && i < 6 ? 'n' : null }));
  const toggle = h('button', { type: 'button', class: 'quiet small', onclick: () => askPause(name, toggle.dataset.paused !== 'true', partition) });
  const row = h('tr', {}, h('th', { scope: 'row' }, String(partition)), ...cells, h('td', {}, toggle));
  row.update = (one) => {
    const state = one.paused ? 'paused' : one.lastError ? 'failing' : one.leaseOwner ? 'running' : 'idle';
    [`${stateOf(state).mark} ${stateOf(state).label}`, number(one.nextOffset), number(one.backlog),
      one.backlog > 0 ? age(one.oldestUnforwardedAgeSeconds) : '–', number(one.late), number(one.parked), one.leaseOwner ?? 'nobody right now',
    ].forEach((text, i) => setText(cells[i], text));
    toggle.dataset.paused = one.paused;
    setText(toggle, one.paused ? 'Resume…' : 'Pause…');
    toggle.setAttribute('aria-label', `${one.paused ? 'Resume' : 'Pause'} ${name} in partition ${partition}`);
  };
  return row;
}

const REQUESTS_SHOWN = 20;
const KINDS = { replay: 'Replay', retry: 'Retry', discard: 'Discard', 'retry-matching': 'Retry', 'discard-matching': 'Discard', 'take-back': 'Taking back', pause: 'Pause', resume: 'Resume', skip: 'Skip', forget: 'Forgetting' };

/** A request that is not done: how far it is, why it waits, and a button that takes it back. */
function requestRow(name, { id, kind, partition }) {
  const text = h('span');
  const row = h('li', {}, text, h('button', { type: 'button', class: 'small quiet', 'aria-label': `Take back ${KINDS[kind] ?? kind} ${id} in partition ${partition}`, onclick: () => askTakeBack(name, id) }, 'Take back…'));
  row.update = (one) => {
    const far = one.progress ? `, ${number(one.progress.done)} of ${number(one.progress.of)}` : '';
    setText(text, `${KINDS[one.kind] ?? one.kind} in partition ${one.partition}: ${one.state}${far}${one.by ? `, by ${one.by}` : ''}${one.reason ? `. ${one.reason}` : ''}`);
    row.dataset.tone = isStuck(one) ? 'bad' : '';
  };
  return row;
}

const HISTORY_SHOWN = 20;

async function showHistory(place, name) {
  try {
    const actions = await getJson(`forwarders/${part(name)}/history?limit=${HISTORY_SHOWN}`);
    place.replaceChildren(actions.length === 0 ? h('p', { class: 'muted' }, 'Nobody has done anything to it yet.') : h('ul', { class: 'requests' }, ...actions.map((action) => h('li', {}, h('span', {},
      timeOf(action.at), ` ${KINDS[action.action] ?? action.action}, ${action.detail}, by ${action.by ?? 'nobody named'}: ${action.outcome}${action.outcomeDetail ? ` (${action.outcomeDetail})` : ''}${action.reason ? `. Why: ${action.reason}` : ''}`)))));
  } catch (error) {
    place.replaceChildren(h('p', { class: 'problem' }, inWords(error)));
  }
}
