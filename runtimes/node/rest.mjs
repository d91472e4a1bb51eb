// The agent's question whether anything of a request goes on in this process, answered as soon as nothing does: only then it is frozen.
import { backgroundCount } from './background.mjs';
import { frame } from './frames.mjs';
import { giveBack } from './give-back.mjs';
import { clearTimeout, setTimeout } from './intrinsics.mjs';

/** @typedef {import('./channel.mjs').Channel} Channel */

const lookEveryMs = 20;

export class Rest {
  #channels;
  /** Who waits for the answer. @type {Channel | undefined} */
  #asker;
  #isForLong = false;
  /** Connections that are gone, while handlers go on that were begun over them. @type {Set<Channel>} */
  #left = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  #again;

  /** @param {ReadonlySet<Channel>} channels those that are open */
  constructor(channels) {
    this.#channels = channels;
  }

  /** @param {Channel} channel who asks, and is connected itself @param {boolean} isForLong whether what is in memory then goes to swap later */
  ask(channel, isForLong) {
    this.#asker = channel;
    this.#isForLong = isForLong;
    this.#look();
  }

  /** A connection is gone. @param {Channel} channel */
  forget(channel) {
    if (channel.streams.size > 0) this.#left.add(channel);
    if (channel === this.#asker) this.#asker = undefined;
    this.#look();
  }

  #look() {
    clearTimeout(this.#again);
    // While others are connected their going is waited for.
    if (this.#asker === undefined || this.#channels.size > 1) return;
    for (const channel of this.#left) if (channel.streams.size === 0) this.#left.delete(channel);
    if (this.#left.size > 0 || backgroundCount() > 0) {
      this.#again = setTimeout(() => this.#look(), lookEveryMs);
      return;
    }
    if (this.#isForLong) giveBack();
    this.#asker.send(frame.resting, 0);
    this.#asker = undefined;
  }
}
