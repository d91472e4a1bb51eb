/** Builds: from a function's own files to an artifact with its dependencies. Nothing is left of one that does not end well. */
import { createReadStream } from 'node:fs';
import type { Logger } from 'pino';
import { checkBundle } from '../../build/bundle.ts';
import { type Installation, installationOf } from '../../build/installation.ts';
import { mergeBundles } from '../../build/merge-bundles.ts';
import type { Built, BuildRecord, BuildRequest } from '../../model/build.ts';
import { SwiftletError } from '../../model/errors.ts';
import { buildLogBytes } from '../../model/limits.ts';
import type { BuildsAnswer } from '../../wire/agent-calls.ts';
import type { Blobs } from '../blobs.ts';
import type { Store } from '../store.ts';
import type { Turns } from '../turns.ts';
import { uploadMade } from '../upload.ts';
import type { BuildAgent } from './build-agent.ts';
import { buildFailure } from './build-failure.ts';
import { keyOf, packagesWithScripts, readInputs } from './build-inputs.ts';
import { BuildOutput } from './build-output.ts';
import type { BuildQueue } from './build-queue.ts';
import type { DependencyCache } from './dependency-cache.ts';

export interface BuildsMeans {
  readonly store: Store;
  readonly blobs: Blobs;
  /** See `CollectMeans`. */
  readonly artifactTurns: Turns;
  readonly queue: BuildQueue;
  readonly cache: DependencyCache;
  readonly agent: BuildAgent;
  /** All that builds may reach, by the program that installs. */
  readonly registries: Readonly<Record<Installation['program'], readonly string[]>>;
  /** Of those who install: what another one installs may differ. */
  readonly builder: string;
  /** What the agent can install; undefined while it is away. */
  readonly facts: () => Promise<BuildsAnswer | undefined>;
  /** How long the agent may take for a build, in milliseconds, before it is given up. */
  readonly patienceMs: number;
  readonly now: () => number;
  readonly log: Logger;
}

/** An order, and who wants it. */
interface Wanted extends BuildRequest {
  readonly tenant: string;
}

/** Said on the way. */
interface Said {
  readonly log: string;
}

interface Installed<Made> {
  readonly made: Made;
  /** Whether what it asks for was there already. */
  readonly cached: boolean;
}

export class Builds {
  readonly #means: BuildsMeans;
  readonly #stop = new AbortController();

  constructor(means: BuildsMeans) {
    this.#means = means;
  }

  /**
   * Builds; what is said on the way comes as it is said, and last what was built. Leaving early ends the build.
   * @throws SwiftletError before the first record: NotFound, BadRequest, TooManyRequests, for Python Unavailable and IsolationUnavailable;
   *   after it, with nothing kept: BuildFailed, BundleRejected, IsolationUnavailable, Unavailable, QuotaExceeded, StorageFull
   */
  async *run(wanted: Wanted, until: AbortSignal): AsyncGenerator<BuildRecord, void> {
    const { made, cached } = yield* this.install(wanted, (path) => this.#pack(wanted, path), until);
    yield { built: { ...made, cached } };
  }

  /**
   * Installs what a source asks for; what is said on the way comes as it is said. Leaving early ends it.
   * @param use makes something of the bundle at this path, which has what was installed and nothing else
   * @throws as `run`, and what `use` throws
   */
  async *install<Made>(wanted: Wanted, use: (path: string) => Promise<Made>, until: AbortSignal): AsyncGenerator<Said, Installed<Made>> {
    const signal = AbortSignal.any([until, this.#stop.signal]);
    const { store, blobs, queue, cache, now } = this.#means;
    const { tenant, source } = wanted;
    if (!(await blobs.has(source)) || !(await store.touchArtifact(tenant, source, now())))
      throw new SwiftletError('NotFound', `the artifact ${source} is not here; upload it with PUT /v1/artifacts/${source} first`, {
        place: 'source',
      });
    const { key, leftOut } = await this.#look(wanted);
    using place = queue.take(tenant);
    using _kept = this.#keep(tenant, source);
    if (place.before > 0) yield { log: 'waiting for other builds to end' };
    await place.begun(signal);
    const known = await cache.find(tenant, key);
    yield { log: known === undefined ? `installing by ${wanted.runtime}` : 'what it asks for is installed already' };
    if (leftOut.length > 0) yield { log: notRun(leftOut) };
    return { made: await use(known ?? (yield* this.#install(wanted, key, signal))), cached: known !== undefined };
  }

  /** What the build is to be, without keeping what may be large while it waits. */
  async #look(wanted: Wanted): Promise<{ readonly key: string; readonly leftOut: readonly string[] }> {
    const { blobs, registries, builder } = this.#means;
    const { source, runtime, scripts } = wanted;
    const inputs = await readInputs(blobs.open(source), runtime);
    const { program } = installationOf(runtime);
    // What is installed for Python is for one release line of it.
    const by = program === 'npm' ? builder : `${builder}-python${await this.#pythonVersion()}`;
    const key = keyOf(inputs, { ...wanted, registries: registries[program], builder: by });
    return { key, leftOut: scripts ? [] : packagesWithScripts(inputs) };
  }

  /** Ends all builds. */
  close(): void {
    this.#stop.abort(new SwiftletError('Unavailable', 'the platform is stopping; deploy again'));
  }

  /** Drops what is kept of a tenant that is no more. */
  forget(tenant: string): Promise<void> {
    return this.#means.cache.forget(tenant);
  }

  /** Of the host's. @throws SwiftletError Unavailable, or IsolationUnavailable when no packages can be installed for it */
  async #pythonVersion(): Promise<string> {
    const facts = await this.#means.facts();
    if (facts === undefined) throw new SwiftletError('Unavailable', 'the agent, which installs packages, is away; deploy again');
    const { detail, version } = facts.python ?? { detail: 'the agent is of a release that installs no packages for Python' };
    if (version === undefined) throw new SwiftletError('IsolationUnavailable', detail);
    return version;
  }

  /** @returns the path of a bundle with what was installed */
  async *#install({ tenant, source, runtime, scripts }: Wanted, key: string, signal: AbortSignal): AsyncGenerator<Said, string> {
    const { agent, blobs, cache, registries } = this.#means;
    const { program } = installationOf(runtime);
    const inputs = await readInputs(blobs.open(source), runtime);
    await using staged = await cache.stage(tenant, key);
    using patience = patienceOf(this.#means.patienceMs);
    const said = new BuildOutput();
    let logBytes = 0;
    for await (const line of agent.lines({ tenant, runtime, scripts, inputs }, AbortSignal.any([signal, patience.signal]))) {
      if ('end' in line) {
        await checkBundle(staged.open());
        return await staged.keep();
      }
      if ('failed' in line) throw buildFailure(line.failed, said, registries[program]);
      if ('modules' in line) {
        await staged.write(Buffer.from(line.modules, 'base64'));
        continue;
      }
      if (!said.take(line.log)) continue;
      logBytes += line.log.length + 1;
      // The builder cuts it before, unless it is not the builder any more that speaks.
      if (logBytes <= 2 * buildLogBytes) yield line;
    }
    throw new SwiftletError('Unavailable', 'the build broke off; deploy again');
  }

  /** Until disposed the source is no artifact that nobody wants. Should it not be noted once, the next time is early enough. */
  #keep(tenant: string, source: string): Disposable {
    const { store, now, log } = this.#means;
    const note = () => {
      store
        .touchArtifact(tenant, source, now())
        .catch((error: unknown) => log.warn({ err: error, tenant, source }, 'the source of a build could not be noted as in use'));
    };
    const timer = setInterval(note, touchEveryMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  async #pack({ tenant, source, runtime }: Wanted, modules: string): Promise<Omit<Built, 'cached'>> {
    const { blobs } = this.#means;
    const merged = mergeBundles(
      () => blobs.open(source),
      () => createReadStream(modules),
      installationOf(runtime),
    );
    const { digest, size } = await uploadMade(this.#means, tenant, merged);
    return { digest, size };
  }
}

/** What an artifact without a version is kept for is much longer. */
const touchEveryMs = 60_000;

/** Aborts when it is over, unless it is disposed of before. */
function patienceOf(limitMs: number): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const give = () => over.abort(new SwiftletError('Unavailable', 'the agent does not end the build in its time; deploy again'));
  const timer = setTimeout(give, limitMs);
  return { signal: over.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** What is not run is told: the function may miss it. */
const notRun = (names: readonly string[]): string =>
  `install scripts are not run: those of ${names.join(', ')}; "build: { scripts: allow }" in the manifest allows them`;
