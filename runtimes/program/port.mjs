// The port that a server is to listen on, and when it does.
const { connect, createServer } = process.getBuiltinModule('node:net');

/** What Knative and others give, too. A sandbox has a loopback of its own; only without isolation somebody else may have it. */
const usualPort = 8080;
export const host = '127.0.0.1';
const firstPauseMs = 1;
const longestPauseMs = 20;

/** @returns {Promise<number>} the usual port, or any that is free */
export async function portFor() {
  return (await tryPort(usualPort)) ?? (await tryPort(0)) ?? usualPort;
}

/** @param {number} wanted @returns {Promise<number | undefined>} */
function tryPort(wanted) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(wanted, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * Looks again and again whether somebody takes connections; each look costs some 50 µs.
 * @param {number} port
 * @returns {{ listening: Promise<void>, stop: () => void }}
 */
export function untilListening(port) {
  let isStopped = false;
  /** @type {NodeJS.Timeout | undefined} */
  let again;
  /** @type {Promise<void>} */
  const listening = new Promise((resolve) => {
    const look = (/** @type {number} */ pauseMs) => {
      const socket = connect({ host, port });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', () => {
        if (!isStopped) again = setTimeout(look, pauseMs, Math.min(pauseMs * 2, longestPauseMs));
      });
    };
    look(firstPauseMs);
  });
  return {
    listening,
    stop() {
      isStopped = true;
      clearTimeout(again);
    },
  };
}
