/** A silent connection is let go after this, as an operating system in the end does. */
const SILENCE_MS_MAX = 600_000;

/** The connection becomes half-open: nothing is read from it any more, nothing written, and it is not closed either. */
export function fallSilent(connection) {
  const { socket } = connection;
  socket.pause();
  socket.write = () => true;
  clearTimeout(connection.heartbeat_in); // it would hang up on a client that it does not hear
  const end = setTimeout(() => socket.destroy(), SILENCE_MS_MAX).unref();
  socket.once('close', () => clearTimeout(end));
}
