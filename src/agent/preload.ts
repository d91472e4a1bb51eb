/** What a custom pool's sandbox does before it is warm: it gets its layers, imports, and is frozen until somebody takes it. */
import { preloadLimitMs } from '../model/limits.ts';
import { SwiftletError } from '../model/errors.ts';
import type { CustomKind } from './custom-kind.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export interface PreloadMeans {
  /** The folder of these layers' files on this host; undefined: there are none. */
  placeLayers(built: Pick<CustomKind, 'tenant' | 'layerDigests'>): Promise<string | undefined>;
  /** Where a sandbox has them. */
  layersInside(folder: string): string;
  readonly canFreeze: boolean;
}

/**
 * Code of the tenant's runs in the sandbox from here on: it has no way out, no secret and no variable, and it is frozen when it is done, so that nothing
 * of it takes processor time that nobody answers for.
 * @returns modules that could not be imported, with the reason
 * @throws SwiftletError when the layers cannot be had, or the sandbox did not outlive its imports; it is ended then
 */
export async function preload(means: PreloadMeans, sandbox: Sandbox, custom: CustomKind): Promise<readonly string[]> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    sandbox.kill();
  }, preloadLimitMs);
  try {
    const folder = await means.placeLayers(custom);
    if (folder !== undefined) await sandbox.attachLayers(folder);
    const layers = folder === undefined ? {} : { layers: means.layersInside(folder) };
    const { failed } = await sandbox.connection.preload({ modules: custom.preload, ...layers });
    if (means.canFreeze) sandbox.freeze();
    return failed.map(({ module, message }) => `${module}: ${message}`);
  } catch (error) {
    sandbox.kill();
    const { tail } = await sandbox.ended;
    const why = late.signal.aborted ? `it took over ${preloadLimitMs / 1_000} s` : tail.trim() === '' ? reasonOf(error) : tail.trim();
    throw new SwiftletError('InitError', `a sandbox of the pool "${custom.name}" could not import what it preloads: ${why}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
