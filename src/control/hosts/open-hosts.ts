/** Control's side of a platform on two hosts: what it shows of itself, and who signs what the other one shows. */
import type { Logger } from 'pino';
import { type CallPlaces, openCallPlaces } from '../../role/call-places.ts';
import type { RoleConfig } from '../../role/role-config.ts';
import type { Authority } from './authority.ts';
import { keepOwnCertificate } from './own-certificate.ts';

export interface ControlHosts extends AsyncDisposable {
  readonly places: CallPlaces;
  /** Undefined on one host, and where certificates are given. */
  readonly authority: Authority | undefined;
}

export interface OpenHostsMeans {
  readonly config: Pick<RoleConfig, 'run' | 'hosts'>;
  /** Control's data folder, where the authority is kept. */
  readonly folder: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** @throws Error when the authority's file is damaged, or a certificate that should be given is not there */
export async function openHosts({ config, folder, now, log }: OpenHostsMeans): Promise<ControlHosts> {
  await using opened = new AsyncDisposableStack();
  const { hosts } = config;
  if (hosts?.certificates !== 'made') {
    const places = opened.use(openCallPlaces(config, 'control', log));
    return { places, authority: undefined, [Symbol.asyncDispose]: disposing(opened) };
  }
  // What makes certificates is loaded by those only who make some.
  const authority = await (await import('./authority.ts')).Authority.open(folder, now);
  const own = opened.use(await keepOwnCertificate(authority, hosts.certificateLifeMs, now, log));
  const places = opened.use(openCallPlaces(config, 'control', log, own.credentials));
  return { places, authority, [Symbol.asyncDispose]: disposing(opened) };
}

function disposing(opened: AsyncDisposableStack): () => Promise<void> {
  const moved = opened.move();
  return () => moved.disposeAsync();
}
