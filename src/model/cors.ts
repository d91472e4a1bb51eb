/** Which pages of other origins may call a function in a browser (CORS, the Fetch standard). */
import { z } from 'zod';
import * as limits from './limits.ts';

const token = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const originPattern = /^(?:\*|null|https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d{1,5})?|https?:\/\/\[[0-9a-f:]+\](?::\d{1,5})?)$/;

const originSchema = z
  .string()
  .max(300)
  .regex(originPattern, 'an origin is like https://app.example.com, https://*.example.com or http://localhost:5173; * is any');
const headersSchema = z.array(z.string().regex(token, 'a header is named in lower case')).max(limits.maxCorsNames);

export const corsSchema = z
  .strictObject({
    origins: z.array(originSchema).min(1).max(limits.maxCorsNames),
    /** Absent: each. */
    methods: z
      .array(z.string().regex(/^[A-Z]{1,20}$/, 'a method is in upper case'))
      .min(1)
      .max(limits.maxCorsNames)
      .optional(),
    /** That pages may send; `*`: each. */
    headers: headersSchema.default([]),
    /** That pages may read of an answer. */
    expose: headersSchema.default([]),
    /** Whether cookies, and what else belongs to the visitor, come along. */
    credentials: z.boolean().default(false),
    /** How long a browser need not ask again. */
    maxAgeMs: z.int().min(limits.corsMaxAgeMs.min).max(limits.corsMaxAgeMs.max).default(limits.corsMaxAgeMs.default),
  })
  .refine(({ origins, credentials }) => !(credentials && origins.includes('*')), {
    error: 'with credentials any page could act for a visitor: name the origins instead of *',
    path: ['origins'],
  });
export type CorsConfig = Readonly<z.output<typeof corsSchema>>;
