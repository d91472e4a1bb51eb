/** How a function's requests are divided among its versions. Weights are per cent, with one decimal. */
import { z } from 'zod';

/** The alias that `/<function>/` stands for. Every function has it, and a deploy moves it. */
export const liveAlias = 'live';
/** In a name of an address: `<function>:<alias>`. */
export const aliasMark = ':';
/** Of what a weight is a part, in tenths of a per cent. */
export const wholeTenths = 1_000;
const maxVersions = 10;
const leastWeight = 0.1;
const wholeWeight = 100;
const weightRule = `a weight is from ${leastWeight} to ${wholeWeight} per cent, with one decimal at most`;

/** A weight as a whole number. */
export const tenthsOf = (weight: number): number => Math.round(weight * 10);

export const weightSchema = z
  .number(weightRule)
  .min(leastWeight, weightRule)
  .max(wholeWeight, weightRule)
  .refine((weight) => Math.abs(weight * 10 - tenthsOf(weight)) < 1e-6, weightRule);

const partSchema = z.strictObject({ version: z.int().min(1), weight: weightSchema });
type Part = z.output<typeof partSchema>;

const sumOf = (parts: readonly Pick<Part, 'weight'>[]): number => parts.reduce((sum, { weight }) => sum + tenthsOf(weight), 0) / 10;

/** Which versions requests go to, and how many of a hundred to each. */
export const splitSchema = z
  .array(partSchema)
  .min(1, 'an alias points to one version at least')
  .max(maxVersions, `an alias points to ${maxVersions} versions at most`)
  .refine((parts) => new Set(parts.map(({ version }) => version)).size === parts.length, 'a version is named twice')
  .refine((parts) => sumOf(parts) === wholeWeight, {
    error: ({ input }) => `the weights are ${sumOf(input as readonly Part[])} per cent together; they have to be ${wholeWeight}`,
  });
export type Split = z.output<typeof splitSchema>;

/** What of a request decides that its caller always gets the same version. */
export const stickySchema = z.union(
  [
    z.strictObject({ header: z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'a header is named in lower case') }),
    z.strictObject({ cookie: z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, 'that is no name of a cookie') }),
  ],
  'it is one of { header: NAME } and { cookie: NAME }',
);
export type Sticky = z.output<typeof stickySchema>;

/** All requests to one version. */
export const allTo = (version: number): Split => [{ version, weight: wholeWeight }];

/** So many of a hundred to the next version, the rest to the one before. */
export const shareOf = (next: number, weight: number, before: number): Split =>
  tenthsOf(weight) >= wholeTenths
    ? allTo(next)
    : [
        { version: next, weight },
        { version: before, weight: (wholeTenths - tenthsOf(weight)) / 10 },
      ];

/** What a version gets of a split; 0 when it is not in it. */
export const weightIn = (split: Split, version: number): number => split.find((part) => part.version === version)?.weight ?? 0;

/** The version that stands for the function: the one that gets most, the newest of several. */
export const mainVersion = (split: Split): number =>
  split.reduce((main, part) => (part.weight > main.weight || (part.weight === main.weight && part.version > main.version) ? part : main))
    .version;
