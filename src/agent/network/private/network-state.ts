/** How a private network is, for people: what is wrong, and what to do about it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { NetworkCounts, PrivateNetworkState } from '../../../wire/agent-calls.ts';
import { tunnelPort } from '../../../wire/tunnel.ts';
import type { Healths, Way } from './proxy-choice.ts';
import { type Tunnel, TunnelsUnavailable } from './tunnel.ts';

export type TunnelsState =
  /** No function that serves names the network. */
  | { readonly kind: 'unused' }
  | { readonly kind: 'failed'; readonly why: string; readonly remedy: string }
  | { readonly kind: 'made'; readonly healths: Healths; readonly way: Way; readonly counts: readonly (NetworkCounts | undefined)[] };

/**
 * Pure.
 * @param platforms this host's address as each proxy sees it; undefined where there is no way to it
 */
export function describeState(
  tunnels: readonly [Tunnel, Tunnel],
  platforms: readonly (string | undefined)[],
  state: TunnelsState,
): PrivateNetworkState {
  const proxies = tunnels.map(({ id, address }, place) => {
    const [platform, counts] = [platforms[place], state.kind === 'made' ? state.counts[place] : undefined];
    return {
      address,
      tunnel: id,
      ...(platform === undefined ? {} : { platform }),
      health: state.kind === 'made' ? (state.healths[place]?.kind ?? ('unknown' as const)) : ('unknown' as const),
      isActive: state.kind === 'made' && state.way.kind === 'through' && state.way.place === place,
      ...(counts === undefined ? {} : { counts }),
    };
  });
  return { ...judge(state, proxies), proxies };
}

function judge(state: TunnelsState, proxies: PrivateNetworkState['proxies']): Pick<PrivateNetworkState, 'state' | 'detail'> {
  if (state.kind === 'unused') return { state: 'unused', detail: 'no function that serves names it; its tunnels are made when one does' };
  if (state.kind === 'failed') {
    return { state: 'failed', detail: `its tunnels could not be made (${state.why}): ${state.remedy}` };
  }
  const silent = proxies.filter(({ health }) => health === 'down');
  if (silent.length === 2)
    return { state: 'cut', detail: `neither proxy answers, and connections are refused: ${silent.map(remedy).join('; ')}` };
  const [one] = silent;
  if (one !== undefined) return { state: 'degraded', detail: `one proxy does not answer: ${remedy(one)}` };
  return proxies.every(({ health }) => health === 'unknown')
    ? { state: 'connecting', detail: 'nothing was heard of its proxies yet' }
    : { state: 'connected' };
}

/** Why tunnels could not be made, and what to do about it. */
export const failureOf = (error: unknown): { readonly why: string; readonly remedy: string } => ({
  why: error instanceof Error ? error.message : String(error),
  remedy:
    error instanceof TunnelsUnavailable
      ? error.remedy
      : 'the kernel must have VXLAN, and nobody else on this host tunnels of these numbers; deploy once more to try again',
});

const remedy = ({ address, tunnel, platform = '<this host’s address>' }: PrivateNetworkState['proxies'][number]): string =>
  `on ${address} run "swiftlet proxy --tunnel ${tunnel} --platform ${platform}", and let UDP port ${tunnelPort} through between both hosts`;

/** This host's address on the way to another one. @returns undefined when there is no way */
export async function addressTowards(address: string): Promise<string | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.connect(tunnelPort, address);
    await once(socket, 'connect');
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
