import { z } from 'zod';
import { nameSchema } from './names.ts';

/** The invocation of a function that caused another one. */
export const callerSchema = z.object({ function: nameSchema, requestId: z.string() });
export type Caller = Readonly<z.output<typeof callerSchema>>;
