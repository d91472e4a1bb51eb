/** What the control API says of aliases and rollouts. The command line reads it by the same schemas. */
import { z } from 'zod';
import { rolloutPlanSchema } from '../model/rollout.ts';
import { splitSchema, stickySchema } from '../model/traffic.ts';

const placedSchema = z.boolean().describe('Whether every gateway and agent acts on it already');
const countsSchema = z.object({ requests: z.int(), errors: z.int() });

export const aliasViewSchema = z.object({
  name: z.string(),
  versions: splitSchema.describe('The versions, and of a hundred requests how many each gets; with one decimal'),
  sticky: stickySchema.optional().describe('The header or cookie whose value decides, so that its sender always gets the same version'),
  updatedAt: z.iso.datetime(),
});
export type AliasView = z.output<typeof aliasViewSchema>;
export const aliasesViewSchema = z.object({ aliases: z.array(aliasViewSchema) });
export const aliasSetSchema = aliasViewSchema.extend({ placed: placedSchema });

export const rolloutViewSchema = z.object({
  from: z.int().describe('The version before'),
  to: z.int().describe('The new version'),
  plan: rolloutPlanSchema,
  startedAt: z.iso.datetime(),
  state: z.enum(['started', 'warming', 'watching', 'completed', 'rolled-back', 'aborted']),
  live: splitSchema.describe('What /<function>/ stands for now'),
  step: z
    .object({ number: z.int(), of: z.int(), weight: z.number(), endsAt: z.iso.datetime().optional() })
    .optional()
    .describe('The step that is under way: being warmed up for, or in force until it ends'),
  endedAt: z.iso.datetime().optional(),
  reason: z.string().optional().describe('Why it was rolled back'),
  figures: z
    .object({ from: countsSchema, to: countsSchema, verdict: z.enum(['unproven', 'good', 'worse']) })
    .optional()
    .describe('What was counted in this step; absent when it is over, or the gateway does not tell'),
});
export type RolloutView = z.output<typeof rolloutViewSchema>;

export const rolledBackSchema = z.object({ live: splitSchema.describe('What /<function>/ stands for now'), placed: placedSchema });
