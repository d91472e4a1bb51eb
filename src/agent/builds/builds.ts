/** Installing dependencies on this host: each build in a sandbox of its own that reaches the registries and nothing else. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SwiftletError } from '../../model/errors.ts';
import { buildLogBytes, buildsAtOnce, bundle } from '../../model/limits.ts';
import type { BuildsAnswer } from '../../wire/agent-calls.ts';
import { type BuildOrder, lineOf, maxBuildLineBytes, moduleBytesAtOnce } from '../../wire/build-calls.ts';
import { readLines } from '../../wire/lines.ts';
import type { InstallOrder } from '../../build/inside/install.ts';
import type { Network } from '../network/network.ts';
import { refusalsToldWithinMs } from '../network/refusal-log.ts';
import type { Runtimes } from '../runtimes/installed-runtime.ts';
import type { RuntimeFiles } from '../sandbox/sandbox-driver.ts';
import { brokenOff } from './build-end.ts';
import type { BuildSandbox } from './build-sandbox.ts';
import { BuildWatch } from './build-watch.ts';
import { lacksForPython, type Origins, recipeOf } from './recipe.ts';

export interface BuildsMeans {
  readonly boot: (files: RuntimeFiles) => Promise<BuildSandbox>;
  /** Undefined where sandboxes have no way out. */
  readonly network: Network | undefined;
  /** Why nothing can be installed on this host; undefined when it can. */
  readonly lacks: string | undefined;
  readonly origins: Origins;
  readonly timeoutMs: number;
  readonly runtimes: Runtimes;
  /** The folder with the program of a build, ready when this resolves. */
  readonly prepared: () => Promise<string>;
  readonly log: Logger;
}

/** Control orders half as many; those that were given up may be ending still. */
const maxRunning = 2 * buildsAtOnce.platform;
/** In base64, with the output and what stands around both. */
const maxAnswerBytes = bundle.packedBytes * 1.5 + buildLogBytes * 4;

export class Builds {
  readonly #means: BuildsMeans;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(means: BuildsMeans) {
    this.#means = means;
  }

  /** Why nothing can be installed here; undefined when it can. */
  get lacks(): string | undefined {
    return this.#means.lacks;
  }

  /** What others are told of it. */
  get facts(): BuildsAnswer {
    const { lacks, runtimes } = this.#means;
    const version = runtimes.get('python3')?.version;
    const python = factOf(lacks ?? lacksForPython(runtimes), 'packages are installed in sandboxes');
    return {
      ...factOf(lacks, 'dependencies are installed in sandboxes'),
      python: python.available && version !== undefined ? { ...python, version } : python,
    };
  }

  /**
   * Installs, and writes lines as `BuildLine` has them; the last says how it ended. When it resolves, or rejects, nothing of it is left.
   * @param signal ends it
   * @throws SwiftletError before the first line: IsolationUnavailable, HostFull, RuntimeUnknown, or Internal with the reason
   */
  async run(order: BuildOrder, output: Writable, signal: AbortSignal): Promise<void> {
    if (this.#running.size >= maxRunning) throw new SwiftletError('HostFull', 'this host builds as much as it may already');
    const work = this.#run(order, output, AbortSignal.any([signal, this.#stop.signal]));
    this.#running.add(work);
    try {
      await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** Ends all builds. Resolves when nothing is left of them. */
  async close(): Promise<void> {
    this.#stop.abort(stopping());
    await Promise.allSettled(this.#running);
  }

  async #run(order: BuildOrder, output: Writable, signal: AbortSignal): Promise<void> {
    const { boot, network, origins, runtimes, prepared, timeoutMs } = this.#means;
    if (network === undefined || this.lacks !== undefined) throw new SwiftletError('IsolationUnavailable', this.lacks ?? '');
    const recipe = recipeOf(order, runtimes, origins);
    const folder = await prepared();
    signal.throwIfAborted();
    const sandbox = await boot({ ...recipe.boots, folder });
    using _ending = onAbort(signal, () => sandbox.kill());
    using watch = new BuildWatch(sandbox, timeoutMs);
    let said: Said = { kind: 'broken off' };
    try {
      const tell = (message: string) => output.write(lineOf({ log: message }));
      if (sandbox.line !== undefined)
        network.bind(sandbox.line, { policy: recipe.policy, version: undefined, countedFor: undefined, tell });
      const asked = { ...recipe.order, inputs: order.inputs, logBytes: buildLogBytes, atOnce: moduleBytesAtOnce };
      said = await converse(sandbox, asked, output, signal);
    } catch (error) {
      if (!signal.aborted && watch.exceeded === undefined) this.#means.log.warn({ err: error, tenant: order.tenant }, 'a build broke off');
    } finally {
      sandbox.kill();
    }
    const facts = await sandbox.ended;
    // Whoever reads the output wants to know what the registries' policy refused, too.
    if (!signal.aborted) await pause(refusalsToldWithinMs);
    if (sandbox.line !== undefined) network.unbind(sandbox.line);
    const metLimit = watch.exceeded !== undefined || facts.oomKills > 0 || facts.pidsRefused > 0;
    if (said.kind === 'installed' || (said.kind === 'failed' && !metLimit)) {
      output.write(said.line);
      return;
    }
    const { code, message } = this.#stop.signal.aborted ? stopping() : brokenOff({ facts, exceeded: watch.exceeded, timeoutMs });
    output.write(lineOf({ failed: { code, message } }));
  }
}

/** Hands the order in and passes on what comes, line by line, but for the last: of a failure a limit may be the reason. */
async function converse({ socketPath }: BuildSandbox, asked: InstallOrder, output: Writable, signal: AbortSignal): Promise<Said> {
  const asking = request({ socketPath, method: 'POST', signal });
  // Whoever waits for the answer, or reads it, learns of it there.
  asking.on('error', () => undefined);
  asking.end(JSON.stringify(asked));
  const [answer] = (await once(asking, 'response', { signal })) as [IncomingMessage];
  let bytes = 0;
  for await (const line of readLines(answer, maxBuildLineBytes)) {
    bytes += line.length;
    if (bytes > maxAnswerBytes) throw new SwiftletError('BuildFailed', 'it says more than a build can');
    const whole = Buffer.concat([line, lineEnd]);
    if (line.indexOf(failedMark) === 0) return { kind: 'failed', line: whole };
    if (line.equals(endLine)) return { kind: 'installed', line: whole };
    if (!output.write(whole)) await once(output, 'drain', { signal });
  }
  return { kind: 'broken off' };
}

const factOf = (lacks: string | undefined, usual: string) => ({ available: lacks === undefined, detail: lacks ?? usual });

const lineEnd = Buffer.from('\n');
const failedMark = '{"failed":';
const endLine = Buffer.from(lineOf({ end: true }).trimEnd());

/** What a build says of its end. */
type Said = { readonly kind: 'broken off' } | { readonly kind: 'installed' | 'failed'; readonly line: Buffer };

const stopping = (): SwiftletError => new SwiftletError('Unavailable', 'the agent is stopping; deploy again');

function onAbort(signal: AbortSignal, act: () => void): Disposable {
  if (signal.aborted) act();
  signal.addEventListener('abort', act);
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', act) };
}
