/** The sandboxes' way out: which policy each line has, what it used, and what was refused. Binding serves the network phase of a cold start. */
import type { Logger } from 'pino';
import type { Version } from '../../model/function.ts';
import { networkOf, type NetworkPolicy, usualPolicy } from '../../model/network-policy.ts';
import type { PrivateNetwork } from '../../model/private-network.ts';
import type { NetworkCounts, PrivateNetworkState } from '../../wire/agent-calls.ts';
import { functionKey } from '../../wire/published-state.ts';
import { changeElements } from '../linux/set-element.ts';
import type { ProxyReading } from '../metrics.ts';
import { addressText, type Line, lineAt, lineInterface } from './address-plan.ts';
import { type Divisor, divisorFor } from './allowance.ts';
import { type Binding, bindingKey } from './binding.ts';
import { LineBindings } from './line-bindings.ts';
import type { NamePins, ResolvedAddress } from './name-pins.ts';
import { policyId, policyRemoval, policyRules } from './policy-rules.ts';
import type { PrivateNetworks } from './private/private-networks.ts';
import type { Refusal } from './refusal.ts';
import { refusalText } from './refusal.ts';
import { counterSets, routerRules, table } from './router-rules.ts';
import type { Router, RouterDoors } from './router.ts';
import { type CounterSet, readCounts, LineCounts } from './line-counts.ts';

/** Who a line belongs to, for good: an instance of a function, or a build. */
export interface LineOwner {
  readonly policy: NetworkPolicy;
  /** Whose private networks it reaches; undefined: nobody's. */
  readonly version: Version | undefined;
  /** The key of the function whose connections these are; undefined: they are counted for nobody. */
  readonly countedFor: string | undefined;
  /** Writes a line where those look whose code it is. */
  readonly tell: (message: string) => void;
}

export interface NetworkMeans {
  readonly router: Router;
  readonly doors: RouterDoors;
  readonly pins: NamePins;
  readonly privately: PrivateNetworks;
  /** Ranges that the operator has opened although they are closed. */
  readonly opened: readonly string[];
  /** Policies that have rules whoever serves. */
  readonly standing: readonly NetworkPolicy[];
  /** How many connections the host’s table takes. */
  readonly hostPlaces: number;
  /** Sandboxes that there can be here. */
  readonly maxSandboxes: number;
  /** What the resolver is to know of a line; undefined when it is gone. */
  readonly resolve: (line: Line, policy: NetworkPolicy | undefined) => void;
  readonly log: Logger;
}

const collectAfterMs = 1_000;
/** What a version has that says nothing of its network. */
const usual: Binding = { policy: policyId(usualPolicy), choice: undefined, divisor: 1 };

export class Network {
  readonly #means: NetworkMeans;
  readonly #owners = new Map<Line, LineOwner>();
  readonly #bindings: LineBindings;
  /** What versions that serve have, by its key. */
  #wanted: ReadonlySet<string> = new Set();
  readonly #bindingsFor = new WeakMap<Version, Binding | undefined>();
  /** Policies that have rules, by their id. */
  readonly #policies = new Map<string, NetworkPolicy>();
  readonly #counts = new LineCounts();
  /** Lines that are gone, whose counts were not taken yet. */
  readonly #gone = new Map<Line, LineOwner>();
  #collection: NodeJS.Timeout | undefined;
  /** Until `repair` the rules are what an earlier agent left. */
  #isRepaired = false;

  constructor(means: NetworkMeans) {
    this.#means = means;
    this.#bindings = new LineBindings(means.doors.elements);
  }

  /**
   * Whether a sandbox that an earlier agent booted is whole: its cable may hang on a router that is gone.
   * @param line undefined for one without a cable
   */
  reaches(line: Line | undefined): boolean {
    return line !== undefined && this.#means.router.wasThere;
  }

  /**
   * Makes the rules of all that serve, and the tunnels that they need; those that nobody needs any more go.
   * @param networks the private networks that there are; absent: those that are known
   * @throws Error with what nft says
   */
  publish(versions: readonly Version[], networks?: readonly PrivateNetwork[]): void {
    const { privately, standing } = this.#means;
    if (networks !== undefined) privately.know(networks);
    const owners = [...this.#owners.values()];
    const policies = [...standing, ...versions.map(networkOf), ...owners.map(({ policy }) => policy)];
    const wanted = new Map(policies.map((policy) => [policyId(policy), policy]));
    const commands = privately.prepare([...versions, ...owners.flatMap(({ version }) => version ?? [])]);
    this.#wanted = new Set(versions.map((version) => bindingKey(this.#bindingFor(version))));
    for (const [id, policy] of wanted) {
      if (typeof policy === 'string' || this.#policies.has(id)) continue;
      commands.push(`table inet ${table} {\n${policyRules(policy)}\n}`);
    }
    for (const [id, policy] of this.#policies) {
      if (typeof policy !== 'string' && !wanted.has(id)) commands.push(policyRemoval(policy));
    }
    if (this.#isRepaired) {
      this.#reopen();
      if (commands.length > 0) this.#means.doors.rules.run(commands.join('\n'));
      privately.settle();
    }
    for (const id of this.#policies.keys()) if (!wanted.has(id)) this.#means.pins.forget(id);
    this.#policies.clear();
    for (const [id, policy] of wanted) this.#policies.set(id, policy);
    const counted = owners.flatMap(({ countedFor }) => countedFor ?? []);
    this.#counts.keepOnly(new Set([...versions.map(({ tenant, function: name }) => functionKey(tenant, name)), ...counted]));
  }

  /** Makes all rules anew, in one transaction, with the lines that are bound already. Once, at the start. @throws Error with what nft says */
  repair(): void {
    const { doors, router, opened, privately } = this.#means;
    this.publish([]);
    const bound = new Map<Line, Binding>();
    for (const [line, owner] of this.#owners) {
      const binding = this.#bindingOf(owner);
      if (binding !== undefined) bound.set(line, binding);
    }
    doors.rules.run(
      routerRules({
        plan: router.plan,
        isOwn: router.isOwn,
        opened,
        policies: [...this.#policies.values()],
        bound,
        privately: privately.rules(),
      }),
    );
    this.#bindings.restart(bound);
    this.#isRepaired = true;
    privately.settle();
    this.#bindings.rehearse(usual);
  }

  /**
   * Gives the line of a warm sandbox what its start will want, so that it need not wait for that; nobody's code runs in it.
   * @param like a version that wants the same; absent: what most versions have
   * @throws SystemCallError; it is as it was then, and bound as any other when its time comes
   */
  open(line: Line, like?: Version): void {
    if (!this.#isRepaired) return;
    const wanted = like === undefined ? usual : this.#bindingFor(like);
    this.#bindings.set(line, this.#wanted.has(bindingKey(wanted)) ? wanted : usual);
  }

  /** Whether there is nothing to be changed when the line is given to an instance of this version. */
  isOpenFor(line: Line, version: Version): boolean {
    return bindingKey(this.#bindings.of(line)) === bindingKey(this.#bindingFor(version));
  }

  /**
   * Gives a line to somebody: from now on what the policy allows goes through. Synchronous; some 100 µs, or nothing when the line was opened
   * with this policy.
   * @throws SystemCallError when the policy has no rules; the line is as it was then, and no code is to be let in
   */
  bind(line: Line, owner: LineOwner): void {
    if (this.#isRepaired) this.#bindings.set(line, this.#bindingOf(owner));
    this.#owners.set(line, owner);
    this.#means.resolve(line, owner.policy);
  }

  /** Its sandbox has ended. Does nothing for one that was neither opened nor bound. */
  unbind(line: Line): void {
    this.#close(line);
    const owner = this.#owners.get(line);
    if (owner === undefined) return;
    this.#owners.delete(line);
    this.#means.resolve(line, undefined);
    this.#gone.set(line, owner);
    this.#collection ??= setTimeout(() => this.#collect(), collectAfterMs).unref();
  }

  /** What functions used since this process started, by their key. */
  counts(): ReadonlyMap<string, NetworkCounts> {
    this.#collect();
    return this.#counts.all;
  }

  countsOf(tenant: string, name: string): NetworkCounts {
    this.#collect();
    return this.#counts.of(functionKey(tenant, name));
  }

  /** A packet was refused. */
  refused(refusal: Refusal): void {
    const line = lineAt(this.#means.router.plan, refusal.source);
    const owner = line === undefined ? undefined : (this.#owners.get(line) ?? this.#gone.get(line));
    if (owner !== undefined) owner.tell(refusalText(refusal, owner.policy, this.#divisorOf(owner.version)));
    else this.#means.log.debug({ from: addressText(refusal.source), reason: refusal.reason }, 'refused a packet of nobody’s');
  }

  /** Opens the addresses of a name that a line’s function asked for. @throws Error with what nft says */
  pin(line: Line, indexes: readonly number[], found: readonly ResolvedAddress[]): void {
    const owner = this.#owners.get(line);
    if (owner !== undefined) this.#means.pins.pin(owner.policy, indexes, found);
  }

  /** A name was refused, or could not be resolved. */
  nameRefused(line: Line, name: string, why: string): void {
    this.#owners.get(line)?.tell(`network: the name "${printable(name)}" was not resolved: ${why}`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#collection);
  }

  /** How a private network is; undefined for one that is not known. */
  privateNetwork(tenant: string, name: string): Promise<PrivateNetworkState | undefined> {
    return this.#means.privately.state(tenant, name);
  }

  /** Of all private networks that functions name. */
  proxies(): ProxyReading[] {
    return this.#means.privately.proxies();
  }

  /** @returns undefined when nothing may go through */
  #bindingOf({ policy, version }: Pick<LineOwner, 'policy' | 'version'>): Binding | undefined {
    if (policy === 'none') return undefined;
    const choice = version === undefined ? undefined : this.#means.privately.choiceOf(version);
    return { policy: policyId(policy), choice, divisor: this.#divisorOf(version) };
  }

  #divisorOf(version: Version | undefined): Divisor {
    if (version === undefined) return 1;
    return divisorFor(Math.min(version.config.maximum, this.#means.maxSandboxes), this.#means.hostPlaces);
  }

  /** What an instance of a version is to have; computed once, since each start looks for what suits. */
  #bindingFor(version: Version): Binding | undefined {
    if (this.#bindingsFor.has(version)) return this.#bindingsFor.get(version);
    const binding = this.#bindingOf({ policy: networkOf(version), version });
    this.#bindingsFor.set(version, binding);
    return binding;
  }

  /** Warm sandboxes give up what no version has any more: its rules are about to go. */
  #reopen(): void {
    for (const [line, binding] of [...this.#bindings.lines]) {
      if (!this.#owners.has(line) && !this.#wanted.has(bindingKey(binding))) this.#bindings.set(line, usual);
    }
  }

  /** Closes the line of a sandbox that has ended. */
  #close(line: Line): void {
    try {
      this.#bindings.set(line, undefined);
    } catch (error) {
      this.#means.log.warn({ err: error, line }, 'a rule of a sandbox that has ended could not be removed');
    }
  }

  #collect(): void {
    clearTimeout(this.#collection);
    this.#collection = undefined;
    try {
      const counts = this.#read();
      this.#counts.take(counts, (line) => (this.#owners.get(line) ?? this.#gone.get(line))?.countedFor);
      for (const line of this.#gone.keys()) {
        this.#counts.forget(line);
        for (const set of counterSets) if (counts[set].has(line)) this.#forget(set, line);
      }
      this.#gone.clear();
    } catch (error) {
      this.#means.log.warn({ err: error }, 'the connections of functions could not be counted');
    }
  }

  #read(): Readonly<Record<CounterSet, ReadonlyMap<Line, number>>> {
    const read = (set: CounterSet) => readCounts(set, this.#means.doors.rules.list(`list set inet ${table} ${set}`));
    return { sent: read('sent'), received: read('received'), opened: read('opened'), refused: read('refused') };
  }

  #forget(set: string, line: Line): void {
    try {
      changeElements(this.#means.doors.elements, table, [{ kind: 'remove', set, name: lineInterface(line).name }]);
    } catch (error) {
      this.#means.log.warn({ err: error, set, line }, 'the count of a sandbox that has ended could not be removed');
    }
  }
}

/** What names usually consist of: others come from whoever wants to confuse a reader. */
const printable = (name: string): string => name.replace(/[^\w.*-]/g, '?');
