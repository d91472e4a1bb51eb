/** A proxy of a private network: it ends a tunnel on a host in the network, and passes on what comes out of it. The kernel does that; this says how. */
import { createSocket } from 'node:dgram';
import { bindToInterface, namespaceCookie } from '../agent/linux/marked-sockets.ts';
import { Links } from '../agent/linux/links.ts';
import { Nftables } from '../agent/linux/nftables.ts';
import { forward, release } from '../agent/network/forwarding.ts';
import { addressBytes } from '../agent/network/address-plan.ts';
import { makeProxyEnd, removeEnd } from '../agent/network/private/vxlan.ts';
import type { NetworkCounts } from '../wire/agent-calls.ts';
import { maxProbeBytes, probePort, type ProbeAnswer, probeSchema, tunnelEnds, tunnelInterface } from '../wire/tunnel.ts';
import { readProxyCounts } from './proxy-counts.ts';
import { proxyRemoval, type ProxyOrder, proxyRules, proxyTable } from './proxy-rules.ts';

/** Shared by all proxies of a host; what is a host is a network namespace here, whose inode’s number another one may get. */
const forwardingFolder = (): string => `/run/swiftlet/proxy-forwarding-${namespaceCookie()}`;
/** What this host's kernel answers to a packet of a tunnel, such as a refusal, goes back by that tunnel: such answers have the packet’s mark. */
const answering = { 'ipv4/fwmark_reflect': '1' };
const countEveryMs = 1_000;

export interface RunningProxy extends AsyncDisposable {
  /** What went through since it was started; at most a second old. */
  readonly counts: () => NetworkCounts;
}

/**
 * Ends the tunnel on this host until disposed; what an earlier one of this tunnel has left is taken away first. Its own connections are reset
 * when it goes: the platform leads new ones through the other proxy.
 * @throws SystemCallError or Error without the rights, without nftables, or when a setting cannot be written; nothing is left then
 */
export function runProxy(order: ProxyOrder): RunningProxy {
  const { tunnel } = order;
  using opened = new DisposableStack();
  const links = opened.use(new Links());
  const rules = opened.use(new Nftables());
  rules.run(proxyRemoval(tunnel));
  removeEnd(links, tunnel);
  opened.defer(() => release(forwardingFolder(), forwarderOf(tunnel)));
  const { isOurs } = forward(forwardingFolder(), forwarderOf(tunnel), answering);
  opened.defer(() => rules.run(proxyRemoval(tunnel)));
  rules.run(proxyRules(order, isOurs));
  opened.defer(() => removeEnd(links, tunnel));
  makeProxyEnd(links, { id: tunnel, address: order.platform });

  const counted = { counts: readProxyCounts(rules.list(listing(tunnel))) };
  const counting = setInterval(() => {
    counted.counts = readProxyCounts(rules.list(listing(tunnel)));
  }, countEveryMs);
  opened.defer(() => clearInterval(counting));
  opened.use(answerProbes(tunnel, () => counted.counts));
  const running = opened.move();
  return {
    counts: () => counted.counts,
    [Symbol.asyncDispose]() {
      running.dispose();
      return Promise.resolve();
    },
  };
}

const forwarderOf = (tunnel: number): string => `proxy-${tunnel}`;
const listing = (tunnel: number): string => `list counters table inet ${proxyTable(tunnel)}`;

/** Says to whoever asks through the tunnel that it is there, and what it counted. */
function answerProbes(tunnel: number, counts: () => NetworkCounts): Disposable {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.on('message', (bytes, { address, port }) => {
    const asked = bytes.length > maxProbeBytes ? undefined : parseProbe(bytes);
    if (asked === undefined) return;
    const answer: ProbeAnswer = { probe: asked.probe, counts: counts() };
    socket.send(JSON.stringify(answer), port, address, () => undefined);
  });
  socket.bind({ fd: bindToInterface(tunnelInterface(tunnel).name, tunnel, addressBytes(tunnelEnds.proxy.address), probePort) });
  return { [Symbol.dispose]: () => socket.close() };
}

function parseProbe(bytes: Buffer) {
  try {
    return probeSchema.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}
