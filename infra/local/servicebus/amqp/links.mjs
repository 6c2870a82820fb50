import { BrokerError, CONDITION } from '../conditions.mjs';
import { MalformedError } from './reader.mjs';

/** Gives every fault a condition for the other side. */
export function asRefusal(error) {
  if (error instanceof BrokerError) return error;
  if (error instanceof MalformedError) return new BrokerError(CONDITION.decode, error.message);
  return new BrokerError(CONDITION.internal, error.message);
}

/** Refuses a link as Service Bus does: attaches with nothing at its own end, then detaches with the reason. */
export function refuse(link, { condition, message }) {
  link.issue_flow = false;
  link.local.attach.source = undefined;
  link.local.attach.target = undefined;
  link.close({ condition, description: message });
}

/** `/topic/Subscriptions/sub`, `amqp://host/topic` and `topic` all name an entity. */
export function pathOf(address) {
  return address.replace(/^(?:amqps?|sb):\/\/[^/]*/i, '').replace(/^\/+|\/+$/g, '');
}

/**
 * Takes back rhea's decision to answer the attach at once. The answer goes out when asked for, or after
 * `delayMs` where that is given.
 */
export function holdAttach(link, delayMs) {
  const { state } = link;
  state.local_open = false;
  state.open_requests -= 1;
  let timer;
  const now = () => {
    clearTimeout(timer);
    link.open();
  };
  if (delayMs !== undefined) timer = setTimeout(now, delayMs);
  return { now };
}
