// What the last polls said, over time: kept in memory only, and bounded.

const SAMPLES_MAX = 600;
const WINDOW_MS = 10 * 60_000;
const SPAN_MS_MIN = 60_000;
const RATE_OVER_MS = 6_000;
const LINES_MAX = 5;
const samples = [];

function remember(status, now) {
  samples.push({
    now,
    head: sum(status.partitions, ({ headOffset }) => headOffset),
    next: new Map(status.forwarders.map((forwarder) => [forwarder.name, sum(forwarder.partitions, ({ nextOffset }) => nextOffset)])),
    backlog: new Map(status.forwarders.map((forwarder) => [forwarder.name, backlogOf(forwarder)])),
  });
  while (samples.length > SAMPLES_MAX || samples[0].now < now - WINDOW_MS) samples.shift();
}

/** Entries per second at sample `i`, over the seconds before it; undefined where nothing is known of those. */
function rateAt(i, of) {
  let since = i - 1;
  while (since > 0 && samples[i].now - samples[since].now < RATE_OVER_MS) since--;
  if (since < 0 || of(samples[i]) === undefined || of(samples[since]) === undefined) return undefined;
  return Math.max(0, (1000 * (of(samples[i]) - of(samples[since]))) / (samples[i].now - samples[since].now));
}

const lineOf = (label, valueAt) => ({ label, values: samples.map((_, i) => valueAt(i)) });

function drawCharts() {
  const names = [...(samples.at(-1)?.next.keys() ?? [])].slice(0, LINES_MAX - 1);
  drawChart(byId('rate-chart'), [
    lineOf('committed', (i) => rateAt(i, ({ head }) => head)),
    ...names.map((name) => lineOf(`to ${name}`, (i) => rateAt(i, ({ next }) => next.get(name)))),
  ], rate);
  // The same look for the same forwarder in both.
  drawChart(byId('backlog-chart'), [
    { label: '', values: [] },
    ...names.map((name) => lineOf(name, (i) => samples[i].backlog.get(name))),
  ], number);
}

function drawChart(figure, lines, format) {
  const svg = figure.querySelector(':scope > svg');
  const end = samples.at(-1)?.now ?? 0;
  const span = Math.max(SPAN_MS_MIN, end - (samples[0]?.now ?? end));
  const top = roundUp(Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== undefined))));
  const x = (i) => 600 - (600 * (end - samples[i].now)) / span;
  const y = (value) => 176 - (172 * value) / top;
  svg.replaceChildren(
    ...[0, 0.5, 1].map((share) => shape('path', { class: 'grid', d: `M0 ${y(share * top)}H600` })),
    ...lines.map(({ values }, i) => shape('path', { class: `line s${i}`, d: pathOf(values, x, y) })),
  );
  const known = lines.filter(({ label }) => label !== '');
  keepChildren(figure.querySelector('.legend'), known, ({ label }) => label, ({ label }) => {
    const swatch = shape('svg', { viewBox: '0 0 20 8', width: 20, height: 8, 'aria-hidden': 'true' });
    swatch.append(shape('path', { class: `line s${lines.findIndex((line) => line.label === label)}`, d: 'M0 4H20' }));
    const value = h('b');
    const item = h('li', {}, swatch, h('span', {}, label), value);
    item.update = ({ values }) => setText(value, format(values.at(-1) ?? 0));
    return item;
  });
  const minutes = span < 120_000 ? `${Math.round(span / 1000)} s` : `${Math.round(span / 60_000)} min`;
  setText(figure.querySelector('.axis span'), `${minutes} ago`);
  setText(figure.querySelector('.most'), format(top));
  const told = known.map(({ label, values }) => {
    const most = Math.max(0, ...values.filter((value) => value !== undefined));
    return `${label}: ${format(values.at(-1) ?? 0)} now, at most ${format(most)}`;
  });
  svg.setAttribute('aria-label', `The last ${minutes}. ${told.join('. ')}.`);
}

function pathOf(values, x, y) {
  let path = '';
  let isDrawing = false;
  values.forEach((value, i) => {
    if (value === undefined) {
      isDrawing = false;
      return;
    }
    path += `${isDrawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    isDrawing = true;
  });
  return path;
}

/** The next 1, 2 or 5 with zeros; at least 1, so that a still log is a line at the bottom. */
function roundUp(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function shape(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
