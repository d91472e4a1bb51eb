/** Which private networks are set up, and where their connections go: what the next agent goes on with. Lies in the run folder, as the router does. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { privateNetworkSchema } from '../../../model/private-network.ts';

const waySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('through'), place: z.union([z.literal(0), z.literal(1)]) }),
  z.object({ kind: z.literal('cut') }),
]);
const recordSchema = z.array(z.object({ network: privateNetworkSchema, way: waySchema }));
export type NetworkRecord = Readonly<z.output<typeof recordSchema>[number]>;

/** @returns nothing when there is none, or none that can be read */
export function readRecord(path: string): readonly NetworkRecord[] {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return [];
  }
}

export function writeRecord(path: string, record: readonly NetworkRecord[]): void {
  const draft = `${path}.new`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, path);
}
