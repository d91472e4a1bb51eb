// What gateways send ahead, before the version is initialised: kept until it can begin.
import { frame } from './frames.mjs';
import { now } from './monotonic.mjs';
import { Reply } from './reply.mjs';

/** @typedef {import('./channel.mjs').Channel} Channel */

export class HeldFrames {
  /** @type {Array<{ channel: Channel, kind: number, stream: number, payload: Buffer, at: number }>} */
  #frames = [];

  /** @param {Channel} channel @param {number} kind @param {number} stream @param {Buffer} payload */
  hold(channel, kind, stream, payload) {
    if (kind === frame.cancel) {
      this.#drop((held) => held.channel === channel && held.stream === stream);
      new Reply(channel, stream).done();
    } else this.#frames.push({ channel, kind, stream, payload, at: now() });
  }

  /** A connection is gone. @param {Channel} channel */
  forget(channel) {
    this.#drop((held) => held.channel === channel);
  }

  /**
   * Says to all who sent something that it begins now, so that they know it from one that never began; then hands it out.
   * @param {(channel: Channel, kind: number, stream: number, payload: Buffer, heldMs: number) => void} sink
   */
  release(sink) {
    const frames = this.#frames;
    this.#frames = [];
    const channels = new Set();
    for (const { channel } of frames) channels.add(channel);
    for (const channel of channels) {
      channel.send(frame.begun, 0);
      channel.flush();
    }
    const released = now();
    for (const { channel, kind, stream, payload, at } of frames) sink(channel, kind, stream, payload, released - at);
  }

  /** @param {(held: { channel: Channel, stream: number }) => boolean} isGone */
  #drop(isGone) {
    this.#frames = this.#frames.filter((held) => !isGone(held));
  }
}
