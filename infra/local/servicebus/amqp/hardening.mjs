import rhea from 'rhea';
import frames from 'rhea/lib/frames.js';

/** The largest frame that we announce. A larger one is a fault of the peer, and no reason to buffer without end. */
const FRAME_BYTES_MAX = 65_536;
/** A message in many frames may have this many bytes. A larger one ends the connection. */
const MESSAGE_BYTES_MAX = 112 * 1_048_576;
const ARRAY_ITEMS_MAX = 65_536;

// with items of no width, a few bytes could claim four billion items
const readArrayItems = rhea.types.Reader.prototype.read_array_items;
rhea.types.Reader.prototype.read_array_items = function readBoundedArrayItems(count, type) {
  if (type.width === 0 && count > ARRAY_ITEMS_MAX) throw new Error('an AMQP array claims too many items');
  return readArrayItems.call(this, count, type);
};

/**
 * Makes one of rhea's connections safe against peers that send nonsense, and leaves messages as the bytes they are.
 * rhea throws on bad frames and reports through events. Whatever goes wrong ends only this connection.
 */
export function harden(connection, socket, onFault) {
  const fault = (error) => {
    onFault(error);
    socket.destroy();
  };
  for (const event of ['error', 'protocol_error']) connection.on(event, fault);
  guard(connection, '_process', fault);
  guard(connection, '_write_frame', fault);
  guard(connection, 'idle', fault);

  const input = connection.input;
  connection.input = function boundedInput(bytes) {
    if (socket.destroyed) return;
    input.call(connection, bytes);
    // rhea sets frame_size when it has seen only the beginning of a frame
    if (connection.frame_size > FRAME_BYTES_MAX) fault(new Error(`a frame of ${connection.frame_size} bytes`));
  };

  const process = connection._process;
  connection._process = function corkedProcess() {
    socket.cork(); // one write for all frames of a turn
    process.call(connection);
    socket.uncork();
  };

  const onDisposition = connection.on_disposition;
  connection.on_disposition = function boundedDisposition(frame) {
    const { first, last } = frame.performative;
    if (typeof last === 'number' && last - first > 1_000_000) throw new Error('a disposition of too many deliveries');
    onDisposition.call(connection, frame);
  };

  const createSession = connection.create_session;
  connection.create_session = function sessionWithOwnDispositions(...args) {
    const session = createSession.apply(connection, args);
    tellEachOutcome(session, session.incoming);
    tellEachOutcome(session, session.outgoing);
    return session;
  };

  const onTransfer = connection.on_transfer;
  connection.on_transfer = function rawTransfer(frame) {
    const transfer = frame.performative;
    // rhea decodes format 0 itself and so loses types; it passes any other format on as bytes
    if (transfer.message_format === 0) transfer.message_format = null;
    if (!frame.payload) frame.payload = Buffer.alloc(0);
    countBytes(connection, frame);
    onTransfer.call(connection, frame);
  };
}

/**
 * rhea puts consecutive dispositions of one turn into one frame, and does not compare the outcomes of the first
 * two: the second would get the outcome of the first. So each disposition is written in a frame of its own.
 */
function tellEachOutcome(session, direction) {
  direction.update = function update(delivery, settled, state) {
    delivery.settled = settled;
    if (state !== undefined) delivery.state = state;
    if (delivery.remote_settled) return;
    session.output(
      frames.disposition({
        role: delivery.link.is_receiver(),
        first: delivery.id,
        last: delivery.id,
        settled,
        state: delivery.state,
      }),
    );
    session.connection._register(); // what is settled is then dropped
  };
}

function countBytes(connection, { channel, payload, performative }) {
  const link = connection.remote_channel_map[channel]?.remote.handles[performative.handle];
  if (!link) return;
  link.collected = (link._incomplete ? (link.collected ?? 0) : 0) + payload.length;
  if (link.collected > MESSAGE_BYTES_MAX) throw new Error(`a message of more than ${MESSAGE_BYTES_MAX} bytes`);
}

function guard(target, method, fault) {
  const original = target[method];
  target[method] = function guarded(...args) {
    try {
      return original.apply(target, args);
    } catch (error) {
      fault(error);
      return undefined;
    }
  };
}
