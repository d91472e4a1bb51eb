/** What not every user and machine has. A test that needs it skips without it, and says why; in CI nothing may skip. */
import { execSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { openCgroups } from '../../src/agent/linux/open-cgroups.ts';
import { pageOutFault } from '../../src/agent/linux/page-out.ts';

/** `skip` of tests of full isolation. */
export const needsRoot: string | false = hasSysAdmin() ? false : 'full isolation needs root';

/** `skip` of tests that take memory until it is refused: without a limit they would take the host's. */
export const needsMemoryLimit: string | false = limitsMemory() ? false : 'needs cgroups that limit memory: root, or a delegated tree';

/** `skip` of tests that make swap. */
export const needsSwap: string | false =
  hasSysAdmin() && pageOutFault() === undefined && openedSwap()
    ? false
    : 'needs root, Linux 5.10 or later, and a kernel that swaps to a file';

/** Containers may forbid it. */
function openedSwap(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-swap-'));
  const file = join(folder, 'swap');
  try {
    for (const command of ['fallocate -l 1MiB', 'mkswap', 'swapon', 'swapoff']) execSync(`${command} ${file}`, { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function limitsMemory(): boolean {
  const cgroups = openCgroups(`swiftlet-test-${process.pid}`);
  cgroups?.close();
  return cgroups?.available.has('memory') === true;
}
