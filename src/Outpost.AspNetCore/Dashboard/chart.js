// Draws the samples of the last ten minutes, and makes them readable with a mouse, a finger, the arrow keys and a screen reader.

const SPAN_MS_MIN = 60_000;
const LINES_MAX = 5;
const TICKS_MAX = 5;
const TICK_STEPS_MS = [15_000, 30_000, 60_000, 120_000];
/** The time that the user points at; null: now. */
let pointedAt = null;

const valueOf = (value, format) => (value === undefined ? 'not known' : format(value));
const lineOf = (label, valueAt) => ({ label, values: samples.map((_, i) => valueAt(i)) });

function drawCharts() {
  const names = [...(samples.at(-1)?.next.keys() ?? [])].slice(0, LINES_MAX - 1);
  byId('backlog-chart').hidden = names.length === 0;
  drawChart(byId('rate-chart'), [
    lineOf('committed', (i) => rateAt(i, ({ head }) => head)),
    ...names.map((name) => lineOf(`to ${name}`, (i) => rateAt(i, ({ next }) => next.get(name)))),
  ], rate);
  // The empty line keeps a forwarder's look the same in both charts.
  drawChart(byId('backlog-chart'), [
    { label: '', values: [] },
    ...names.map((name) => lineOf(name, (i) => samples[i].backlog.get(name))),
  ], number);
  if (!samples.length) return;
  const isWhole = samples.at(-1).now - began.at >= WINDOW_MS - GAP_MS_MAX;
  setText(byId('charts-note'), `${isWhole ? 'The last ten minutes' : `Since ${timeAt(began.at)}, when ${began.what}`}. Times in ${zone()}. Point at a chart, or use the arrow keys in it, to read its values.`);
}

function drawChart(figure, lines, format) {
  const svg = figure.querySelector('.plot > svg');
  const end = samples.at(-1)?.now ?? 0;
  const span = Math.max(SPAN_MS_MIN, end - (samples[0]?.now ?? end));
  const top = roundUp(Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== undefined))));
  const shareOf = (now) => 1 - (end - now) / span;
  const x = (i) => 600 * shareOf(samples[i].now);
  const y = (value) => 176 - (172 * value) / top;
  const at = pointedIndex();
  const isPointed = pointedAt !== null;
  const ticks = ticksOf(end - span, end);
  svg.replaceChildren(
    ...[0, 0.5, 1].map((share) => shape('path', { class: 'grid', d: `M0 ${y(share * top)}H600` })),
    ...ticks.map((now) => shape('path', { class: 'grid', d: `M${600 * shareOf(now)} 4V176` })),
    ...lines.map(({ values }, i) => shape('path', { class: `line s${i}`, d: pathOf(values, x, y) })),
    ...(isPointed ? [shape('path', { class: 'pointed', d: `M${x(at)} 4V176` })] : []),
  );
  const known = lines.filter(({ label }) => label !== '');
  keepChildren(figure.querySelector('.legend'), known, ({ label }) => label, ({ label }) => {
    const swatch = shape('svg', { viewBox: '0 0 20 8', width: 20, height: 8, 'aria-hidden': 'true' });
    swatch.append(shape('path', { class: `line s${lines.findIndex((line) => line.label === label)}`, d: 'M0 4H20' }));
    const value = h('b');
    const item = h('li', {}, swatch, h('span', {}, label), value);
    item.update = ({ values }) => setText(value, valueOf(values[pointedIndex()], format));
    return item;
  });
  if (!samples.length) return;
  setText(figure.querySelector('.when'), isPointed ? `at ${timeAt(samples[at].now)}` : 'now');
  [top, top / 2].forEach((value, i) => setText(figure.querySelectorAll('.scale span')[i], format(value)));
  const axis = figure.querySelector('.axis');
  // Ticks are at whole minutes unless the page is new. Those labels leave out the seconds.
  const labelOf = (now) => timeAt(now).replace(/:00$/, '');
  keepChildren(axis, ticks, labelOf, (now) => h('span', {}, labelOf(now)));
  ticks.forEach((now, i) => { axis.children[i].style.left = `${100 * shareOf(now)}%`; });
  describeChart(figure, known, format, at);
}

/** For users who do not see the chart: says in a sentence what it shows, and gives each sample by the arrow keys. */
function describeChart(figure, known, format, at) {
  const told = known.map(({ label, values }) => {
    const most = Math.max(0, ...values.filter((value) => value !== undefined));
    return `${label}: ${format(values.at(-1) ?? 0)} now, at most ${format(most)}`;
  });
  figure.querySelector('.plot > svg').setAttribute('aria-label', `From ${timeAt(samples[0].now)} to ${timeAt(samples.at(-1).now)}, ${zone()}. ${told.join('. ')}.`);
  const slider = figure.querySelector('.plot > input');
  // The text does not change while the chart has the focus, or a screen reader would read something new every two seconds.
  if (pointedAt === null && document.activeElement === slider && slider.max !== '0') return;
  slider.max = String(samples.length - 1);
  slider.value = String(at);
  slider.setAttribute('aria-valuetext', `${timeAt(samples[at].now)}: ${known.map(({ label, values }) => `${label} ${valueOf(values[at], format)}`).join(', ')}`);
}

const pointedIndex = () => (pointedAt === null ? samples.length - 1 : nearestTo(pointedAt));

function nearestTo(now) {
  let nearest = 0;
  samples.forEach((sample, i) => {
    if (Math.abs(sample.now - now) < Math.abs(samples[nearest].now - now)) nearest = i;
  });
  return nearest;
}

function point(now) {
  if (pointedAt === now) return;
  pointedAt = now;
  drawCharts();
}

/** A mouse or a finger points at a time, and the arrow keys go from sample to sample. Both charts show the same time. */
for (const plot of document.querySelectorAll('.plot')) {
  const slider = plot.querySelector('input');
  const pointAtMouse = ({ clientX }) => {
    if (!samples.length) return;
    const { left, width } = plot.getBoundingClientRect();
    const end = samples.at(-1).now;
    const span = Math.max(SPAN_MS_MIN, end - samples[0].now);
    point(samples[nearestTo(end - span * (1 - (clientX - left) / width))].now);
  };
  plot.addEventListener('pointermove', pointAtMouse);
  plot.addEventListener('pointerdown', pointAtMouse);
  plot.addEventListener('pointercancel', () => point(null));
  // A finger leaves as soon as it has pointed.
  plot.addEventListener('pointerleave', ({ pointerType }) => {
    if (pointerType === 'mouse') point(null);
  });
  for (const ended of ['pointerup', 'click']) plot.addEventListener(ended, () => slider.focus({ preventScroll: true }));
  slider.addEventListener('input', () => point(samples[Number(slider.value)]?.now ?? null));
  slider.addEventListener('blur', () => point(null));
  slider.addEventListener('keydown', ({ key: pressed }) => {
    if (pressed === 'Escape') point(null);
    // The keys start at the last sample, which is the present.
    else if (pointedAt === null) slider.value = slider.max = String(samples.length - 1);
  });
}

/** Round times in the page's time zone between two samples, few enough to be readable. */
function ticksOf(start, end) {
  if (!samples.length) return [];
  const step = TICK_STEPS_MS.find((each) => (end - start) / each <= TICKS_MAX) ?? TICK_STEPS_MS.at(-1);
  const ticks = [];
  for (let at = Math.ceil((start + wallOffset) / step) * step - wallOffset; at <= end; at += step) {
    // A label at the edge would not fit.
    if (at - start > 0.05 * (end - start) && end - at > 0.05 * (end - start)) ticks.push(at);
  }
  return ticks;
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

/** The next 1, 2 or 5 with zeros. At least 2, because there is no half entry. */
function roundUp(value) {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function shape(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
