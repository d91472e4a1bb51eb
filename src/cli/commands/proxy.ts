import { isIPv4 } from 'node:net';
import { hasSysAdmin } from '../../agent/isolation.ts';
import { SwiftletError } from '../../model/errors.ts';
import { runProxy, type RunningProxy } from '../../proxy/run-proxy.ts';
import { messageOf } from '../failure.ts';
import { openOutput } from '../output.ts';

export interface ProxyFlags {
  readonly tunnel: number;
  readonly platform: string;
  readonly connections: number;
  readonly json?: boolean;
}

/** Runs until it is told to stop. */
export async function proxy({ tunnel, platform, connections, json = false }: ProxyFlags): Promise<void> {
  if (!isIPv4(platform)) throw new SwiftletError('BadRequest', `"${platform}" is no IPv4 address`, { place: '--platform' });
  const output = openOutput(json);
  // Whoever reads that it runs may end it at once.
  const stopped = toldToStop();
  await using running = start({ tunnel, platform, connections });
  const told = { tunnel, platform, connections };
  output.result(told, () => `The proxy ends the tunnel ${tunnel} from ${platform}. It goes on until it is stopped.`);
  await stopped;
  const { connections: opened, sentBytes, receivedBytes } = running.counts();
  output.note(`${opened} connections went through it: ${sentBytes} bytes out, ${receivedBytes} bytes in.`);
}

function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

/** @throws SwiftletError IsolationUnavailable, with what is missing */
function start(order: { readonly tunnel: number; readonly platform: string; readonly connections: number }): RunningProxy {
  if (!hasSysAdmin()) throw unavailable('it makes an interface and rules, and needs root for that');
  try {
    return runProxy(order);
  } catch (error) {
    const why = messageOf(error);
    const needs = 'it needs a kernel with VXLAN, nftables and connection tracking';
    const remedy = why.includes('libnftables') ? ': apt-get install -y nftables' : `; ${needs}`;
    throw unavailable(`${why}${remedy}`);
  }
}

const unavailable = (why: string): SwiftletError => new SwiftletError('IsolationUnavailable', `the proxy cannot run on this host: ${why}`);
