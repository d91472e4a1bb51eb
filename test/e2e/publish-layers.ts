/** Layers for end-to-end tests, published through the API. */
import assert from 'node:assert/strict';
import { bundleMediaType, packBundle } from '../../src/build/bundle.ts';
import { folderOf } from '../build/folder-of.ts';
import type { E2e } from './functions.ts';

/** @param layers files by the layers' names @returns what functions name them by, in this order */
export async function publishLayers(
  { platform }: E2e,
  layers: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<string[]> {
  const ask = async (method: string, path: string, type: string, body: string | Uint8Array<ArrayBuffer>) => {
    const headers = { authorization: `Bearer ${platform.token}`, 'content-type': type };
    const response = await fetch(`${platform.apiUrl}${path}`, { method, headers, body });
    const text = await response.text();
    assert.ok(response.ok, text);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const references: string[] = [];
  for (const [name, files] of Object.entries(layers)) {
    await using folder = await folderOf(files);
    const { bytes, digest } = await packBundle(folder.path);
    await ask('PUT', `/v1/artifacts/${digest}`, bundleMediaType, new Uint8Array(bytes));
    const { version } = await ask('POST', `/v1/layers/${name}/versions`, 'application/json', JSON.stringify({ digest }));
    references.push(`${name}:${String(version)}`);
  }
  return references;
}
