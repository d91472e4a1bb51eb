/** What is done for versions before anybody asks for them. What cannot be is logged, and tried again when somebody does. */
import type { Logger } from 'pino';
import { formOf } from '../model/artifact-format.ts';
import type { Version } from '../model/function.ts';
import type { CodeBundles } from './builds/code-bundles.ts';
import type { CodeCache, CodeRef } from './code-cache.ts';
import type { LayerFolders } from './layer-folders.ts';

/** Does nothing while the code is not placed: whoever places it then starts it as it is. */
export async function bundleAhead(code: CodeCache, bundles: CodeBundles, version: Version): Promise<void> {
  const folder = code.placed(version);
  if (folder !== undefined) await bundles.make(version, folder);
}

/** Unpacks code before anybody asks for it. What cannot be is tried again when somebody does. */
export async function placeAhead(code: CodeCache, ref: CodeRef & Partial<Version>, log: Logger): Promise<void> {
  if (!code.hasRoomAhead(ref)) return;
  const { tenant, digest, function: name, number, config } = ref;
  try {
    // Layers stay folders: several are linked into one.
    await code.place(ref, config === undefined ? 'folder' : formOf(config.format, true));
  } catch (error) {
    log.error({ err: error, tenant, function: name, version: number, digest }, 'code could not be placed');
  }
}

/** The same of its layers. */
export async function placeLayersAhead(layers: LayerFolders, version: Version, log: Logger): Promise<void> {
  try {
    await layers.place(version);
  } catch (error) {
    const { tenant, function: name, number } = version;
    log.error({ err: error, tenant, function: name, version: number }, 'layers could not be placed');
  }
}
