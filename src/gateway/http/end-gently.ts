import type { Socket } from 'node:net';
import { maxBodyBytes } from '../../model/limits.ts';

/** How long, and how many bytes more, a caller may go on sending what nobody reads. */
const lingerMs = 2_000;
const lingerBytes = maxBodyBytes;

/**
 * Ends a connection on which the caller may still be sending. To close it with bytes unread would reset it, and the caller would
 * lose the answer that says why; so what still comes is thrown away for a while. Something else must read the socket.
 */
export function endGently(socket: Socket): void {
  if (socket.destroyed) return;
  const limit = socket.bytesRead + lingerBytes;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.on('data', () => {
    if (socket.bytesRead > limit) socket.destroy();
  });
  socket.once('close', () => clearTimeout(timer));
  socket.end();
}
