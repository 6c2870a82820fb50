/** A silent connection is closed after this time, as an operating system does in the end. */
const SILENCE_MS_MAX = 600_000;

/** Makes the connection half-open: nothing is read from it or written to it, and it is not closed. */
export function fallSilent(connection) {
  const { socket } = connection;
  socket.pause();
  socket.write = () => true;
  clearTimeout(connection.heartbeat_in); // it would hang up on a client that it does not hear
  const end = setTimeout(() => socket.destroy(), SILENCE_MS_MAX).unref();
  socket.once('close', () => clearTimeout(end));
}
