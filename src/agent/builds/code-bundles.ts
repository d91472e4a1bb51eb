/**
 * Versions' code as one file with V8's cache of it, and archives of the classes of those in Java: made in a sandbox when a version is published,
 * and put among its own files, where every instance finds it. What cannot be made so is left as it is, with the reason.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Version } from '../../model/function.ts';
import { languageOf } from '../../model/runtimes.ts';
import { packageVersion } from '../../role/package-version.ts';
import { type CodeRef, codeKey, derivedFolder } from '../code-cache.ts';
import { kindOf } from '../sandbox/sandbox.ts';
import type { PublishOutcome } from './publish-code.ts';
import { writeWhole } from './write-whole.ts';

export interface CodeBundlesMeans {
  /** Makes the files of a bundle; never rejects for what is the code's fault. Undefined: on this host nothing is bundled. */
  readonly publish: ((version: Version, codeFolder: string, signal: AbortSignal) => Promise<PublishOutcome>) | undefined;
  /** What else than the code its files depend on, on this host. */
  readonly stampOf: (version: Version) => string;
  /** Writes a line into a function's log. */
  readonly tell: (version: Version, message: string) => void;
  readonly log: Logger;
}

/** What became of a version's code. */
export type CodeState = { readonly kind: 'bundled' } | { readonly kind: 'plain'; readonly why: string } | { readonly kind: 'pending' };

/** In the folder of an artifact's files. Whoever uploads such a folder himself bundles for himself alone. */
export const bundlesFolder = derivedFolder;
/** In place of the files, when there are none. */
const refusalFile = 'refused.txt';
/** Beside the files: the packages that they were made of. */
const reachedFile = 'reached.json';

export class CodeBundles {
  readonly #means: CodeBundlesMeans;
  readonly #stop = new AbortController();
  /** By the bundle's place. What is made does not change. */
  readonly #known = new Map<string, Exclude<CodeState, { kind: 'pending' }>>();
  /** By the bundle's place, as far as it is known. */
  readonly #reached = new Map<string, readonly string[]>();
  readonly #making = new Map<string, Promise<void>>();
  /** One after the other: nobody but who deploys waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(means: CodeBundlesMeans) {
    this.#means = means;
  }

  /** Where an instance of a version finds its bundle, below its code; undefined: it is as it is. */
  find(version: Version): string | undefined {
    return this.state(version).kind === 'bundled' ? join(bundlesFolder, this.#nameOf(version)) : undefined;
  }

  state(version: Version): CodeState {
    // Another version may have one of the same code.
    if (version.config.bundle === 'never' || isOfLayers(version)) return asItIs;
    return this.#known.get(this.#placeOf(version)) ?? (this.#making.has(this.#placeOf(version)) ? { kind: 'pending' } : asItIs);
  }

  /** The packages of npm that a version's bundle was made of, by their paths; undefined: it has none. */
  reached(version: Version): readonly string[] | undefined {
    return this.state(version).kind === 'bundled' ? this.#reached.get(this.#placeOf(version)) : undefined;
  }

  /**
   * Makes a version's bundle, if it is worth one and has none. Resolves when that is done, or cannot be; never rejects.
   * @param codeFolder where its files lie on this host
   */
  make(version: Version, codeFolder: string): Promise<void> {
    const place = this.#placeOf(version);
    if (this.#known.has(place) || this.#means.publish === undefined || !isWorthIt(version, codeFolder)) return Promise.resolve();
    const under = this.#making.get(place);
    if (under !== undefined) return under;
    const making = this.#last
      .then(() => this.#make(version, codeFolder))
      .catch((error: unknown) => {
        const { tenant, function: name } = version;
        if (!this.#stop.signal.aborted) this.#means.log.error({ err: error, tenant, function: name }, 'code could not be bundled');
      })
      .finally(() => this.#making.delete(place));
    this.#last = making;
    this.#making.set(place, making);
    return making;
  }

  /** Forgets what is not of these artifacts: it was removed with them. @param keys as `codeKey` makes them */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const place of this.#known.keys()) if (!keys.has(artifactOf(place))) this.#forget(place);
  }

  /** Its files went for want of room, and the bundle with them. @param key as `codeKey` makes it */
  forget(key: string): void {
    for (const place of this.#known.keys()) if (artifactOf(place) === key) this.#forget(place);
  }

  #forget(place: string): void {
    this.#known.delete(place);
    this.#reached.delete(place);
  }

  /** Gives up what is being made. Resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#making.values());
  }

  async #make(version: Version, codeFolder: string): Promise<void> {
    const folder = join(codeFolder, bundlesFolder, this.#nameOf(version));
    const { publish, tell } = this.#means;
    if (!existsSync(folder)) {
      if (publish === undefined || this.#stop.signal.aborted) return;
      const outcome = await publish(version, codeFolder, this.#stop.signal);
      this.#stop.signal.throwIfAborted();
      const files = outcome.kind === 'made' ? withReached(outcome) : new Map([[refusalFile, Buffer.from(outcome.why)]]);
      await writeWhole(folder, files);
      if (outcome.kind === 'refused') tell(version, `the code is not bundled and starts as it is: ${outcome.why}`);
    }
    const why = await readFile(join(folder, refusalFile), 'utf8').catch(() => undefined);
    const reached = await readFile(join(folder, reachedFile), 'utf8').catch(() => undefined);
    if (reached !== undefined) this.#reached.set(this.#placeOf(version), z.array(z.string()).parse(JSON.parse(reached)));
    this.#known.set(this.#placeOf(version), why === undefined ? { kind: 'bundled' } : { kind: 'plain', why });
  }

  #placeOf(version: Version & CodeRef): string {
    return `${codeKey(version)}/${this.#nameOf(version)}`;
  }

  /** By what its files depend on, beside the code. */
  #nameOf(version: Version): string {
    const { config, pool } = version;
    const { memoryMiB } = kindOf(config);
    return createHash('sha256')
      .update(
        JSON.stringify([packageVersion, config.runtime, memoryMiB, config.handler, this.#means.stampOf(version), ...(pool?.preload ?? [])]),
      )
      .digest('hex')
      .slice(0, 16);
  }
}

const withReached = ({ files, reached }: PublishOutcome & { kind: 'made' }): ReadonlyMap<string, Buffer> =>
  reached === undefined ? files : new Map([...files, [reachedFile, Buffer.from(JSON.stringify(reached))]]);

const asItIs = { kind: 'plain', why: '' } as const;

/**
 * Of Java all is: the JVM's own archive has none of a function's classes. In Node.js a few files load as fast as one, unless it has to take the
 * types out of them, for which it starts a compiler. What builds on layers is left as it is: a copy of their modules in each bundle would be
 * shared by nobody.
 */
const isWorthIt = (version: Version, codeFolder: string): boolean =>
  version.config.bundle !== 'never' && !isOfLayers(version) && isHeavy(version, codeFolder);

/** Those of a custom pool stay where they are: the bundle asks for what the pool has imported. */
const isOfLayers = ({ config, layerDigests, pool }: Version): boolean =>
  layerDigests !== undefined && (pool === undefined || config.runtime === 'java');

const isHeavy = ({ config }: Version, codeFolder: string): boolean =>
  config.runtime === 'java' ||
  (languageOf(config.runtime) === 'nodejs' && (existsSync(join(codeFolder, 'node_modules')) || isTypeScript(config.handler, codeFolder)));

const typeScriptExtensions = ['.ts', '.mts', '.cts'] as const;

/** @param handler `file.export` or `file` */
function isTypeScript(handler: string, codeFolder: string): boolean {
  const files = [handler, handler.replace(/\.[^./]*$/, '')];
  return files.some((file) => typeScriptExtensions.some((extension) => existsSync(join(codeFolder, file + extension))));
}

const artifactOf = (place: string): string => place.slice(0, place.lastIndexOf('/'));
