/** Which pages may call a function in a browser, in `swiftlet.yaml`. */
import { z } from 'zod';
import type { corsSchema } from '../model/cors.ts';
import * as limits from '../model/limits.ts';
import { durationSchema } from './quantities.ts';

const list = (what: string) => z.array(z.string(), 'it is a list').optional().describe(what);

export const corsEntrySchema = z.strictObject(
  {
    origins: z.array(z.string(), 'it is a list of origins, such as [https://app.example.com]').describe('Pages that may call it; * is any'),
    methods: list('That they may send; default: all'),
    headers: list('That they may send beside those that every page may; * is any'),
    expose: list('That they may read of an answer'),
    credentials: z.boolean().optional().describe('Whether cookies and the like come along; default: no'),
    maxAge: durationSchema(limits.corsMaxAgeMs).optional().describe('How long a browser need not ask again; default 1 h'),
  },
  'it has the key origins, and may have methods, headers, expose, credentials and maxAge',
);

export function planCors({ maxAge, headers, expose, ...rest }: z.output<typeof corsEntrySchema>): z.input<typeof corsSchema> {
  const lower = (names: readonly string[] | undefined) => names?.map((name) => name.toLowerCase());
  return { ...rest, headers: lower(headers), expose: lower(expose), maxAgeMs: maxAge };
}

/** Where the manifest has what the configuration has there. */
export const corsPlace = (path: readonly string[]): readonly string[] => path.map((part) => (part === 'maxAgeMs' ? 'maxAge' : part));
