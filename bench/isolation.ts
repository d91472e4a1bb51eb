import { z } from 'zod';
import { freezing, hibernating } from '../src/model/isolation.ts';

/** What kept functions apart while a figure was taken; without all of it the figure does not count. */
export interface Isolation {
  readonly full: boolean;
  readonly detail: string;
}

const factSchema = z.object({ means: z.string(), inForce: z.boolean(), detail: z.string() });
/** The part of `GET /v1/platform` that says what keeps functions apart. */
const platformSchema = z.object({
  isolation: z.union([
    z.object({ mode: z.string().optional(), facts: z.array(factSchema) }),
    z.array(factSchema).transform((facts) => ({ mode: undefined, facts })),
  ]),
});

/** @param platform the answer of `GET /v1/platform` */
export function isolationIn(platform: unknown): Isolation {
  const { mode, facts: told } = platformSchema.parse(platform).isolation;
  const facts = told.filter(({ means }) => means !== freezing && means !== hibernating);
  const missing = facts.filter(({ inForce }) => !inForce).map(({ means }) => means);
  const full = facts.length > 0 && missing.length === 0 && mode !== 'process';
  return { full, detail: full ? facts.map(({ means }) => means).join(', ') : `missing: ${missing.join(', ') || 'everything'}` };
}
