// The first file of every Node.js sandbox. It listens on descriptor 3, where the platform made a socket before this process began,
// says that it is there, and only then loads the rest. See docs/instance-protocol.md.
//
// Budget: 2 ms more than a bare Node.js. The agent makes one file of this folder, and no built-in module is imported anywhere in it:
// getBuiltinModule() gives the same without the ES module around it, which costs 0.1 ms and up to 100 KB for each.
import { openChannel } from './channel.mjs';
import { frame, protocolVersion } from './frames.mjs';

const { createServer } = process.getBuiltinModule('node:net');
const controlDescriptor = 3;

/** @type {import('./instance.mjs').Instance | undefined} */
let instance;
/** @type {Promise<import('./instance.mjs').Instance> | undefined} */
let loading;
/** Those that are open. @type {Set<import('./channel.mjs').Channel>} */
const channels = new Set();

async function load() {
  const { openInstance } = await import('./instance.mjs');
  instance = openInstance(channels, process.argv.slice(2));
  return instance;
}

/** @type {import('./channel.mjs').OnFrame} */
function receive(channel, kind, stream, payload) {
  if (instance !== undefined) {
    instance.receive(channel, kind, stream, payload);
  } else if (kind === frame.probe) {
    channel.send(frame.state, 0, JSON.stringify({ protocol: protocolVersion, state: 'booted', runtime: process.version }));
    setImmediate(() => (loading ??= load()));
  } else {
    loading ??= load();
    void loading.then((loaded) => loaded.receive(channel, kind, stream, payload));
  }
}

/** @param {import('./channel.mjs').Channel} channel */
function forget(channel) {
  channels.delete(channel);
  instance?.forget(channel);
}

createServer((socket) => channels.add(openChannel(socket, receive, forget))).listen({ fd: controlDescriptor });
