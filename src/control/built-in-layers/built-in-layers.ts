/**
 * Built-in layers: installed from their registries where a tenant first wants one, in a sandbox as dependencies are, and from then on layers of
 * the tenant like those that it publishes. Who has published a layer of such a name has that one instead.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { relayBundle } from '../../build/merge-bundles.ts';
import { writeBundle } from '../../build/write-bundle.ts';
import { type BuiltInLayerName, isBuiltInLayer, sdkOf } from '../../model/built-in-layer.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { FunctionConfig } from '../../model/function.ts';
import { layerReference } from '../../model/layer.ts';
import { languageOf } from '../../model/runtimes.ts';
import type { Builds } from '../builds/builds.ts';
import type { LayerRecord } from '../layers/layer-store.ts';
import { publishLayer } from '../layers/layers.ts';
import { uploadMade, type UploadMeans } from '../upload.ts';
import { type Edition, editions } from './editions.ts';
import { lacksSdk } from './sdk-imports.ts';

export interface BuiltInLayersMeans extends UploadMeans {
  readonly builds: Pick<Builds, 'install'>;
}

/** What a function is given beside the layers that it names. */
export interface Given {
  /** As `layerReference` has them. */
  readonly layers: readonly string[];
  /** Why it lacks what it would have been given; undefined: it lacks nothing. */
  readonly lacks?: string;
}

const nothing: Given = { layers: [] };
const maxKnown = 1_000;

export class BuiltInLayers {
  readonly #means: BuiltInLayersMeans;
  /** By tenant and name. */
  readonly #making = new Map<string, Promise<LayerRecord>>();
  /** Whether code lacks an SDK, by its digest and the SDK: what is under a digest does not change. */
  readonly #known = new Map<string, boolean>();

  constructor(means: BuiltInLayersMeans) {
    this.#means = means;
  }

  /**
   * Layers by their versions, for those that are named without one. What is not there yet is made, which takes some seconds.
   * @throws SwiftletError as `Builds.install`, with the layer's name and what to do instead
   */
  async resolve(tenant: string, references: readonly string[]): Promise<string[]> {
    const resolved: string[] = [];
    for (const reference of references)
      resolved.push(isBuiltInLayer(reference) ? layerReference(await this.#have(tenant, reference)) : reference);
    return resolved;
  }

  /**
   * The SDK that code from AWS Lambda finds there. Where it cannot be had the function is made without it: it may do without.
   * @throws SwiftletError when the code itself cannot be read
   */
  async given(tenant: string, digest: string, { awsSdk, runtime, layers }: FunctionConfig): Promise<Given> {
    if (awsSdk === undefined || runtime === 'http' || runtime === 'provided' || runtime === 'java') return nothing;
    const name = sdkOf(runtime);
    const isNamed = layers.some((reference) => reference.split(':')[0] === name);
    if (isNamed || !(await this.#isLacking(digest, name, languageOf(runtime) === 'python' ? 'python' : 'nodejs'))) return nothing;
    try {
      return { layers: await this.resolve(tenant, [name]) };
    } catch (error) {
      if (error instanceof SwiftletError && error.code !== 'Internal') return { layers: [], lacks: error.message };
      throw error;
    }
  }

  async #isLacking(digest: string, name: BuiltInLayerName, language: 'nodejs' | 'python'): Promise<boolean> {
    const key = `${digest} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isLacking = await lacksSdk(this.#means.blobs.open(digest), language, editions[name].provides);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= maxKnown && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, isLacking);
    return isLacking;
  }

  async #have(tenant: string, name: BuiltInLayerName): Promise<LayerRecord> {
    const all = await this.#means.store.layers.list(tenant);
    const [newest] = all.filter((layer) => layer.name === name);
    // Somebody's own is what is meant, whatever is in it.
    if (newest !== undefined && (newest.notes.builtIn === undefined || newest.notes.builtIn === editions[name].id)) return newest;
    const key = `${tenant}/${name}`;
    const under = this.#making.get(key);
    if (under !== undefined) return under;
    const making = this.#make(tenant, name, editions[name])
      .catch((error: unknown) => {
        // An older edition is better than none.
        if (newest !== undefined && error instanceof SwiftletError) return newest;
        throw unavailable(name, editions[name], error);
      })
      .finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return making;
  }

  async #make(tenant: string, name: BuiltInLayerName, { description, runtime, inputs, id, place }: Edition): Promise<LayerRecord> {
    const { builds, store, now } = this.#means;
    const { digest: source } = await uploadMade(this.#means, tenant, bundleOf(inputs));
    const relaid = (path: string) =>
      uploadMade(
        this.#means,
        tenant,
        relayBundle(() => createReadStream(path), place),
      );
    // Several may wait for it: it ends with the platform's builds, not with who asked first.
    const installing = builds.install({ tenant, source, runtime, scripts: false }, relaid, new AbortController().signal);
    for (let next = await installing.next(); ; next = await installing.next()) {
      if (next.done !== true) continue;
      const notes = { description: `built in: ${description}`, builtIn: id };
      const draft = { digest: next.value.made.digest, notes, createdAt: new Date(now()).toISOString() };
      return (await publishLayer(store.layers, tenant, name, draft)).layer;
    }
  }
}

const bundleOf = (files: Readonly<Record<string, string>>): AsyncGenerator<Buffer, void> =>
  writeBundle(async (add) => {
    for (const [name, text] of Object.entries(files)) {
      const bytes = Buffer.from(text);
      await add({ name, size: bytes.length, executable: false }, Readable.from([bytes]));
    }
  });

function unavailable(name: BuiltInLayerName, { packages }: Edition, error: unknown): unknown {
  if (!(error instanceof SwiftletError)) return error;
  const remedy = `deploy again once it can be; or publish a layer "${name}" from where they can be reached, and it is taken instead: swiftlet layer publish ${name} ${packages}`;
  return new SwiftletError(
    error.code,
    `the built-in layer "${name}" is installed from the registries where it is first wanted, and could not be: ${remedy}\n${error.message}`,
    {
      place: 'config.layers',
      cause: error,
    },
  );
}
