// All data goes into the page as text, never as markup.

const byId = (id) => document.getElementById(id);

/** Makes an element. Names that start with "on" are listeners, the others are attributes; children are elements or text. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Writes a text only when it changed, so that a selection survives and a screen reader does not repeat it. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Keeps one child per item, in the items' order. Children that stay are updated in place and keep the focus. */
function keepChildren(parent, items, keyOf, create) {
  const present = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = present.get(key);
    present.delete(key);
    if (!child) {
      child = create(item);
      child.dataset.key = key;
    }
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
    child.update?.(item);
  }
  for (const gone of present.values()) {
    // The message about the last action stays, although its card goes.
    if (gone.contains(byId('done'))) byId('main').prepend(byId('done'));
    gone.remove();
  }
}

/** Announces something to screen readers: only what the user did or has to know, because the numbers change too often. */
function say(text) {
  setText(byId('said'), '');
  setText(byId('said'), text);
}

let actedIn = null;

/** Shows the outcome of an action until the next one, or until it is closed. */
function tell(text) {
  setText(byId('done-text'), text);
  const place = actedIn?.isConnected ? actedIn : byId('main');
  if (byId('done').parentElement !== place) place.prepend(byId('done'));
  byId('done').hidden = false;
  say(text);
}

/**
 * Asks before something is done. `act` gets the fields' values; what it throws is shown and the dialog stays. Resolves
 * to whether it was done.
 */
function ask({ title, text, verb, dangerous = false, fields = [], cancel = 'Cancel', act }) {
  const dialog = byId('ask');
  if (dialog.open) return Promise.resolve(false);
  const opener = document.activeElement;
  actedIn = opener?.closest('[data-acts]') ?? null;
  setText(byId('ask-title'), title);
  setText(byId('ask-text'), text);
  setText(byId('ask-problem'), '');
  setText(byId('ask-do'), verb);
  setText(byId('ask-cancel'), cancel);
  byId('ask-do').classList.toggle('dangerous', dangerous);
  const inputs = fields.map(({ label, hint, ...attributes }) => {
    const input = h('input', { autocomplete: 'off', ...attributes });
    return { input, row: h('label', {}, label, input, hint ? h('small', {}, hint) : null) };
  });
  byId('ask-fields').replaceChildren(...inputs.map(({ row }) => row));
  return new Promise((resolve) => {
    let done = false;
    byId('ask-form').onsubmit = async (event) => {
      event.preventDefault();
      if (byId('ask-do').disabled) return;
      byId('ask-do').disabled = true;
      setText(byId('ask-problem'), '');
      try {
        await act(...inputs.map(({ input }) => input.value));
        done = true;
        dialog.close();
      } catch (error) {
        setText(byId('ask-problem'), inWords(error));
      } finally {
        byId('ask-do').disabled = false;
      }
    };
    byId('ask-cancel').onclick = () => dialog.close();
    dialog.onclose = () => {
      byId('ask-fields').replaceChildren();
      // The button that opened the dialog may be gone, with the event that was discarded.
      (opener?.isConnected ? opener : byId('main')).focus({ preventScroll: true });
      resolve(done);
    };
    dialog.showModal();
    (inputs[0]?.input ?? byId('ask-cancel')).focus();
  });
}
