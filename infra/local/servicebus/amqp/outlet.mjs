import rhea from 'rhea';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { abandon, complete, consume, defer, giveBackSession, reject, release } from '../entities/settlement.mjs';
import { encodeDelivery, tagOfToken, ticksOf } from './delivery.mjs';
import { asRefusal, holdAttach, refuse } from './links.mjs';

const SESSION_FILTER = 'com.microsoft:session-filter';
const SESSION_WAIT_MS = 60_000;
const NO_TAG = Buffer.alloc(16);
/** With less room than this for unsettled deliveries, those with lapsed locks are forgotten. */
const UNSETTLED_RESERVE = 1_024;
/** A message whose removal cannot be written down is tried again after this. */
const AGAIN_MS = 500;

/** A link on which a client receives from a queue, a subscription or a dead-letter queue. */
export class Outlet {
  constructor(link, path, services) {
    this.link = link;
    this.services = services;
    this.queue = services.broker.queue(path);
    this.session = undefined;
    /** Whether messages are settled when sent, so that receiving deletes them. */
    this.deletes = link.snd_settle_mode === 1;
    link.local.attach.snd_settle_mode = this.deletes ? 1 : 0;
    link.local.attach.rcv_settle_mode = link.rcv_settle_mode ?? 0;
    link.set_target({ address: link.target?.address });
    const filter = link.source.filter ?? {};
    this.#checkKind(SESSION_FILTER in filter);
    if (this.queue.requiresSession) this.#acceptSession(plain(filter[SESSION_FILTER]));
    else {
      link.set_source({ address: link.source.address });
      services.receivers.add(this);
    }
  }

  #checkKind(wantsSession) {
    if (wantsSession === this.queue.requiresSession) return;
    throw new BrokerError(
      CONDITION.notAllowed,
      wantsSession
        ? `A sessionful message receiver cannot be created on '${this.queue.path}', which does not require sessions.`
        : `A receiver without a session cannot be created on '${this.queue.path}', which requires sessions.`,
    );
  }

  /** Attaches when the link has its session. Until then the client waits for the answer to its attach. */
  #acceptSession(id) {
    const { clock, receivers } = this.services;
    const session = this.queue.acceptSession(id, this, clock());
    if (session) {
      this.#attachTo(session);
      return;
    }
    holdAttach(this.link);
    const waitMs = this.link.properties?.['com.microsoft:timeout'] ?? SESSION_WAIT_MS;
    this.waiting = setTimeout(() => {
      receivers.stopWaiting(this);
      this.waiting = undefined;
      this.link.open();
      refuse(
        this.link,
        new BrokerError(CONDITION.timeout, `No session of '${this.queue.path}' was available within ${waitMs} ms.`),
      );
    }, Number(waitMs));
    receivers.wait(this);
  }

  /** Called when a session has become free. Returns whether this link took one. */
  tryNextSession() {
    const session = this.queue.acceptSession(null, this, this.services.clock());
    if (!session) return false;
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.#attachTo(session);
    this.link.open();
    return true;
  }

  #attachTo(session) {
    this.session = session;
    const { link } = this;
    link.set_source({ address: link.source.address, filter: { [SESSION_FILTER]: session.id } });
    link.local.attach.properties = { 'com.microsoft:locked-until-utc': rhea.types.wrap_long(ticksOf(session.until)) };
    this.services.receivers.add(this);
    setImmediate(() => this.onCredit()); // the client may have given credit along with its attach
  }

  /** Our attach must be on the wire before anything else of this link is. */
  get #attached() {
    return this.link.is_open() && !this.waiting && this.link.state.open_requests === 0;
  }

  /** How many messages the client still asks for, without those that are on their way. */
  get credit() {
    const { outgoing } = this.link.session;
    if (!this.#attached) return 0;
    return Math.min(
      this.link.credit - (outgoing.next_delivery_id - outgoing.next_pending_delivery),
      outgoing.available(),
    );
  }

  /** Sends up to `most` messages. Returns whether it sent any. */
  pump(most = Infinity) {
    const { broker, clock } = this.services;
    const now = clock();
    this.#forgetLapsed();
    let left = Math.min(this.credit, most);
    if (left <= 0) return false;
    const started = left;
    for (; left > 0; left--) {
      const entry = this.queue.next(now, this.session);
      if (!entry) break;
      if (this.deletes) {
        const bytes = encodeDelivery(entry, { state: 'active' });
        if (!this.#consume(broker, entry)) break;
        this.link.send(bytes, NO_TAG, 0);
      } else {
        const { lock } = this.queue.lock(entry, now);
        this.link.send(encodeDelivery(entry, { lockedUntil: lock.until }), tagOfToken(lock.token), 0).token =
          lock.token;
      }
    }
    return left < started;
  }

  /** Answers whether the message is this receiver's: with a full disk it is nobody's, and keeps its place. */
  #consume(broker, entry) {
    try {
      consume(broker, this.queue, entry);
      return true;
    } catch (error) {
      this.services.log(`receive from '${this.queue.path}': ${error.message}`);
      this.queue.putBack(entry);
      this.again ??= setTimeout(() => {
        this.again = undefined;
        this.services.receivers.ready(this.queue);
      }, AGAIN_MS);
      return false;
    }
  }

  /**
   * A client that never settles what it let lapse would fill the window of unsettled deliveries for ever. Until it is
   * nearly full they stay, so that a client that settles late hears that its lock is lost.
   */
  #forgetLapsed() {
    const { outgoing } = this.link.session;
    if (outgoing.available() >= UNSETTLED_RESERVE) return;
    outgoing.deliveries.pop_if(
      ({ id, token, settled, remote_settled: ended }) =>
        (settled && ended) ||
        (id < outgoing.next_pending_delivery && token !== undefined && !this.queue.locks.has(token)),
    );
  }

  onCredit() {
    if (this.#attached) this.pump();
    else this.#onceAttached(() => this.onCredit());
  }

  onDrain() {
    if (!this.#attached) {
      this.#onceAttached(() => this.onDrain());
      return;
    }
    this.pump();
    this.link.set_drained(true);
    this.link.connection._register();
  }

  /** rhea writes the attach at the end of this turn. A link without a session is looked at when it gets one. */
  #onceAttached(action) {
    if (this.link.is_open() && !this.waiting) setImmediate(action);
  }

  onOutcome(name, delivery) {
    const outcome = delivery.remote_state;
    try {
      this.#settle(name, delivery.token, outcome);
      // echoes the outcome without its error, because a client takes an error for a failure
      finish(delivery, name === 'rejected' ? rhea.message.rejected({}).described() : outcome.described());
    } catch (error) {
      const { condition, message } = asRefusal(error);
      if (condition === CONDITION.internal) this.services.log(`settle in '${this.queue.path}': ${error.stack}`);
      finish(delivery, rhea.message.rejected({ error: { condition, description: message } }).described());
    }
  }

  #settle(name, token, outcome) {
    const { broker, clock } = this.services;
    const now = clock();
    const { queue } = this;
    switch (name) {
      case 'accepted':
        return complete(broker, queue, token, now);
      case 'released':
        return release(broker, queue, token, now);
      case 'rejected':
        return reject(broker, queue, token, now, rejection(outcome.error?.info));
      default: {
        const changes = outcome.message_annotations ?? undefined;
        return outcome.undeliverable_here
          ? defer(broker, queue, token, now, changes)
          : abandon(broker, queue, token, now, changes);
      }
    }
  }

  /** The lock of this receiver's session has expired. */
  sessionLost() {
    this.session = undefined;
    this.services.receivers.remove(this);
    this.link.close({
      condition: CONDITION.sessionLockLost,
      description: `The lock of the session on '${this.queue.path}' has expired. Accept the session again.`,
    });
  }

  onClose() {
    const { receivers, broker, clock } = this.services;
    receivers.remove(this);
    if (this.waiting) {
      clearTimeout(this.waiting);
      this.waiting = undefined;
      receivers.stopWaiting(this);
      this.link.open(); // so that the detach which follows has an attach before it
    }
    if (this.session) giveBackSession(broker, this.session, clock(), { lapsed: false });
    this.session = undefined;
  }
}

/** Settles the delivery on this side, which ends it: the other side has nothing more to say about it. */
function finish(delivery, state) {
  delivery.update(true, state);
  delivery.remote_settled = true; // or rhea keeps it, and its window of unsettled deliveries fills up
}

function rejection(info) {
  const { DeadLetterReason: reason, DeadLetterErrorDescription: description, ...changes } = info ?? {};
  return { reason, description, changes };
}

/** A filter's value may come with a descriptor around it. */
function plain(value) {
  const inner = value?.value !== undefined ? value.value : value;
  return inner === undefined || inner === null ? null : String(inner);
}
