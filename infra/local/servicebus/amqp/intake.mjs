import rhea from 'rhea';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { asRefusal } from './links.mjs';
import { BATCH_FORMAT, messagesOfBatch, StoredMessage } from './message.mjs';

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
  }

  onMessage({ message: payload, delivery }) {
    const { faults, broker, clock } = this.services;
    const { name } = this.entity;
    try {
      const messages = this.#decode(payload, delivery.format);
      const fault = faults.onSend(name, messages);
      if (fault === 'hang') return;
      if (fault === 'reset') {
        this.link.connection.socket.destroy();
        return;
      }
      broker.send(name, messages, clock());
      if (fault === 'accept-then-reset') this.link.connection.socket.destroy();
      else delivery.update(true, rhea.message.accepted().described());
    } catch (error) {
      this.#refuse(delivery, error);
    }
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
    if (condition === CONDITION.internal) this.services.log(`send to '${this.entity.name}': ${error.stack}`);
    delivery.update(true, rhea.message.rejected({ error: { condition, description: message } }).described());
  }

  onClose() {}
}
