import { BrokerError, CONDITION } from '../conditions.mjs';
import { MalformedError } from './reader.mjs';

/** Every fault has a condition for the other side. */
export function asRefusal(error) {
  if (error instanceof BrokerError) return error;
  if (error instanceof MalformedError) return new BrokerError(CONDITION.decode, error.message);
  return new BrokerError(CONDITION.internal, error.message);
}

/** Service Bus refuses a link by attaching with nothing at its own end and then detaching with the reason. */
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
 * rhea has decided to answer the attach already: takes that back. The answer goes out when asked for, or after
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
