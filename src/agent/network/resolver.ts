import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { compiledBefore } from '../../role/compiled-code.ts';
import { siblingModule } from '../../role/sibling-module.ts';
import { bindInternet, closeFd } from '../linux/libc.ts';
import type { NetworkNamespaces } from '../linux/network-namespace.ts';
import { type Line, router4 } from './address-plan.ts';
import type { ResolvedAddress } from './name-pins.ts';
import { type ResolverNews, resolverNewsSchema, type ResolverOrder, type ResolverSettings } from './resolver-messages.ts';

export interface ResolverMeans {
  /** Opens addresses. @throws Error when the rules cannot be changed */
  readonly pin: (line: Line, indexes: readonly number[], found: readonly ResolvedAddress[]) => void;
  readonly refused: (line: Line, name: string, why: string) => void;
  readonly log: Logger;
}

const namePort = 53;
const restartAfterMs = 200;

/** The agent's side of the resolver: its sockets, which are made in the router, and its process, which is started again when it ends. */
export class Resolver implements AsyncDisposable {
  readonly #settings: ResolverSettings;
  readonly #means: ResolverMeans;
  readonly #sockets: { readonly udp: number; readonly tcp: number };
  readonly #lines = new Map<Line, NetworkPolicy>();
  /** Lines that its process has asked about: starts whose functions ask for no name cost it nothing. */
  readonly #asked = new Set<Line>();
  #process: ChildProcess;
  #restart: NodeJS.Timeout | undefined;
  #closing = false;

  /** @param routerFd the router’s namespace @throws SystemCallError when its port is taken there */
  constructor(namespaces: NetworkNamespaces, routerFd: number, settings: ResolverSettings, means: ResolverMeans) {
    this.#settings = settings;
    this.#means = means;
    const { address } = router4(settings.plan);
    this.#sockets = namespaces.inside(routerFd, () => openSockets(address));
    this.#process = this.#start();
  }

  /** Whose line it is. @param policy absent: nobody’s any more */
  know(line: Line, policy: NetworkPolicy | undefined): void {
    if (policy === undefined) this.#lines.delete(line);
    else this.#lines.set(line, policy);
    if (!this.#asked.has(line)) return;
    if (policy === undefined) this.#asked.delete(line);
    this.#tell({ kind: 'line', line, ...(policy === undefined ? {} : { policy }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) {
      const gone = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await gone;
    }
    closeFd(this.#sockets.udp);
    closeFd(this.#sockets.tcp);
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(siblingModule(import.meta.url, './resolver-process')), [JSON.stringify(this.#settings)], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--max-old-space-size=64'],
      env: { ...process.env, ...compiledBefore() },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', this.#sockets.udp, this.#sockets.tcp],
    });
    child.on('error', (error) => this.#means.log.error({ err: error }, 'the resolver failed'));
    child.once('exit', (code, signal) => {
      if (this.#closing) return;
      this.#means.log.error({ code, signal }, 'the resolver ended; it is started again');
      this.#asked.clear();
      this.#restart = setTimeout(() => {
        this.#process = this.#start();
      }, restartAfterMs);
    });
    child.on('message', (message) => this.#take(message));
    return child;
  }

  /** What it says may be forged, should a packet have broken it: it can open addresses for names of lists, and nothing else. */
  #take(message: unknown): void {
    const parsed = resolverNewsSchema.safeParse(message);
    if (!parsed.success) return;
    try {
      this.#act(parsed.data);
    } catch (error) {
      this.#means.log.warn({ err: error }, 'the addresses of a name could not be opened');
    }
  }

  #act(news: ResolverNews): void {
    if (news.kind === 'who') {
      this.#asked.add(news.line);
      const policy = this.#lines.get(news.line);
      if (policy !== undefined) this.#tell({ kind: 'line', line: news.line, policy });
      return;
    }
    if (news.kind === 'refused') {
      this.#means.refused(news.line, news.name, news.why);
      return;
    }
    this.#means.pin(news.line, news.indexes, news.found);
    this.#tell({ kind: 'pinned', id: news.id });
  }

  #tell(order: ResolverOrder): void {
    if (this.#process.connected) this.#process.send(order, () => undefined);
  }
}

function openSockets(address: Buffer): { readonly udp: number; readonly tcp: number } {
  const udp = bindInternet('udp', address, namePort);
  try {
    return { udp, tcp: bindInternet('tcp', address, namePort) };
  } catch (error) {
    closeFd(udp);
    throw error;
  }
}
