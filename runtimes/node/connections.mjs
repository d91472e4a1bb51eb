// The platform's connections to this process, from its first moment: it listens on descriptor 3, where the platform made a socket before
// this process began, says that it is there, and only then loads the rest. See docs/instance-protocol.md.
import { openChannel } from './channel.mjs';
import { frame, protocolVersion } from './frames.mjs';

const { createServer } = process.getBuiltinModule('node:net');
const controlDescriptor = 3;

/**
 * Takes connections until this process ends.
 * @param {(open: ReadonlySet<import('./channel.mjs').Channel>) => Promise<import('./instance.mjs').Instance>} load called once, when the
 *   platform knows that this process is there; it is given those that are open, as they come and go
 */
export function takeConnections(load) {
  /** @type {import('./instance.mjs').Instance | undefined} */
  let instance;
  /** @type {Promise<import('./instance.mjs').Instance> | undefined} */
  let loading;
  /** @type {Set<import('./channel.mjs').Channel>} */
  const channels = new Set();

  const loaded = () => (loading ??= load(channels).then((it) => (instance = it)));

  /** @type {import('./channel.mjs').OnFrame} */
  const receive = (channel, kind, stream, payload) => {
    if (instance !== undefined) {
      instance.receive(channel, kind, stream, payload);
    } else if (kind === frame.probe) {
      channel.send(frame.state, 0, JSON.stringify({ protocol: protocolVersion, state: 'booted', runtime: process.version }));
      setImmediate(loaded);
    } else {
      void loaded().then((it) => it.receive(channel, kind, stream, payload));
    }
  };

  /** @param {import('./channel.mjs').Channel} channel */
  const forget = (channel) => {
    channels.delete(channel);
    instance?.forget(channel);
  };

  createServer((socket) => channels.add(openChannel(socket, receive, forget))).listen({ fd: controlDescriptor });
}
