import rhea from 'rhea';
import { asRefusal } from './links.mjs';

/**
 * A link on which a client sends requests ($cbs, $management). The answer goes out on the link that the client opened to
 * receive on: the one named as reply-to, by its target address or its own name.
 */
export class RequestIntake {
  /** @param {(request: object, connection: object, services: object) => object} answer */
  constructor(link, services, answer) {
    this.link = link;
    this.services = services;
    this.answer = answer;
    // .NET gives all its requests one delivery tag, which is correct only for deliveries that are settled as they are sent
    link.local.attach.snd_settle_mode = link.snd_settle_mode;
    link.set_target({ address: link.target.address });
    link.set_source({ address: link.source?.address });
  }

  onMessage({ message: payload, delivery }) {
    const { link, services } = this;
    let request;
    try {
      request = rhea.message.decode(payload);
    } catch (error) {
      const { message } = asRefusal(error);
      delivery.update(
        true,
        rhea.message.rejected({ error: { condition: 'amqp:decode-error', description: message } }).described(),
      );
      return;
    }
    delivery.update(true, rhea.message.accepted().described());
    const reply = this.answer(request, link.connection, services);
    const replies = this.#replyLink(request.reply_to);
    if (!replies) return; // nobody waits for the answer any longer
    const send = () =>
      replies.send({ ...reply, correlation_id: request.message_id, to: request.reply_to ?? undefined });
    // the attach of the answering link must be on the wire before the answer
    if (replies.state.open_requests > 0) setImmediate(send);
    else send();
  }

  #replyLink(replyTo) {
    const address = this.link.target?.address;
    const isReplies = (link) => link.is_sender() && link.endpoint instanceof Replies;
    const { session, connection } = this.link;
    return (
      connection.find_link((link) => isReplies(link) && link.target?.address === replyTo) ??
      connection.find_link((link) => isReplies(link) && link.name === replyTo) ??
      session.find_link((link) => isReplies(link) && link.source?.address === address)
    );
  }

  onClose() {}
}

/** A link on which a client waits for answers. */
export class Replies {
  constructor(link) {
    link.local.attach.snd_settle_mode = 1;
    link.set_source({ address: link.source.address });
    link.set_target({ address: link.target?.address });
  }

  onCredit() {}

  onDrain() {}

  onOutcome() {}

  onClose() {}
}
