// Polls the app with one request at a time. It makes none while the page is hidden, and fewer while the app fails or is busy.

const POLL_MS = 2000;
const POLL_MS_MAX = 30_000;
// An open page may take at most this share of the app's time, however many partitions there are.
const BUSY_SHARE = 0.1;
let lastStatus = { at: new Date(), partitions: [], forwarders: [], isLimited: false };
let lastStatusAt = null;
let trouble = null;
let nextTryAt = 0;
let wake = () => {};

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

function visible(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal?.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal?.addEventListener('abort', look, { once: true });
    look();
  });
}

/** Polls at once, because an action was carried out or the user pressed "Try now". */
const lookNow = () => wake();

async function poll() {
  for (let failures = 0; ;) {
    await visible();
    const asked = performance.now();
    const error = await readStatus({ recent: isGapBefore(asked) }).then(show).then(() => null, (failed) => failed);
    const took = performance.now() - asked;
    failures = error ? failures + 1 : 0;
    const delay = Math.min(POLL_MS_MAX, error ? POLL_MS * 2 ** (failures - 1) : Math.max(POLL_MS, took / BUSY_SHARE));
    nextTryAt = performance.now() + delay;
    if (error) showTrouble(error);
    // Without a key, another request would get the same refusal.
    await new Promise((resolve) => {
      wake = resolve;
      if (!trouble?.isAboutKey) setTimeout(resolve, delay);
    });
  }
}

function show(status) {
  if (trouble) {
    say('The app answers again.');
    entriesView.tryNow();
  }
  trouble = null;
  lastStatus = status;
  lastStatusAt = performance.now();
  byId('limited').hidden = !status.isLimited;
  remember(status, lastStatusAt);
  draw(status);
}

function draw(status) {
  showOverview(status);
  showForwarders(status);
  showParked(status);
  showEntryTools(status);
  showPartitions(status);
  drawCharts();
  showFreshness();
}

function showTrouble(error) {
  const isNew = !trouble || trouble.text !== inWords(error);
  const isAnswer = error instanceof ApiError;
  trouble = { text: inWords(error), isAnswer, isAboutKey: isAnswer && error.isAboutKey };
  showFreshness();
  if (isNew) say(`${byId('trouble-title').textContent} ${trouble.text}`);
  if (isNew && trouble.isAboutKey) askForKey(trouble.text);
}

/** Shows each second how old the numbers are. */
function showFreshness() {
  const seconds = lastStatusAt === null ? null : (performance.now() - lastStatusAt) / 1000;
  const old = seconds === null ? 'Nothing has been read yet.' : `What is shown below is ${age(seconds)} old.`;
  byId('trouble').hidden = trouble === null;
  byId('main').classList.toggle('stale', trouble !== null);
  byId('fresh-dot').dataset.tone = trouble ? 'bad' : 'good';
  setText(byId('fresh'), trouble ? 'Not up to date' : seconds === null ? 'Asking the app…' : seconds < 10 ? 'Up to date' : `${age(seconds)} old`);
  if (!trouble) return;
  const again = Math.max(0, Math.ceil((nextTryAt - performance.now()) / 1000));
  setText(byId('trouble-title'), trouble.isAboutKey ? 'The app asks for a key.' : trouble.isAnswer ? 'The app can’t tell how it stands.' : 'The app can’t be asked right now.');
  setText(byId('trouble-text'), `${trouble.text} ${old} ${trouble.isAboutKey ? '' : again > 0 ? `Next try in ${again} s.` : 'Trying…'}`);
  setText(byId('trouble-button'), trouble.isAboutKey ? 'Enter a key…' : 'Try now');
  if (seconds === null) setText(byId('headline'), trouble.isAboutKey ? 'A key is needed' : 'No answer yet');
}

function keyChanged() {
  trouble = null;
  entriesView.partition = null;
  say('The key is set. Asking the app.');
  lookNow();
}

byId('zone').replaceChildren(...[...new Set([localZone, 'UTC'])].map((name) => h('option', { value: name }, name === 'UTC' ? 'UTC' : `your time (${name})`)));
byId('zone').value = zone();
byId('zone').onchange = (event) => {
  sessionStorage.setItem(ZONE, event.target.value);
  for (const time of document.querySelectorAll('time[datetime]')) setText(time, clock(time.getAttribute('datetime')));
  labelTime();
  if (lastStatusAt !== null) draw(lastStatus);
};
const labelTime = () => byId('entries-time-label').firstChild.replaceWith(zone() === localZone ? 'Your local time ' : 'UTC ');
labelTime();
byId('key-button').onclick = () => askForKey(key() ? 'A key is in use.' : 'No key is in use: locally none is needed.');
byId('trouble-button').onclick = () => (trouble?.isAboutKey ? askForKey(trouble.text) : lookNow());
byId('done-close').onclick = () => {
  byId('done').hidden = true;
  byId('main').focus({ preventScroll: true });
};
byId('parked-forwarder').onchange = (event) => loadParked(event.target.value);
byId('parked-reload').onclick = () => loadParked(parkedView.name);
byId('parked-more').onclick = loadMoreParked;
byId('entries-mode').onchange = chooseEntries;
byId('entries-partition').onchange = chooseEntries;
byId('entries-form').onsubmit = (event) => {
  event.preventDefault();
  if (byId('entries-mode').value !== 'newest') showChosen();
};
byId('entries-older').onclick = () => turnPage(entriesView.offset - ENTRIES_PAGE);
byId('entries-newer').onclick = () => turnPage(entriesView.next);
window.addEventListener('online', lookNow);
setInterval(showFreshness, 1000);
poll();
