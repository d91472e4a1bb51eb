import { addAbortListener } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** All connections of callers, for a stop that breaks none of them before its time. */
export interface Connections {
  /** No new ones from now on. Those that are there go on. */
  refuseMore(): void;
  /** Ends each as soon as what was written to it is out. @returns once none is left, those that take longer being broken */
  end(graceOver: AbortSignal): Promise<void>;
}

export function connectionsOf(server: Server): Connections {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const { promise: closed, resolve } = Promise.withResolvers<undefined>();
  return {
    refuseMore() {
      // The close of node:http would break connections between two requests, and those whose last answer is not out yet.
      NetServer.prototype.close.call(server, () => resolve(undefined));
    },
    async end(graceOver) {
      for (const socket of open) socket.destroySoon();
      // What was written in this turn has the next one to get out.
      using _late = addAbortListener(graceOver, () => setImmediate(() => open.forEach((socket) => socket.destroy())));
      await closed;
      // Nothing is left to close but its timers.
      server.close();
    },
  };
}
