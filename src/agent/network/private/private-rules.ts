/**
 * What becomes of packets to private networks, as rules of the router. A packet gets its tunnel's mark before it is routed, by the line that it
 * comes from, and its connection keeps that mark: so networks of two tenants may have the same addresses. Pure: text in, text out.
 */
import { createHash } from 'node:crypto';
import type { PrivateNetwork } from '../../../model/private-network.ts';
import { tunnelInterface, tunnelInterfaces, tunnelMtu, tunnelsOf } from '../../../wire/tunnel.ts';
import { choiceChain, privateMap } from '../binding.ts';
import type { Way } from './proxy-choice.ts';

/** Which marks connections of a tunnel’s packets may have. */
const waysSet = 'ways';
/** Of packets for a network without a proxy that answers. No tunnel has it. */
const cutMark = 2 ** 24;
/** Of packets that the router itself makes in others’ names; nothing follows them. */
export const forgedMark = 2 ** 25;
const table = 'inet swiftlet';
const headerBytes = 40;

/** A network as its rules are made of it. */
export interface RuledNetwork {
  readonly network: Pick<PrivateNetwork, 'number' | 'ranges'>;
  readonly way: Way;
}

/** The networks that some lines have together. */
export interface PrivateChoice {
  /** Names it in the rules. */
  readonly id: string;
  readonly numbers: readonly number[];
}

export interface PrivateRules {
  readonly networks: readonly RuledNetwork[];
  readonly choices: readonly PrivateChoice[];
}

export const noPrivateNetworks: PrivateRules = { networks: [], choices: [] };

/** Names what a tenant’s functions have that name these networks. */
export const choiceId = (tenant: string, names: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([tenant, ...names.toSorted()]))
    .digest('hex')
    .slice(0, 12);
const networkChain = (number: number): string => `network_${number}`;

/** The mark that new connections to a network get. */
const markOf = (number: number, way: Way): number => (way.kind === 'cut' ? cutMark : tunnelsOf(number)[way.place]);

/** What goes into the router’s table beside its other sets and maps. */
export const privateSets = ({ networks }: PrivateRules): string =>
  `set ${waysSet} { type ifname . mark; ${elements(networks.flatMap(({ network }) => wayElements(network.number)))} }`;

/** The chains; the table has the chains `choose` and `unreachable`, and the sets of lines’ limits and counts. */
export function privateChains({ networks, choices }: PrivateRules, bandwidth: string): string {
  return [
    ...networks.map((ruled) => `chain ${networkChain(ruled.network.number)} {\n    ${networkRule(ruled)}\n  }`),
    ...choices.map(chainOfChoice),
    `chain steering {
    type filter hook prerouting priority mangle; policy accept;
    ct state established,related meta mark set ct mark accept
    ct state new iifname vmap @${privateMap}
  }
  chain forged {
    type filter hook output priority raw; policy accept;
    meta mark ${forgedMark} notrack
  }
  chain to_tunnel {
    oifname . ct mark != @${waysSet} goto unreachable
    # What a proxy has taken with it ends at its next packet.
    ct state new tcp flags & (fin | syn | rst | ack) != syn reject with tcp reset
    tcp flags syn tcp option maxseg size set rt mtu
  }
  chain from_tunnel {
    iifname . ct mark != @${waysSet} drop
    update @receiving { oifname ${bandwidth} } drop
    update @received { oifname counter }
    tcp flags syn tcp option maxseg size set ${tunnelMtu - headerBytes}
    ct state established,related accept
    drop
  }`,
  ].join('\n  ');
}

/** In the chain for all that is forwarded, before everything else. */
export const fromTunnels = `iifname "${tunnelInterfaces}*" goto from_tunnel`;
/** In the chain for what is for the router itself: whoever has a proxy gets answers to nothing, and gives answers to probes. */
export const toRouter = `iifname "${tunnelInterfaces}*" ct state established accept
    iifname "${tunnelInterfaces}*" drop`;

/** Has new connections to a network go another way. */
export function redirection(ruled: RuledNetwork): string {
  const chain = networkChain(ruled.network.number);
  return `flush chain ${table} ${chain}\nadd rule ${table} ${chain} ${networkRule(ruled)}`;
}

/** What is to be said so that the rules are those of `after`; of the lines nothing: each is bound by itself. */
export function privateChanges(before: PrivateRules, after: PrivateRules): string[] {
  const [oldNetworks, newNetworks] = [numbersOf(before), numbersOf(after)];
  const [oldChoices, newChoices] = [idsOf(before), idsOf(after)];
  const made = [
    ...after.networks
      .filter(({ network }) => !oldNetworks.has(network.number))
      .flatMap((ruled) => [
        `chain ${networkChain(ruled.network.number)} {\n    ${networkRule(ruled)}\n  }`,
        `set ${waysSet} { type ifname . mark; ${elements(wayElements(ruled.network.number))} }`,
      ]),
    ...after.choices.filter(({ id }) => !oldChoices.has(id)).map(chainOfChoice),
  ];
  const isOther = (rule: string, old: string | undefined) => old !== undefined && old !== rule;
  return [
    ...(made.length === 0 ? [] : [`table ${table} {\n  ${made.join('\n  ')}\n}`]),
    ...after.networks.filter((ruled) => isOther(networkRule(ruled), oldNetworks.get(ruled.network.number))).map(redirection),
    ...after.choices
      .filter((choice) => isOther(chainOfChoice(choice), oldChoices.get(choice.id)))
      .flatMap((choice) => [`flush chain ${table} ${choiceChain(choice.id)}`, `table ${table} {\n  ${chainOfChoice(choice)}\n}`]),
    ...before.choices.filter(({ id }) => !newChoices.has(id)).map(({ id }) => `delete chain ${table} ${choiceChain(id)}`),
    ...before.networks
      .filter(({ network }) => !newNetworks.has(network.number))
      .flatMap(({ network: { number } }) => [
        `delete chain ${table} ${networkChain(number)}`,
        `delete element ${table} ${waysSet} { ${wayElements(number).join(', ')} }`,
      ]),
  ];
}

/** What the rules say, by what it is about. */
const numbersOf = ({ networks }: PrivateRules): ReadonlyMap<number, string> =>
  new Map(networks.map((ruled) => [ruled.network.number, networkRule(ruled)]));
const idsOf = ({ choices }: PrivateRules): ReadonlyMap<string, string> =>
  new Map(choices.map((choice) => [choice.id, chainOfChoice(choice)]));

function networkRule({ network: { number, ranges }, way }: RuledNetwork): string {
  const mark = markOf(number, way);
  return `ip daddr { ${ranges.join(', ')} } meta mark set ${mark} ct mark set ${mark} accept`;
}

const chainOfChoice = ({ id, numbers }: PrivateChoice): string =>
  `chain ${choiceChain(id)} {\n${numbers.map((number) => `    jump ${networkChain(number)}`).join('\n')}\n  }`;

const wayElements = (number: number): string[] => tunnelsOf(number).map((id) => `"${tunnelInterface(id).name}" . ${id}`);

const elements = (list: readonly string[]): string => (list.length === 0 ? '' : `elements = { ${list.join(', ')} }`);
