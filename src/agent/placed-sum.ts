/** What lies beside an unpacked artifact, and says what it was when it was whole. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { imageKinds } from '../model/artifact-format.ts';

const sumSchema = z.object({
  /** Of all files, as `sumFolder` finds it again; of an image that of its one file. */
  digest: z.string(),
  /** On the disk. */
  bytes: z.int().min(0),
  /** Absent: it is a folder. */
  image: z.enum(imageKinds).optional(),
});
export type PlacedSum = z.output<typeof sumSchema>;

/** @returns undefined when there is none, or half of one */
export function readSum(file: string): PlacedSum | undefined {
  try {
    return sumSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** @returns SHA-256 in hex */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
