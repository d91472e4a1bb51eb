// One connection of the platform to this instance. Frames of one turn leave in one write.
import { encodeFrame, frameDecoder } from './frames.mjs';
import { Buffer, nextTick, Promise } from './intrinsics.mjs';

/**
 * @typedef {object} Channel
 * @property {Map<number, import('./invocation.mjs').Invocation>} streams the invocations that came this way and are not over
 * @property {(kind: number, stream: number, payload?: string | Buffer) => void} send
 * @property {(frames: Buffer) => void} write sends what is framed already
 * @property {() => void} flush sends at once what else leaves at the end of this turn
 * @property {() => Promise<unknown> | undefined} drained resolves when the other side has taken what was sent; undefined when it has
 *
 * @typedef {(channel: Channel, kind: number, stream: number, payload: Buffer) => void} OnFrame
 */

/**
 * @param {import('node:net').Socket} socket
 * @param {OnFrame} onFrame what it throws closes the connection
 * @param {(channel: Channel) => void} onClose
 * @returns {Channel}
 */
export function openChannel(socket, onFrame, onClose) {
  /** @type {Buffer[]} */
  let waiting = [];
  const flush = () => {
    const frames = waiting;
    waiting = [];
    if (!socket.destroyed && frames.length > 0)
      socket.write(frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames));
  };

  /** @type {Channel} */
  const channel = {
    streams: new Map(),
    flush,
    write(frames) {
      if (waiting.push(frames) === 1) nextTick(flush);
    },
    send(kind, stream, payload = '') {
      channel.write(encodeFrame(kind, stream, payload));
    },
    drained() {
      if (!socket.writableNeedDrain || socket.destroyed) return undefined;
      return new Promise((resolve) => {
        const done = () => {
          socket.off('drain', done).off('close', done);
          resolve(undefined);
        };
        socket.on('drain', done).on('close', done);
      });
    },
  };

  const decode = frameDecoder((kind, stream, payload) => onFrame(channel, kind, stream, payload));
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    try {
      decode(chunk);
    } catch {
      socket.destroy();
    }
  });
  // Whatever the reason, what matters is that it is closed.
  socket.on('error', () => undefined);
  socket.once('close', () => onClose(channel));
  return channel;
}
