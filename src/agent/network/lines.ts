/** Network namespaces for sandboxes, plumbed before anybody needs them: a boot takes one and plumbs nothing. */
import { closeFd, SystemCallError } from '../linux/libc.ts';
import { Links, loopback } from '../linux/links.ts';
import { NetworkNamespaces, openKept } from '../linux/network-namespace.ts';
import {
  type AddressPlan,
  everything4,
  everything6,
  line4,
  line6,
  type Line,
  lineCount,
  lineInterface,
  lineOf,
  sandboxInterface,
} from './address-plan.ts';
import { hasIpv6 } from './forwarding.ts';
import { applySettings } from './router.ts';

export interface LinesSettings {
  readonly plan: AddressPlan;
  /** Where the router’s namespace is kept. */
  readonly routerPath: string;
}

/** A namespace with a cable to the router. It ends with the last process in it, and its cable with it. */
interface Plumbed {
  readonly line: Line;
  readonly fd: number;
}

const spareLines = 4;
/** A boot has the processors to itself for so long; then what it took is made again. */
const refillAfterMs = 20;
const existsAlready = 17;

/** Without addresses of their own making, and deaf to routers: everything in them is said here. */
const sandboxSettings: Readonly<Record<string, string>> = {
  'ipv6/conf/default/addr_gen_mode': '1',
  'ipv6/conf/default/accept_ra': '0',
  'ipv6/conf/default/accept_redirects': '0',
};

/** Owned by whoever starts sandboxes: what is spare goes with its process. */
export class Lines implements Disposable {
  readonly #plan: AddressPlan;
  readonly #namespaces = new NetworkNamespaces();
  readonly #routerFd: number;
  readonly #router: Links;
  readonly #spare: Plumbed[] = [];
  #next: Line;
  #refill: NodeJS.Timeout | undefined;

  /** @throws SystemCallError when there is no router, or without the rights */
  constructor({ plan, routerPath }: LinesSettings) {
    this.#plan = plan;
    this.#routerFd = openKept(routerPath);
    this.#router = this.#namespaces.inside(this.#routerFd, () => new Links());
    // Numbers go round: the longer nobody has had one, the less is still under way for whoever had it.
    const taken = [...this.#router.names().keys()].flatMap((name) => lineOf(name) ?? []);
    this.#next = (Math.max(-1, ...taken) + 1) % lineCount;
    this.#fill();
  }

  /**
   * Starts a process in a namespace that nobody else is in.
   * @param start is called at once, and must not wait
   * @throws SystemCallError when one was to be made and could not be, or what `start` throws
   */
  startIn<T>(start: () => T): { readonly line: Line; readonly started: T } {
    const { line, fd } = this.#spare.shift() ?? this.#plumb();
    this.#refill ??= setTimeout(() => this.#fill(), refillAfterMs).unref();
    try {
      return { line, started: this.#namespaces.inside(fd, start) };
    } finally {
      closeFd(fd);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#refill);
    for (const { fd } of this.#spare.splice(0)) closeFd(fd);
    this.#router[Symbol.dispose]();
    closeFd(this.#routerFd);
    this.#namespaces[Symbol.dispose]();
  }

  #fill(): void {
    this.#refill = undefined;
    if (this.#spare.length >= spareLines) return;
    this.#spare.push(this.#plumb());
    // One at a time, so that a boot that comes meanwhile does not wait for all.
    this.#refill = setTimeout(() => this.#fill()).unref();
  }

  #plumb(): Plumbed {
    const made: { line: Line } = { line: this.#next };
    const fd = this.#namespaces.create(() => {
      applySettings(sandboxSettings);
      using own = new Links();
      own.raise(loopback);
      made.line = this.#connect(own);
      own.addAddress(sandboxInterface.index, line4(this.#plan, made.line));
      own.addRoute(sandboxInterface.index, everything4, line4(this.#plan, made.line).address);
      if (!hasIpv6()) return;
      own.addAddress(sandboxInterface.index, line6(this.#plan, made.line));
      own.addRoute(sandboxInterface.index, everything6, line6(this.#plan, made.line).address);
    });
    try {
      const { index } = lineInterface(made.line);
      this.#router.raise(index);
      this.#router.addRoute(index, line4(this.#plan, made.line));
      if (hasIpv6()) this.#router.addRoute(index, line6(this.#plan, made.line));
      return { line: made.line, fd };
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  /** Lays the cable; a number that is still taken is passed over. */
  #connect(own: Links): Line {
    for (let tries = 0; ; tries++) {
      const line = this.#next;
      this.#next = (line + 1) % lineCount;
      try {
        own.addCable(sandboxInterface, { ...lineInterface(line), namespaceFd: this.#routerFd });
        return line;
      } catch (error) {
        if (!(error instanceof SystemCallError && error.errno === existsAlready) || tries === lineCount) throw error;
      }
    }
  }
}
