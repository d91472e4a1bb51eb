import { didYouMean } from '../build/closest.ts';
import type { ApiClient } from './api-client.ts';
import { RemoteError } from './failure.ts';

/** Waits for something that is done with a function. When there is no function of that name, the error says which was probably meant. */
export async function knownFunction<T>(api: ApiClient, name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RemoteError) || error.code !== 'FunctionNotFound') throw error;
    const names = (await api.list()).map((known) => known.name);
    throw new RemoteError('FunctionNotFound', `there is no function "${name}"${hint(name, names)}`, error.requestId);
  }
}

function hint(name: string, names: readonly string[]): string {
  if (names.length === 0) return '; none is deployed yet: "swiftlet deploy" publishes a folder';
  const meant = didYouMean(name, names);
  return meant === undefined ? '; "swiftlet list" shows those there are' : `; did you mean "${meant}"?`;
}
