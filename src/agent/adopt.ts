/** What a new agent does with the sandboxes of the one before: those that are whole go on, everything else is ended and removed. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { removeRemains, type Traces } from './sandbox/remains.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';
import { type InstanceRecord, readRecords, type SlotRecord } from './slot-record.ts';

/** A restart waits no longer than this for sandboxes that say nothing. */
const answerLimitMs = 500;

export interface AdoptMeans extends Traces {
  readonly sandboxes: Sandboxes;
  readonly log: Logger;
}

export interface Adopted {
  readonly instances: readonly { readonly sandbox: Sandbox; readonly instance: InstanceRecord }[];
  readonly warm: readonly Sandbox[];
}

/** Adopts what can be adopted and ends the rest. Resolves when nothing is left that belongs to nobody. */
export async function adopt(means: AdoptMeans): Promise<Adopted> {
  const records = readRecords(means.slotsFolder);
  const instances: { sandbox: Sandbox; instance: InstanceRecord }[] = [];
  const warm: Sandbox[] = [];
  const kept = new Set<number>();
  await Promise.all(
    [...records].map(async ([slot, record]) => {
      const sandbox = record === undefined ? undefined : await tryAdopt(means, record);
      if (record === undefined || sandbox === undefined) return;
      kept.add(slot);
      if (record.instance === undefined) warm.push(sandbox);
      else instances.push({ sandbox, instance: record.instance });
    }),
  );
  await removeRemains(means, kept);
  if (records.size > 0)
    means.log.info({ instances: instances.length, warm: warm.length, ended: records.size - kept.size }, 'took over from an earlier agent');
  return { instances, warm };
}

async function tryAdopt({ sandboxes, log }: AdoptMeans, record: SlotRecord): Promise<Sandbox | undefined> {
  try {
    const sandbox = sandboxes.adopt(record);
    if (sandbox === undefined) return undefined;
    if (await isWhole(sandbox, record)) return sandbox;
    sandbox.kill();
    await sandbox.ended;
  } catch (error) {
    log.warn({ err: error, slot: record.booted.slot }, 'a sandbox of an earlier agent could not be taken over');
  }
  return undefined;
}

/**
 * Whether a sandbox is what its record says. A warm one answers, or is of no use; an instance may be busy with a request that keeps its
 * thread, and goes on with it. Should it never answer, the request's time limit ends it.
 */
async function isWhole({ connection }: Sandbox, { instance }: SlotRecord): Promise<boolean> {
  const answer = connection.booted().then(
    ({ state }) => state,
    () => 'gone' as const,
  );
  const state = await Promise.race([answer, pause(answerLimitMs, 'silent' as const, { ref: false })]);
  return instance === undefined ? state === 'booted' : state === 'initialised' || state === 'silent';
}
