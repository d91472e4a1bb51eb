import { join } from 'node:path';
import type { CallPlaces } from '../role/call-places.ts';
import type { RoleConfig } from '../role/role-config.ts';
import { connectCalls } from '../wire/calls.ts';
import { type ArtifactSource, folderSource } from './artifact-folder.ts';
import { remoteArtifacts } from './remote-artifacts.ts';

/** Where code comes from: control's folder when it is on this host, else control. */
export function artifactSource(
  { home, hosts }: Pick<RoleConfig, 'home' | 'hosts'>,
  places: CallPlaces,
): AsyncDisposable & { readonly source: ArtifactSource } {
  if (hosts === undefined) return { source: folderSource(join(home, 'control', 'blobs')), [Symbol.asyncDispose]: () => Promise.resolve() };
  const control = connectCalls(places.of('hosts'), 'agent');
  return { source: remoteArtifacts(control), [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
}
