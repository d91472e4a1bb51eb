/** `swiftlet.yaml`, as people write it. The published JSON Schema is made from this. */
import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { runtimeNames } from '../model/runtimes.ts';
import { durationSchema, memorySchema } from './quantities.ts';

const settings = {
  runtime: z.enum(runtimeNames).optional().describe('The Node.js release line'),
  memory: memorySchema.optional().describe('Memory of one instance; default 128 MiB'),
  timeout: durationSchema.optional().describe('How long one request may take; default 30 s'),
  initTimeout: durationSchema.optional().describe('How long the code outside the handler may take; default 10 s'),
  environment: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Environment variables'),
  concurrency: z.number().int().optional().describe('Requests that one instance takes at once; default 1'),
  minimum: z.number().int().optional().describe('Instances kept even without traffic; default 0'),
  maximum: z.number().int().optional().describe('Instances never exceeded; default 100'),
  idle: durationSchema.optional().describe('How long an instance without requests is kept; default 60 s'),
  queue: z
    .strictObject({
      length: z.number().int().optional().describe('Requests that may wait'),
      timeout: durationSchema.optional().describe('For how long'),
    })
    .optional()
    .describe('Requests that wait while all instances are busy'),
  build: z
    .strictObject({
      install: z.enum(['auto', 'never']).optional().describe('auto: production dependencies when there is a lockfile'),
      include: z.array(z.string()).optional().describe('Patterns that win over exclude'),
      exclude: z.array(z.string()).optional().describe('Patterns left out of the bundle, as in .gitignore'),
    })
    .optional()
    .describe('How the bundle is made'),
} as const;

export const functionEntrySchema = z.strictObject({
  source: z
    .string()
    .optional()
    .describe('The folder with the code, relative to this file; default: the folder of the function’s name if there is one, else this one'),
  handler: z.string().optional().describe('file.export, without the file’s extension'),
  ...settings,
});

export const manifestSchema = z.strictObject({
  service: nameSchema.optional().describe('The service’s name'),
  defaults: z.strictObject(settings).optional().describe('For all functions that do not say otherwise'),
  functions: z.record(nameSchema, functionEntrySchema.nullable()).describe('The functions, by name'),
});

export type FunctionEntry = z.output<typeof functionEntrySchema>;
export type Manifest = z.output<typeof manifestSchema>;
