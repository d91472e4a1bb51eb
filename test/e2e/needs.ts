/** What not every user and machine has. A test that needs it skips without it, and says why; in CI nothing may skip. */
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { openCgroups } from '../../src/agent/linux/open-cgroups.ts';

/** `skip` of tests of full isolation. */
export const needsRoot: string | false = hasSysAdmin() ? false : 'full isolation needs root';

/** `skip` of tests that take memory until it is refused: without a limit they would take the host's. */
export const needsMemoryLimit: string | false = limitsMemory() ? false : 'needs cgroups that limit memory: root, or a delegated tree';

function limitsMemory(): boolean {
  const cgroups = openCgroups(`swiftlet-test-${process.pid}`);
  cgroups?.close();
  return cgroups?.available.has('memory') === true;
}
