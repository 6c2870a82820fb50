import rhea from 'rhea';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { asRefusal, holdAttach } from './links.mjs';
import { BATCH_FORMAT, messagesOfBatch, StoredMessage } from './message.mjs';
import { fallSilent } from './silence.mjs';

/** A link on which a client sends to a topic or queue. */
export class Intake {
  constructor(link, path, services) {
    this.link = link;
    this.services = services;
    this.entity = services.broker.entity(path);
    const { maxMessageBytes } = this.entity.definition;
    const { attach } = link.local;
    link.set_target({ address: link.target.address });
    link.set_source({ address: link.source?.address });
    attach.max_message_size = maxMessageBytes;
    attach.properties = { 'com.microsoft:max-message-batch-size': rhea.types.wrap_long(maxMessageBytes) };
    const { mode, delayMs } = services.faults.onAttach(this.entity.name, link);
    if (mode === 'hang' || mode === 'slow') this.openLater = holdAttach(link, mode === 'slow' ? delayMs : undefined);
    else this.#endConnection(mode);
  }

  onMessage({ message: payload, delivery }) {
    if (!this.link.is_open()) {
      forget(delivery); // sent before the client heard that we have detached
      return;
    }
    try {
      const messages = this.#decode(payload, delivery.format);
      const { mode, delayMs } = this.services.faults.onSend(this.entity.name, this.link, messages);
      if (delayMs > 0) setTimeout(() => this.#perform(mode, messages, delivery), delayMs);
      else this.#perform(mode, messages, delivery);
    } catch (error) {
      this.#refuse(delivery, error);
    }
  }

  #perform(mode, messages, delivery) {
    const { broker, clock } = this.services;
    try {
      const isTaken = ['none', 'slow', 'accept-then-hang', 'accept-then-reset'].includes(mode);
      if (isTaken) broker.send(this.entity.name, messages, clock());
      if (mode === 'none' || mode === 'slow') delivery.update(true, rhea.message.accepted().described());
      else forget(delivery);
      if (mode === 'detach') {
        const description = 'The link was detached, as the test asked.';
        this.link.close({ condition: CONDITION.detachForced, description });
      } else this.#endConnection(mode);
    } catch (error) {
      this.#refuse(delivery, error);
    }
  }

  #endConnection(mode) {
    const { connection } = this.link;
    if (mode === 'reset' || mode === 'accept-then-reset') connection.socket.destroy();
    if (mode !== 'silence') return;
    fallSilent(connection);
    this.services.faults.silenced(this.entity.name, connection);
  }

  #decode(payload, format) {
    const { maxMessageBytes } = this.entity.definition;
    if (payload.length > maxMessageBytes) {
      throw new BrokerError(
        CONDITION.tooLarge,
        `The transfer of ${payload.length} bytes exceeds the maximum of ` +
          `${maxMessageBytes} of '${this.entity.name}'.`,
      );
    }
    return format === BATCH_FORMAT ? messagesOfBatch(payload) : [new StoredMessage(Buffer.from(payload))];
  }

  #refuse(delivery, error) {
    const { condition, message } = asRefusal(error);
    if (!(error instanceof BrokerError) && condition === CONDITION.internal)
      this.services.log(`send to '${this.entity.name}': ${error.stack}`);
    delivery.update(true, rhea.message.rejected({ error: { condition, description: message } }).described());
  }

  onClose() {
    this.openLater?.now(); // so that the detach which follows has an attach before it
  }
}

/** A delivery that never gets an outcome must not keep its place in the window of unsettled deliveries. */
function forget(delivery) {
  delivery.settled = true;
}
