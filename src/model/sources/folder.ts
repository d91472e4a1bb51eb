/** Which folder of the platform's host is watched. */
import { z } from 'zod';
import { pollMsSchema } from './polling.ts';

export const folderSourceSchema = z.strictObject({
  kind: z.literal('folder'),
  path: z
    .string()
    .max(4_096)
    .regex(/^\/(?:[^/\0]+\/)*[^/\0]*$/, 'a folder is an absolute path: /var/spool/orders')
    .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'a path has no . and no .. here')
    .describe('The folder; what lies in folders below it counts, too'),
  pollMs: pollMsSchema.describe('How often it is looked through, in ms, beside what the system tells of it'),
  settleMs: z.int().min(0).max(600_000).default(500).describe('A file counts once it was not changed for so long, in ms'),
});
export type FolderSource = z.output<typeof folderSourceSchema>;
