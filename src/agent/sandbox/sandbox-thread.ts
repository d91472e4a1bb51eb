/**
 * The thread that starts sandboxes: a start blocks its thread for some ms (fork, cgroups), and the agent's own thread must answer
 * gateways meanwhile. It runs one driver and does what `SandboxHost` asks.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openCgroups } from '../linux/open-cgroups.ts';
import { Mounter } from '../linux/mount-namespace.ts';
import { BubblewrapDriver } from './bubblewrap.ts';
import { ProcessDriver } from './process.ts';
import type { SandboxDriver } from './sandbox-driver.ts';
import type { ThreadAnswer, ThreadOrder, ThreadSettings } from './sandbox-host.ts';

const settings = workerData as ThreadSettings;
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');

const driver = openDriver(settings);
driver.onExit = (slot, exit) => port.postMessage({ kind: 'exit', slot, exit } satisfies ThreadAnswer);

async function carryOut(order: ThreadOrder): Promise<ThreadAnswer> {
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

port.on('message', (order: ThreadOrder) => {
  carryOut(order).then(
    (answer) => port.postMessage(answer),
    (error: unknown) =>
      port.postMessage({
        kind: 'failed',
        id: order.id,
        message: error instanceof Error ? error.message : String(error),
      } satisfies ThreadAnswer),
  );
});

function openDriver(means: ThreadSettings): SandboxDriver {
  if (means.isolation === 'process') return new ProcessDriver(means.group);
  return new BubblewrapDriver({
    ...means,
    mounter: means.privileged ? new Mounter() : undefined,
    cgroups: openCgroups(means.cgroupFolder),
  });
}
