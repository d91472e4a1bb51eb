/** What an artifact's files come to, and what could be left out of them or shared. All bytes are those of unpacked files. */
import { z } from 'zod';

/** What a part is: a package of npm, a distribution of Python, a folder of the bundle, or a file beside these. */
export const partKinds = ['npm', 'python', 'folder', 'file'] as const;

/** Files that came together. */
export const partSchema = z.object({
  /** In the bundle; of a distribution the folder that it lies in, and its name. */
  path: z.string(),
  kind: z.enum(partKinds),
  bytes: z.int(),
  files: z.int(),
  /** SHA-256 of names and contents, in hex: the same part elsewhere has the same. */
  content: z.string(),
  /** What of it is known to be needless, whatever the code does. */
  needlessBytes: z.int(),
});
export type Part = Readonly<z.output<typeof partSchema>>;

/** What lies in packages and is of no use to code that runs. */
export const needlessKinds = ['development dependencies', 'tests', 'documents', 'source maps', 'types'] as const;
export type NeedlessKind = (typeof needlessKinds)[number];

const needlessShape = {
  bytes: z.int(),
  files: z.int(),
  paths: z.array(z.string()).describe('The parts that have most of it, the largest first'),
};
export const needlessSchema = z.object({ why: z.enum(needlessKinds), ...needlessShape });
export type Needless = Readonly<z.output<typeof needlessSchema>>;

/** What is kept of an artifact's files when it is taken in. */
export const contentsSchema = z.object({
  bytes: z.int(),
  files: z.int(),
  /** The largest first; small ones are left out. */
  parts: z.array(partSchema),
  needless: z.array(needlessSchema),
});
export type Contents = Readonly<z.output<typeof contentsSchema>>;

export const sizeAdviceSchema = z
  .object({
    bytes: z.int().describe('Of all files, unpacked'),
    files: z.int(),
    largest: z
      .array(partSchema.pick({ path: true, kind: true, bytes: true, files: true }))
      .describe('Packages, and folders, of 16 KiB and more; the largest first'),
    unused: z
      .array(z.object({ why: z.enum(['not imported', ...needlessKinds]), ...needlessShape }))
      .describe('What could be left out. Which packages nothing imports is known of code that starts as one file'),
    shared: z
      .array(
        z.object({
          path: z.string(),
          bytes: z.int(),
          functions: z.array(z.string()).describe('Whose kept versions have it, this one among them'),
          copies: z.int().describe('How many bundles of these have it'),
        }),
      )
      .describe('What other bundles have, too: as a layer it would be stored, and unpacked, once'),
  })
  .describe('What is large in the bundle, what is unused, and what a layer would save');
export type SizeAdvice = Readonly<z.output<typeof sizeAdviceSchema>>;
