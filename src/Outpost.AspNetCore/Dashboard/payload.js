// Shows one event in full: its metadata, and its payload once the user wants to see it.

const SHOWN_CHARACTERS_MAX = 100_000;

/** A row that opens. Its content is fetched the first time. */
function eventRow({ summary, id, facts, actions, more }) {
  const inside = h('div', { class: 'inside' });
  const details = h('details', {}, h('summary', {}, ...summary), inside);
  details.addEventListener('toggle', () => {
    if (details.open && inside.childElementCount === 0) fill();
  });

  function fill() {
    const payload = h('pre', { tabindex: '0', role: 'region', 'aria-label': 'Payload' }, 'Asking for the payload…');
    inside.replaceChildren(
      h('dl', { class: 'facts' }, ...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
      payload);
    inside.append(h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'small quiet', onclick: (event) => copy(event.target, payload.textContent) }, 'Copy payload'), ...(more?.() ?? [])));
    readPayload(id).then((text) => setText(payload, text), (error) => setText(payload, `It can’t be shown. ${inWords(error)}`));
  }

  return h('li', {}, details, actions ?? null);
}

async function readPayload(id) {
  const response = await request(`events/${part(id)}/data`);
  const type = response.headers.get('Content-Type') ?? '';
  if (!/json|^text\//i.test(type)) return `${counted((await response.arrayBuffer()).byteLength, 'byte')} of ${type}, not shown.`;
  const text = await response.text();
  const shown = /json/i.test(type) ? indented(text) : text;
  if (shown.length <= SHOWN_CHARACTERS_MAX) return shown;
  return `${shown.slice(0, SHOWN_CHARACTERS_MAX)}\n… ${number(shown.length - SHOWN_CHARACTERS_MAX)} more characters are not shown.`;
}

/** JSON with line breaks. Numbers and strings stay as they are stored, because a parser here would round large numbers. */
function indented(json) {
  let [text, depth] = ['', 0];
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if ('{['.includes(token)) {
      depth++;
      text += `${token}\n${'  '.repeat(depth)}`;
    } else if ('}]'.includes(token)) {
      depth--;
      text = /[{[]\s*$/.test(text.slice(-200)) ? `${text.trimEnd()}${token}` : `${text}\n${'  '.repeat(depth)}${token}`;
    } else if (token === ',') text += `,\n${'  '.repeat(depth)}`;
    else text += token === ':' ? ': ' : token;
  }
  return text;
}

/** Copies a text, and says on the button whether that worked. */
async function copy(button, text) {
  const before = button.textContent;
  setText(button, await navigator.clipboard.writeText(text).then(() => 'Copied', () => 'This browser does not let the page copy'));
  say(button.textContent);
  setTimeout(() => setText(button, before), 2000);
}
