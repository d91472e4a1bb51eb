/** The process that starts sandboxes: it runs one driver, does what `Launcher` asks, and ends with the agent. */
import { keepCompiled } from '../../role/compiled-code.ts';
import { keepRights } from '../linux/capabilities.ts';
import { openCgroups } from '../linux/open-cgroups.ts';
import { Mounter } from '../linux/mount-namespace.ts';
import { Lines } from '../network/lines.ts';
import { BubblewrapDriver } from './bubblewrap.ts';
import type { LauncherAnswer, LauncherOrder, LauncherSettings } from './launcher.ts';
import { ProcessDriver } from './process.ts';
import type { SandboxDriver } from './sandbox-driver.ts';

process.title = 'swiftlet launcher';
// The agent alone decides what these mean; they reach the whole process group.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM']) process.on(signal, () => undefined);
process.once('disconnect', () => process.exit());

keepCompiled();
// Sandboxes have none of the rights that their network is made with.
keepRights();
const driver = openDriver(JSON.parse(process.argv[2] ?? 'null') as LauncherSettings);
driver.onExit = (slot, exit) => tell({ kind: 'exit', slot, exit });

async function carryOut(order: LauncherOrder): Promise<LauncherAnswer> {
  switch (order.kind) {
    case 'boot':
      return { kind: 'booted', id: order.id, processes: await driver.boot(order.spec) };
    case 'free':
      await driver.free(order.slot, order.folder);
      return { kind: 'done', id: order.id };
    case 'close':
      await driver[Symbol.asyncDispose]();
      return { kind: 'done', id: order.id };
  }
}

process.on('message', (message) => {
  const order = message as LauncherOrder;
  carryOut(order).then(tell, (error: unknown) =>
    tell({ kind: 'failed', id: order.id, message: error instanceof Error ? error.message : String(error) }),
  );
});

function tell(answer: LauncherAnswer): void {
  // An agent that is gone hears nothing; this process ends then.
  process.send?.(answer, undefined, undefined, () => undefined);
}

function openDriver(means: LauncherSettings): SandboxDriver {
  if (means.isolation === 'process') return new ProcessDriver(means.group);
  return new BubblewrapDriver({
    ...means,
    mounter: means.privileged ? new Mounter() : undefined,
    cgroups: openCgroups(means.cgroupFolder),
    lines: means.lines === undefined ? undefined : new Lines(means.lines),
  });
}
