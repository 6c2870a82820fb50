import { BrokerError, CONDITION } from './conditions.mjs';

/** Modes that refuse, with the condition and the words that a client gets. */
const REFUSALS = {
  busy: [CONDITION.busy, 'The server is busy, as the test asked. Please retry.'],
  throttled: [CONDITION.busy, 'The entity is being throttled, as the test asked. Error code: 50009. Please wait 10 seconds.'],
  'quota-exceeded': [CONDITION.quota, 'The entity is full, as the test asked.'],
  'timed-out': [CONDITION.timeout, 'The operation did not complete in time, as the test asked.'],
  'entity-disabled': [CONDITION.disabled, 'The entity is disabled, as the test asked.'],
  unauthorized: [CONDITION.unauthorized, 'Unauthorized access, as the test asked.'],
  'internal-error': [CONDITION.internal, 'The service could not process the request, as the test asked.'],
};
const OTHERS = ['none', 'hang', 'accept-then-hang', 'slow', 'detach', 'reset', 'accept-then-reset', 'silence'];
const MODES = [...OTHERS, ...Object.keys(REFUSALS)];
/** What can happen to a link that is being attached. */
const ATTACH_MODES = ['none', 'hang', 'slow', 'reset', 'silence', ...Object.keys(REFUSALS)];
const FIELDS = ['mode', 'times', 'on', 'scope', 'delayMs', 'bytesPerSecond', 'messageIdPattern'];
/** The longest time that an answer is held back, so that a forgotten fault ends. */
const DELAY_MS_MAX = 600_000;

/** The faults that tests asked for, by entity. They concern links that send: their attach, or what is sent on them. */
export class Faults {
  #byEntity = new Map();
  #silenced = new Map();

  /**
   * @param {string} entity
   * @param {{mode?: string, times?: number, on?: string, scope?: string, delayMs?: number, bytesPerSecond?: number,
   *   messageIdPattern?: string}} wish
   */
  set(entity, wish) {
    const key = entity.toLowerCase();
    const fault = faultOf(wish);
    for (const connection of this.#silenced.get(key) ?? []) connection.socket.destroy();
    this.#silenced.delete(key);
    if (fault.mode === 'none' && !fault.pattern) this.#byEntity.delete(key);
    else this.#byEntity.set(key, fault);
  }

  /** The fault as it is now, and how many sends, links or connections (by its scope) it hit. */
  describe(entity) {
    const fault = this.#byEntity.get(entity.toLowerCase());
    if (!fault) return { mode: 'none', met: 0 };
    const { mode, on, scope, met, left } = fault;
    return { mode, on, scope, met, ...(left !== Infinity && { left }) };
  }

  /** Notes a connection that fell silent for this entity. The connection ends when the fault does. */
  silenced(entity, connection) {
    const key = entity.toLowerCase();
    if (!this.#silenced.has(key)) this.#silenced.set(key, new Set());
    const connections = this.#silenced.get(key).add(connection);
    connection.socket.once('close', () => connections.delete(connection));
  }

  /** Throws the refusal that was asked for, or returns what else must happen to this link. */
  onAttach(entity, link) {
    return this.#meet(entity, 'attach', link, 0);
  }

  /** Throws the refusal that was asked for, or returns what else must happen to this send. */
  onSend(entity, link, messages) {
    const pattern = this.#byEntity.get(entity.toLowerCase())?.pattern;
    const bad = pattern && messages.find(({ messageId }) => pattern.test(messageId ?? ''));
    if (bad) throw new BrokerError(CONDITION.argument, `The message '${bad.messageId}' is refused, as the test asked.`);
    return this.#meet(entity, 'send', link, messages.reduce((sum, { size }) => sum + size, 0));
  }

  #meet(entity, on, link, bytes) {
    const fault = this.#byEntity.get(entity.toLowerCase());
    if (!fault || fault.mode === 'none' || fault.on !== on || !hits(fault, link)) return NONE;
    if (REFUSALS[fault.mode]) throw new BrokerError(...REFUSALS[fault.mode]);
    const delayMs = fault.delayMs + (fault.bytesPerSecond ? (1000 * bytes) / fault.bytesPerSecond : 0);
    return { mode: fault.mode, delayMs: Math.min(delayMs, DELAY_MS_MAX) };
  }
}

const NONE = { mode: 'none', delayMs: 0 };

/** Counts a send, or the first send of a link or connection. A link or connection that was hit stays hit while it lives. */
function hits(fault, link) {
  const subject = { link, connection: link.connection }[fault.scope];
  if (subject && fault.hit.has(subject)) return true;
  if (fault.left <= 0) return false;
  fault.left -= 1;
  fault.met += 1;
  if (subject) fault.hit.add(subject);
  return true;
}

function faultOf(wish) {
  for (const field of Object.keys(wish)) oneOf('field', field, FIELDS);
  const { mode = 'none', times, on = 'send', scope = 'send', delayMs, bytesPerSecond, messageIdPattern } = wish;
  oneOf('on', on, ['send', 'attach']);
  oneOf('mode', mode, on === 'attach' ? ATTACH_MODES : MODES);
  oneOf('scope', scope, ['send', 'link', 'connection']);
  return {
    mode,
    on,
    scope,
    left: whole('times', times, Infinity),
    delayMs: whole('delayMs', delayMs, 0),
    bytesPerSecond: whole('bytesPerSecond', bytesPerSecond, 0),
    pattern: patternOf(messageIdPattern),
    met: 0,
    hit: new WeakSet(),
  };
}

function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return;
  throw new BrokerError(CONDITION.argument, `${name} is ${JSON.stringify(value)}; allowed: ${allowed.join(', ')}`);
}

function whole(name, value, fallback) {
  if (value === undefined || value === null) return fallback;
  if (Number.isInteger(value) && value > 0) return value;
  throw new BrokerError(
    CONDITION.argument,
    `${name} is ${JSON.stringify(value)}; allowed: a whole number above 0, or nothing`,
  );
}

function patternOf(text) {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch (error) {
    throw new BrokerError(CONDITION.argument, `messageIdPattern: ${error.message}`);
  }
}
