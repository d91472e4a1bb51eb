/** What control asks the events role about timers. */
import { z } from 'zod';
import { nameSchema } from '../model/names.ts';

/** Ask `timers`: how far a function's timers have come. Answered with `timersSchema`. */
export const timersQuerySchema = z.object({ tenant: nameSchema, function: nameSchema });

export const timersSchema = z.object({
  timers: z.array(
    z.object({
      name: nameSchema,
      nextRunAt: z.iso.datetime().optional().describe('When it runs next; absent when it does not any more'),
      lastRunAt: z.iso.datetime().optional().describe('The scheduled time of its last run; absent before the first'),
    }),
  ),
});
export type TimersView = z.output<typeof timersSchema>;
