/**
 * What an agent writes down about a sandbox, in its slot's folder, so that the next agent can adopt it: a line when it has booted, and
 * one more when it is some version's for good.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { versionSchema } from '../model/function.ts';
import { runtimeSchema } from '../model/runtimes.ts';
import { customKindSchema } from './custom-kind.ts';

const bootedSchema = z.object({
  slot: z.int(),
  outer: z.int(),
  inner: z.int(),
  /** When the inner process started; with its number it names it for good. */
  born: z.string(),
  runtime: runtimeSchema,
  memoryMiB: z.int(),
  /** The custom pool that it was booted for. */
  custom: customKindSchema.optional(),
  /** Its cable to the router; absent when it has none. */
  line: z.int().optional(),
});
const dedicatedSchema = z.object({
  id: z.string(),
  version: versionSchema,
  startedAt: z.string(),
  /** Which values of its secrets it has; never the values. */
  secretStamp: z.string().default(''),
});

/** A sandbox that has booted. */
export type BootedRecord = z.output<typeof bootedSchema>;
/** The instance that a sandbox became. */
export type InstanceRecord = z.output<typeof dedicatedSchema>;

export interface SlotRecord {
  readonly booted: BootedRecord;
  /** Present from before code is let into the sandbox. */
  readonly instance: InstanceRecord | undefined;
}

const recordName = 'record.jsonl';

/** A record that is being written. Its file stays open, so that the second line costs one write. */
export class RecordFile {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(folder: string, record: BootedRecord): Promise<RecordFile> {
    const file = new RecordFile(await open(`${folder}/${recordName}`, 'ax'));
    try {
      await file.#write(record);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Goes on with the record of a warm sandbox that an earlier agent booted. */
  static async reopen(folder: string): Promise<RecordFile> {
    return new RecordFile(await open(`${folder}/${recordName}`, 'a'));
  }

  dedicate(instance: InstanceRecord): Promise<void> {
    return this.#write(instance);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #write(line: object): Promise<void> {
    await this.#file.write(`${JSON.stringify(line)}\n`);
  }
}

/** All slots that have a folder, with the record of those that have a whole one. */
export function readRecords(slotsFolder: string): Map<number, SlotRecord | undefined> {
  const records = new Map<number, SlotRecord | undefined>();
  for (const name of readdirSync(slotsFolder)) {
    if (/^\d+$/.test(name)) records.set(Number(name), readRecord(`${slotsFolder}/${name}`));
  }
  return records;
}

/** A line that was cut off makes the whole record void: nobody knows then what the sandbox is. */
function readRecord(folder: string): SlotRecord | undefined {
  try {
    const [booted = '', instance = ''] = readFileSync(`${folder}/${recordName}`, 'utf8').split('\n');
    return {
      booted: bootedSchema.parse(JSON.parse(booted)),
      instance: instance === '' ? undefined : dedicatedSchema.parse(JSON.parse(instance)),
    };
  } catch {
    return undefined;
  }
}
