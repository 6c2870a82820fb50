import rhea from 'rhea';
import { BrokerError, CONDITION } from '../conditions.mjs';
import { harden } from './hardening.mjs';
import { Intake } from './intake.mjs';
import { pathOf, refuse } from './links.mjs';
import { Outlet } from './outlet.mjs';
import { RequestIntake, Replies } from './requests.mjs';
import { putToken } from './cbs.mjs';
import { manage } from './management.mjs';

const MANAGEMENT = '/$management';

/** What the emulator says when a connection opens. */
const CONNECTION_OPTIONS = {
  container_id: 'service-bus-emulator',
  max_frame_size: 65_536,
  idle_time_out: 60_000,
  channel_max: 4_999,
  tcp_no_delay: true,
  session_buffer_size: { incoming: 2_048, outgoing: 4_096 },
};

/** Speaks AMQP 1.0 with Service Bus clients: routes links to what handles them. */
export class AmqpServer {
  #container = rhea.create_container({
    id: 'service-bus-emulator',
    receiver_options: { autoaccept: false, credit_window: 1_000 },
    sender_options: { treat_modified_as_released: false },
  });
  #sockets = new Set();

  /**
   * @param {object} services broker, receivers, faults, clock, log
   */
  constructor(services) {
    this.services = services;
    const mechanisms = this.#container.sasl_server_mechanisms;
    // .NET accepts only MSSBCBS; JavaScript picks ANONYMOUS. Both mean that the proof comes later, on $cbs.
    mechanisms.MSSBCBS = () => ({
      outcome: undefined,
      start() {
        this.outcome = true;
      },
    });
    mechanisms.enable_anonymous();
    this.#listen();
  }

  accept(socket) {
    const connection = this.#container.create_connection({ ...CONNECTION_OPTIONS });
    /** Until when this connection may attach links, by the tokens that were put on $cbs. */
    connection.authorizedUntil = 0;
    harden(connection, socket, (error) => this.services.log(`AMQP connection ended: ${error.message ?? error}`));
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      clearTimeout(connection.heartbeat_in);
      clearTimeout(connection.heartbeat_out);
      eachLink(connection, closed);
    });
    connection.accept(socket);
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen() {
    const container = this.#container;
    const on = (event, handle) =>
      container.on(event, (context) => {
        try {
          handle(context);
        } catch (error) {
          this.services.log(`AMQP ${event}: ${error.stack}`);
          context.connection?.socket?.destroy();
        }
      });
    on('receiver_open', ({ receiver }) => this.#open(receiver, receiver.target?.address, intakeOf));
    on('sender_open', ({ sender }) => this.#open(sender, sender.source?.address, outletOf));
    on('message', (context) => context.receiver.endpoint?.onMessage(context));
    on('sender_flow', ({ sender }) => sender.endpoint?.onCredit());
    on('sendable', ({ sender }) => sender.endpoint?.onCredit());
    on('sender_draining', ({ sender }) => sender.endpoint?.onDrain());
    for (const name of ['accepted', 'rejected', 'released', 'modified']) {
      on(name, ({ sender, delivery }) => sender.endpoint?.onOutcome(name, delivery));
    }
    for (const event of ['sender_close', 'receiver_close'])
      on(event, ({ sender, receiver }) => closed(sender ?? receiver));
    on('session_close', ({ session }) => session.each_link(closed));
    for (const event of [
      'connection_open',
      'connection_close',
      'connection_error',
      'disconnected',
      'session_open',
      'session_error',
      'sender_error',
      'receiver_error',
      'settled',
      'receiver_flow',
      'receiver_drained',
      'error',
    ]) {
      on(event, () => {});
    }
  }

  /** Gives the link its handler, or refuses it. */
  #open(link, address, make) {
    try {
      if (typeof address !== 'string')
        throw new BrokerError(CONDITION.notImplemented, 'A link needs an address; transactions are not supported.');
      const path = pathOf(address);
      if (path !== '$cbs') this.#demandToken(link.connection);
      link.endpoint = make(link, path, this.services);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      refuse(link, error);
    }
  }

  #demandToken(connection) {
    if (connection.authorizedUntil > this.services.clock()) return;
    throw new BrokerError(CONDITION.unauthorized, 'Unauthorized access: put a valid token on $cbs first.');
  }
}

/** A link on which the client sends. */
function intakeOf(link, path, services) {
  if (path === '$cbs') return new RequestIntake(link, services, putToken);
  if (path.toLowerCase().endsWith(MANAGEMENT)) {
    return new RequestIntake(link, services, manage(services, path.slice(0, -MANAGEMENT.length)));
  }
  return new Intake(link, path, services);
}

/** A link on which the client receives. */
function outletOf(link, path, services) {
  if (path === '$cbs' || path.toLowerCase().endsWith(MANAGEMENT)) return new Replies(link);
  return new Outlet(link, path, services);
}

function closed(link) {
  const { endpoint } = link;
  link.endpoint = undefined;
  endpoint?.onClose();
}

function eachLink(connection, action) {
  for (const session of Object.values(connection.local_channel_map)) session.each_link(action);
}
