/** What control asks the events role about sources. */
import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { eventErrorSchema } from './event-calls.ts';

/** Ask `sources`: those of a function, or all. Answered with `sourcesViewSchema`. */
export const sourcesQuerySchema = z.object({ tenant: nameSchema, function: nameSchema.optional() });

/** Ask `pauseSource` or `resumeSource`. Answered with `sourceViewSchema` once it is stored, or refused with NotFound. */
export const sourceOrderSchema = z.object({ tenant: nameSchema, function: nameSchema, source: nameSchema });

export const sourceStates = ['disabled', 'paused', 'connecting', 'running', 'broken'] as const;

export const sourceViewSchema = z.object({
  function: nameSchema,
  name: nameSchema,
  kind: z.string(),
  state: z
    .enum(sourceStates)
    .describe('disabled: by its manifest; paused: by an operator; running: messages come; broken: it is opened again at retryAt'),
  error: eventErrorSchema.optional().describe('What stands in its way, and what to do'),
  retryAt: z.iso.datetime().optional().describe('When it is opened again, while it is broken'),
  lag: z.int().optional().describe('Messages that wait at its server and were not given out; absent when the server does not tell'),
  held: z.int().describe('Messages that were taken and are not settled'),
  working: z.int().describe('Messages of them that the function is working on'),
});
export type SourceView = z.output<typeof sourceViewSchema>;
export const sourcesViewSchema = z.object({ sources: z.array(sourceViewSchema) });
