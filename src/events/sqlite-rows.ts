/** How rows and calls of SQLite become what the contracts say. */
import { z } from 'zod';

export const jsonText = z.string().transform((text): unknown => JSON.parse(text));

/** A column that may have nothing in it. */
export const orNone = <T>(schema: z.ZodType<T>) => schema.nullable().transform((value) => value ?? undefined);

export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** What it throws becomes the promise's rejection, as the contracts have it. */
export const turn = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });
