/**
 * Whether this host passes packets on, which it must do for sandboxes. It is changed only where it has to be, and put back by the last
 * platform that needed it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const settings = '/proc/sys/net';
const forward4 = 'ipv4/ip_forward';
const forward6 = 'ipv6/conf/all/forwarding';
const interfaces6 = 'ipv6/conf';
const beforeName = 'before.json';

/** Settings below /proc/sys/net, as they were before the first platform. */
const beforeSchema = z.record(z.string(), z.string());
type Settings = Readonly<Record<string, string>>;

export interface Forwarding {
  /** Whether nothing but Swiftlet wanted this host to forward. */
  readonly isOurs: boolean;
}

export const hasIpv6 = (): boolean => existsSync(join(settings, interfaces6));

/**
 * What has to be changed so that packets are passed on. Pure.
 * @param found the settings as they are: of forwarding, and `accept_ra` of each interface
 * @param more of settings, as they are to be
 */
export function settingsToChange(found: Settings, more: Settings = {}): Settings {
  const changes: Record<string, string> = {};
  for (const [name, value] of Object.entries(more)) if (found[name] !== value) changes[name] = value;
  if (found[forward4] === '0') changes[forward4] = '1';
  if (found[forward6] === '0') {
    changes[forward6] = '1';
    // A host that forwards no longer listens to its router, unless it is told to: it would lose its own IPv6.
    for (const [name, value] of Object.entries(found)) if (name.endsWith('/accept_ra') && value === '1') changes[name] = '2';
  }
  return changes;
}

/**
 * Has the host forward, until `release`.
 * @param folder shared by all platforms of this host; made when it is missing
 * @param id the platform’s
 * @param more of settings that it needs meanwhile
 * @throws Error where settings of the kernel cannot be written, as in many containers
 */
export function forward(folder: string, id: string, more: Settings = {}): Forwarding {
  mkdirSync(folder, { recursive: true });
  const found = current(Object.keys(more));
  const changes = settingsToChange(found, more);
  if (Object.keys(changes).length > 0) {
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, found[name] ?? '']));
    // Written down before anything is changed, so that whoever comes after a killed agent knows it.
    writeFileSync(join(folder, beforeName), JSON.stringify({ ...readBefore(folder), ...before }));
    for (const [name, value] of Object.entries(changes)) writeFileSync(join(settings, name), value);
  }
  writeFileSync(join(folder, id), '');
  return { isOurs: readBefore(folder)[forward4] === '0' };
}

/** Ends the need of one platform; after the last one all is as before. May be called without a `forward`. */
export function release(folder: string, id: string): void {
  if (!existsSync(folder)) return;
  rmSync(join(folder, id), { force: true });
  if (readdirSync(folder).some((name) => name !== beforeName)) return;
  for (const [name, value] of Object.entries(readBefore(folder))) {
    // An interface may have gone since.
    if (existsSync(join(settings, name))) writeFileSync(join(settings, name), value);
  }
  rmSync(join(folder, beforeName), { force: true });
  rmdirSync(folder);
}

function current(more: readonly string[]): Settings {
  const names = hasIpv6()
    ? [forward4, forward6, ...readdirSync(join(settings, interfaces6)).map((name) => `${interfaces6}/${name}/accept_ra`)]
    : [forward4];
  return Object.fromEntries([...names, ...more].map((name) => [name, readFileSync(join(settings, name), 'utf8').trim()]));
}

function readBefore(folder: string): Settings {
  const path = join(folder, beforeName);
  return existsSync(path) ? beforeSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};
}
