import { BrokerError, CONDITION } from './conditions.mjs';

const MODES = ['none', 'busy', 'entity-disabled', 'unauthorized', 'reset', 'hang', 'accept-then-reset'];

/** Faults a test has asked for, per entity. They concern sends only. */
export class Faults {
  #byEntity = new Map();

  /** @param {string} entity @param {{mode?: string, times?: number, messageIdPattern?: string}} wish */
  set(entity, { mode = 'none', times = Infinity, messageIdPattern = undefined }) {
    if (!MODES.includes(mode))
      throw new BrokerError(CONDITION.argument, `mode is ${JSON.stringify(mode)}; allowed: ${MODES.join(', ')}`);
    if (times !== Infinity && !(Number.isInteger(times) && times > 0)) {
      throw new BrokerError(
        CONDITION.argument,
        `times is ${JSON.stringify(times)}; allowed: a whole number above 0, or nothing`,
      );
    }
    let pattern;
    try {
      pattern = messageIdPattern === undefined ? undefined : new RegExp(messageIdPattern);
    } catch (error) {
      throw new BrokerError(CONDITION.argument, `messageIdPattern: ${error.message}`);
    }
    if (mode === 'none' && !pattern) this.#byEntity.delete(entity.toLowerCase());
    else this.#byEntity.set(entity.toLowerCase(), { mode, times, pattern });
  }

  /** Throws the refusal asked for, or answers what else is to happen to this send. */
  onSend(entity, messages) {
    const fault = this.#byEntity.get(entity.toLowerCase());
    if (!fault) return 'none';
    const bad = fault.pattern && messages.find(({ messageId }) => fault.pattern.test(messageId ?? ''));
    if (bad) throw new BrokerError(CONDITION.argument, `The message '${bad.messageId}' is refused, as the test asked.`);
    if (fault.mode === 'none') return 'none';
    fault.times -= 1;
    if (fault.times <= 0) this.set(entity, { messageIdPattern: fault.pattern?.source });
    switch (fault.mode) {
      case 'busy':
        throw new BrokerError(CONDITION.busy, 'The server is busy, as the test asked. Please retry.');
      case 'entity-disabled':
        throw new BrokerError(CONDITION.disabled, `'${entity}' is disabled, as the test asked.`);
      case 'unauthorized':
        throw new BrokerError(CONDITION.unauthorized, 'Unauthorized access, as the test asked.');
      default:
        return fault.mode;
    }
  }
}
