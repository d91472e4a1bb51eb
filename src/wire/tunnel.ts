/** How the platform's host and a proxy of a private network speak: a tunnel of packets, and probes through it. */
import { z } from 'zod';
import { networkCountsSchema } from './agent-calls.ts';

/** The tunnels of a private network, in the order of its proxies: numbers of 24 bits, as VXLAN has them. @param number the network’s own */
export const tunnelsOf = (number: number): readonly [number, number] => [2 * number, 2 * number + 1];

/** UDP; none of the ports that other tunnels of a host usually have. */
export const tunnelPort = 14_789;
/** The largest packet that fits through where the hosts speak Ethernet: what is around it takes 50 bytes. */
export const tunnelMtu = 1_450;

/** The ends’ own addresses: link-local, the same in every tunnel, and seen by nobody outside. */
export const tunnelEnds = {
  platform: { address: '169.254.83.1', hardware: '02:53:00:00:00:01' },
  proxy: { address: '169.254.83.2', hardware: '02:53:00:00:00:02' },
} as const;
/** Whose packets come through: those of sandboxes, on whatever platform. */
export const sandboxAddresses = '198.18.0.0/15';

/** On both hosts: the interface of a tunnel, and what the names of all begin with. */
export const tunnelInterfaces = 'swpn';
export const tunnelInterface = (id: number) => ({ name: `${tunnelInterfaces}${id}`, index: 2 ** 24 + id });

/** UDP, at the proxy’s end of the tunnel. */
export const probePort = 14_790;
/** A probe: the answer has its number, which nobody can guess. */
export const probeSchema = z.object({ probe: z.int() });
export type Probe = z.output<typeof probeSchema>;
/** What the proxy counted since it was started. */
export const probeAnswerSchema = probeSchema.extend({ counts: networkCountsSchema });
export type ProbeAnswer = z.output<typeof probeAnswerSchema>;
export const maxProbeBytes = 512;
