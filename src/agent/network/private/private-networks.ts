/** The private networks that functions on this host have: their tunnels, which are made at a deploy, and which proxy is used. */
import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import type { Version } from '../../../model/function.ts';
import { networkOf, privateNames } from '../../../model/network-policy.ts';
import type { PrivateNetwork } from '../../../model/private-network.ts';
import type { PrivateNetworkState } from '../../../wire/agent-calls.ts';
import { functionKey } from '../../../wire/published-state.ts';
import { tunnelEnds, tunnelInterface } from '../../../wire/tunnel.ts';
import { flowsMarked, forgetMarked, tcp } from '../../linux/conntrack.ts';
import { bindToInterface, RawSender } from '../../linux/marked-sockets.ts';
import type { NetworkNamespaces } from '../../linux/network-namespace.ts';
import type { ProxyReading } from '../../metrics.ts';
import { addressBytes } from '../address-plan.ts';
import type { RouterDoors } from '../router.ts';
import { readRecord, writeRecord } from './network-record.ts';
import { addressTowards, describeState, failureOf, type TunnelsState } from './network-state.ts';
import { choiceId, forgedMark, noPrivateNetworks, type PrivateChoice, privateChanges, type PrivateRules } from './private-rules.ts';
import { Prober } from './prober.ts';
import { provocation } from './provocation.ts';
import { afterProbe, chooseWay, goneDown, type Healths, places, probeEveryMs, unknown, type Way } from './proxy-choice.ts';
import { type Tunnel, type TunnelKind, tunnelPair } from './tunnel.ts';

export interface PrivateNetworksMeans {
  readonly namespaces: NetworkNamespaces;
  /** The router’s namespace. */
  readonly routerFd: number;
  readonly doors: RouterDoors;
  readonly kind: TunnelKind;
  /** A file of the agent’s, in the run folder. */
  readonly recordPath: string;
  readonly log: Logger;
}

type Probers = readonly [Prober, Prober];
/** A network that functions name. */
interface Used {
  readonly network: PrivateNetwork;
  readonly tunnels: readonly [Tunnel, Tunnel];
  /** Where its rules send new connections. */
  way: Way;
  healths: Healths;
  /** Absent when its tunnels could not be made, and why. */
  readonly made:
    | { readonly kind: 'made'; readonly probers: Probers }
    | { readonly kind: 'failed'; readonly why: string; readonly remedy: string };
}

/** Until something is known of its proxies. */
const firstWay: Way = { kind: 'through', place: 0 };
/** Of a network without tunnels. */
const cut: Way = { kind: 'cut' };
const largestSequence = 2 ** 32;

export class PrivateNetworks implements Disposable {
  readonly #means: PrivateNetworksMeans;
  readonly #used = new Map<string, Used>();
  readonly #sender: RawSender;
  readonly #timer: NodeJS.Timeout;
  #known: ReadonlyMap<string, PrivateNetwork>;
  /** Before control says what there is, nothing is known to be needed no more. */
  #isTold = false;
  #choices: readonly PrivateChoice[] = [];
  /** What the router was told; undefined until its rules are this agent’s own. */
  #inForce: PrivateRules | undefined;
  /** Whether connections are to go other ways than it was told. */
  #isBehind = false;

  /** Goes on with what an earlier agent left, and takes away what is nobody’s. @throws SystemCallError */
  constructor(means: PrivateNetworksMeans) {
    this.#means = means;
    this.#sender = means.namespaces.inside(means.routerFd, () => new RawSender(forgedMark));
    const record = readRecord(means.recordPath);
    this.#known = new Map(record.map(({ network }) => [keyOf(network), network]));
    for (const { network, way } of record) this.#used.set(keyOf(network), this.#setUp(network, way));
    const wanted = new Set([...this.#used.values()].flatMap(({ tunnels }) => tunnels.map(({ id }) => id)));
    for (const id of means.kind.list()) if (!wanted.has(id)) means.kind.remove(id);
    this.#guard();
    this.#timer = setInterval(() => {
      // What came while this process was busy has been read by then.
      setImmediate(() => this.#look());
    }, probeEveryMs).unref();
  }

  /** Takes what control has published. */
  know(networks: readonly PrivateNetwork[]): void {
    this.#isTold = true;
    this.#known = new Map(networks.map((network) => [keyOf(network), network]));
  }

  /**
   * Makes the tunnels that versions need and that are not there yet.
   * @returns what is to be said to the router so that its rules lead to them; to be followed by `settle`
   */
  prepare(versions: readonly Version[]): string[] {
    const wanted = new Map<string, PrivateChoice>();
    for (const version of versions) {
      const { tenant } = version;
      const names = privateNames(networkOf(version));
      if (names.length === 0) continue;
      const found = names.flatMap((name) => this.#known.get(functionKey(tenant, name)) ?? []);
      for (const network of found) this.#use(network);
      wanted.set(choiceId(tenant, names), { id: choiceId(tenant, names), numbers: found.map(({ number }) => number) });
    }
    this.#choices = [...wanted.values()];
    const needed = new Set(this.#choices.flatMap(({ numbers }) => numbers));
    for (const [key, used] of this.#used) {
      if (!this.#isTold || needed.has(used.network.number)) continue;
      this.#used.delete(key);
      this.#end(used);
    }
    return this.#changes();
  }

  /** The rules are in force: what nobody needs any more goes, and the next agent is told of the rest. */
  settle(): void {
    if (this.#inForce !== undefined && this.#changes().length === 0) return;
    this.#inForce = this.rules();
    const wanted = new Set([...this.#used.values()].flatMap(({ tunnels }) => tunnels.map(({ id }) => id)));
    for (const id of this.#means.kind.list()) {
      if (wanted.has(id)) continue;
      this.#forget(id);
      this.#means.kind.remove(id);
    }
    this.#guard();
    this.#record();
  }

  /** All that the router is to be told. */
  rules(): PrivateRules {
    const networks = [...this.#used.values()].map(({ network, way, made }) => ({ network, way: made.kind === 'made' ? way : cut }));
    return { networks, choices: this.#choices };
  }

  /** What a version has of private networks, by its name in the rules; undefined for one that names none. */
  choiceOf(version: Version): string | undefined {
    const names = privateNames(networkOf(version));
    return names.length === 0 ? undefined : choiceId(version.tenant, names);
  }

  /** How a network is; undefined for one that is not known here. */
  async state(tenant: string, name: string): Promise<PrivateNetworkState | undefined> {
    const network = this.#known.get(functionKey(tenant, name));
    if (network === undefined) return undefined;
    const used = this.#used.get(keyOf(network));
    const platforms = await Promise.all(network.proxies.map(addressTowards));
    return describeState(tunnelPair(network), platforms, used === undefined ? { kind: 'unused' } : stateOf(used));
  }

  /** How the proxies of all networks are that functions name. */
  proxies(): ProxyReading[] {
    return [...this.#used.values()].flatMap(({ network, tunnels, way, healths }) =>
      places.map((place) => ({
        tenant: network.tenant,
        network: network.name,
        proxy: tunnels[place].address,
        isUp: healths[place].kind === 'up',
        isActive: way.kind === 'through' && way.place === place,
      })),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    // A look that is due already finds nothing to do.
    this.#inForce = undefined;
    for (const used of this.#used.values()) this.#end(used);
    this.#sender[Symbol.dispose]();
  }

  /** Sees to it that it is set up as it is defined now; what failed is tried again. */
  #use(network: PrivateNetwork): void {
    const used = this.#used.get(keyOf(network));
    if (used?.network.number === network.number && used.made.kind === 'made') return;
    if (used !== undefined) this.#end(used);
    this.#used.set(keyOf(network), this.#setUp(network, firstWay));
  }

  #setUp(network: PrivateNetwork, way: Way): Used {
    const tunnels = tunnelPair(network);
    const common = { network, tunnels, way, healths: [unknown, unknown] as const };
    using opened = new DisposableStack();
    try {
      for (const tunnel of tunnels) this.#means.kind.make(tunnel, network.ranges);
      const [one, other] = tunnels;
      const probers: Probers = [opened.use(this.#prober(one)), opened.use(this.#prober(other))];
      for (const prober of probers) prober.ask();
      opened.move();
      return { ...common, made: { kind: 'made', probers } };
    } catch (error) {
      const { tenant, name } = network;
      this.#means.log.error({ err: error, tenant, network: name }, 'the tunnels of a private network could not be made');
      return { ...common, made: { kind: 'failed', ...failureOf(error) } };
    }
  }

  #prober({ id }: Tunnel): Prober {
    const address = addressBytes(tunnelEnds.platform.address);
    const { namespaces, routerFd } = this.#means;
    return new Prober(namespaces.inside(routerFd, () => bindToInterface(tunnelInterface(id).name, id, address, 0)));
  }

  #end({ made }: Used): void {
    if (made.kind === 'made') for (const prober of made.probers) prober[Symbol.dispose]();
  }

  #look(): void {
    // Until the rules are its own there is nothing that this could change.
    if (this.#inForce === undefined) return;
    const died = [...this.#used.values()].flatMap((used) => this.#judge(used));
    try {
      if (this.#isBehind) this.#redirect();
      for (const tunnel of died) this.#cut(tunnel);
    } catch (error) {
      this.#means.log.error({ err: error }, 'connections to private networks could not be led through other proxies');
    }
  }

  /** Judges by the last probes, and sends the next ones. @returns tunnels whose proxies have just died */
  #judge(used: Used): Tunnel[] {
    const { made, healths: before, way, network, tunnels } = used;
    if (made.kind !== 'made') return [];
    const [one, other] = made.probers;
    used.healths = [after(before[0], one), after(before[1], other)];
    one.ask();
    other.ask();
    used.way = chooseWay(way, used.healths);
    if (!isSame(way, used.way)) {
      this.#isBehind = true;
      const proxy = used.way.kind === 'cut' ? 'none' : tunnels[used.way.place].address;
      this.#means.log.warn({ tenant: network.tenant, network: network.name, proxy }, 'new connections to a private network go another way');
    }
    return goneDown(before, used.healths).map((place) => tunnels[place]);
  }

  #redirect(): void {
    const changes = this.#changes();
    if (changes.length > 0) this.#means.doors.rules.run(changes.join('\n'));
    this.#inForce = this.rules();
    this.#isBehind = false;
    this.#record();
  }

  #changes(): string[] {
    return privateChanges(this.#inForce ?? noPrivateNetworks, this.rules());
  }

  /** Resets what goes through a tunnel whose proxy has died, as far as TCP knows of that; the rest begins anew with its next packet. */
  #cut({ id }: Tunnel): void {
    const flows = flowsMarked(this.#means.doors.elements, id);
    this.#forget(id);
    for (const flow of flows) if (flow.protocol === tcp) this.#sender.send(provocation(flow, randomInt(largestSequence)), flow.source);
  }

  #forget(id: number): void {
    forgetMarked(this.#means.doors.elements, id);
  }

  #guard(): void {
    this.#means.kind.guard([...this.#used.values()].flatMap(({ tunnels }) => tunnels));
  }

  #record(): void {
    const record = [...this.#used.values()].map(({ network, way }) => ({ network, way }));
    writeRecord(this.#means.recordPath, record);
  }
}

const keyOf = ({ tenant, name }: PrivateNetwork): string => functionKey(tenant, name);

const isSame = (one: Way, other: Way): boolean =>
  one.kind === 'cut' ? other.kind === 'cut' : other.kind === 'through' && one.place === other.place;

const after = (health: Healths[number], { isAnswered }: Prober) => (isAnswered === undefined ? health : afterProbe(health, isAnswered));

const stateOf = ({ made, healths, way }: Used): TunnelsState =>
  made.kind === 'failed' ? made : { kind: 'made', healths, way, counts: made.probers.map(({ counts }) => counts) };
