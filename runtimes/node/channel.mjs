// One connection of the platform to this instance. Frames of one turn leave in one write.
import { encodeFrame, frameDecoder } from './frames.mjs';

/**
 * @param {import('node:net').Socket} socket
 * @param {(channel: Channel, kind: number, stream: number, payload: Buffer) => void} onFrame
 * @param {(channel: Channel) => void} onClose
 * @typedef {{ send(kind: number, stream: number, payload?: string | Buffer): void, write(frames: Buffer): void, streams: Map<number, any>, drained(): Promise<void> | undefined }} Channel
 * @returns {Channel}
 */
export function openChannel(socket, onFrame, onClose) {
  /** @type {Buffer[]} */
  let waiting = [];
  const flush = () => {
    const frames = waiting;
    waiting = [];
    if (!socket.destroyed) socket.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  };
  const channel = {
    streams: new Map(),
    write(frames) {
      if (waiting.push(frames) === 1) process.nextTick(flush);
    },
    send(kind, stream, payload = '') {
      channel.write(encodeFrame(kind, stream, payload));
    },
    drained: () => (socket.writableNeedDrain ? new Promise((resolve) => socket.once('drain', resolve).once('close', resolve)) : undefined),
  };
  const decode = frameDecoder((kind, stream, payload) => onFrame(channel, kind, stream, payload));
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    try {
      decode(chunk);
    } catch {
      socket.destroy();
    }
  });
  socket.on('error', () => undefined);
  socket.once('close', () => onClose(channel));
  return channel;
}
