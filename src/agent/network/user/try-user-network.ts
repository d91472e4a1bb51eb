/** Whether this machine can give sandboxes a way out without root's rights: tried with what it is made of, which is gone afterwards. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isExecutable } from '../../linux/is-executable.ts';
import { siblingModule } from '../../../role/sibling-module.ts';
import type { Missing } from '../try-network.ts';
import { pastaOptions, pastaPath, unshareRights } from './programs.ts';

const trialLimitMs = 5_000;
const device = '/dev/net/tun';

/** Takes some 200 ms. @returns what is missing; undefined when nothing is */
export async function tryUserNetwork(): Promise<Missing | undefined> {
  if (!isExecutable(pastaPath)) return { detail: 'passt is not installed', remedy: 'sudo apt-get install -y passt' };
  const [unshare] = unshareRights;
  if (!isExecutable(unshare)) return { detail: `${unshare} is not there`, remedy: 'sudo apt-get install -y util-linux' };
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch {
    return { detail: `${device} is not open to this user`, remedy: `sudo modprobe tun; sudo chmod 666 ${device}` };
  }
  try {
    const trial = [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(siblingModule(import.meta.url, './trial'))];
    await promisify(execFile)(pastaPath, [...pastaOptions, '--', ...trial], { timeout: trialLimitMs });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const detail = `pasta, or rules behind it, cannot be used: ${said.split('\n').findLast(Boolean) ?? String(error)}`;
    const isAbsent = said.includes('libnftables');
    const remedy = isAbsent
      ? 'sudo apt-get install -y nftables'
      : 'use a kernel with user namespaces, nftables and veth, and a host with a default route';
    return { detail, remedy };
  }
}
