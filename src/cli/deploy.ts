/** Building and publishing what a folder plans. */
import { join } from 'node:path';
import { buildFunction } from '../build/build.ts';
import { type PlannedFunction, planFolder } from '../build/plan.ts';
import { homeFolder } from '../role/home.ts';
import type { ApiClient, Published } from './api-client.ts';

/** Functions that are built at the same time. */
const atOnce = 4;

export interface Deployed extends Published {
  readonly name: string;
  /** Bytes of the bundle. */
  readonly size: number;
  readonly url: string;
}

/** Builds and publishes all functions of a folder. @throws SwiftletError of the first that fails; the others may be published */
export async function deployFolder(folder: string, api: ApiClient, signal: AbortSignal): Promise<Deployed[]> {
  const plan = await planFolder(folder);
  const { gatewayUrl } = await api.platform();
  const done: Deployed[] = [];
  const rest = [...plan];
  const work = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) done.push(await deployOne(next, api, gatewayUrl, signal));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, plan.length) }, work));
  return done.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function deployOne(planned: PlannedFunction, api: ApiClient, gatewayUrl: string, signal: AbortSignal): Promise<Deployed> {
  const packed = await buildFunction(planned, { cache: join(cacheFolder(), 'dependencies'), signal });
  await api.putArtifact(packed);
  const published = await api.putFunction(planned.name, packed.digest, planned.config);
  return { ...published, name: planned.name, size: packed.size, url: `${gatewayUrl}/${planned.name}/` };
}

const cacheFolder = (): string => process.env['XDG_CACHE_HOME'] ?? join(homeFolder(process.env), 'cache');
