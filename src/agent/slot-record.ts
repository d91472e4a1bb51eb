/** What an agent writes down about a sandbox, in its slot's folder, so that the next agent can adopt it. */
import { readdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { versionSchema } from '../model/function.ts';
import { runtimeSchema } from '../model/runtimes.ts';

export const slotRecordSchema = z.object({
  slot: z.int(),
  outer: z.int(),
  inner: z.int(),
  /** When the inner process started; with its number it names it for good. */
  born: z.string(),
  runtime: runtimeSchema,
  heapMiB: z.int(),
  /** Present from the moment on that code is let into the sandbox. */
  instance: z.object({ id: z.string(), version: versionSchema, startedAt: z.string() }).optional(),
});
export type SlotRecord = z.output<typeof slotRecordSchema>;

const recordName = 'record.json';

/** Writes the record whole or not at all. */
export async function writeRecord(folder: string, record: SlotRecord): Promise<void> {
  const staging = `${folder}/${recordName}.new`;
  await writeFile(staging, JSON.stringify(record));
  await rename(staging, `${folder}/${recordName}`);
}

/** All slots that have a folder, with the record of those that have a whole one. */
export function readRecords(slotsFolder: string): Map<number, SlotRecord | undefined> {
  const records = new Map<number, SlotRecord | undefined>();
  for (const name of readdirSync(slotsFolder)) {
    if (/^\d+$/.test(name)) records.set(Number(name), readRecord(`${slotsFolder}/${name}`));
  }
  return records;
}

function readRecord(folder: string): SlotRecord | undefined {
  try {
    return slotRecordSchema.parse(JSON.parse(readFileSync(`${folder}/${recordName}`, 'utf8')));
  } catch {
    return undefined;
  }
}
