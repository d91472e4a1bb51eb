/** Which parts of the fleet a function is published to, and how requests choose among them, in `swiftlet.yaml`. */
import { z } from 'zod';
import { type GroupsConfig, missingGroupRules } from '../model/groups.ts';
import { nameSchema } from '../model/names.ts';

const amongSchema = z.union(
  [nameSchema.transform((name) => [name]), z.array(nameSchema).min(1)],
  'it is a name, or a list of names, such as [a, b]',
);

const ruleSchema = z.strictObject(
  {
    header: z
      .string()
      .transform((name) => name.toLowerCase())
      .optional()
      .describe('The header whose value says it'),
    cookie: z.string().optional().describe('The cookie whose value says it'),
    among: amongSchema.optional().describe('The groups that the values are divided among; absent: the value is the group’s name'),
  },
  'it is "header: x-cell" or "cookie: cell", and may have among',
);

const ofKinds = <T extends z.ZodType>(schema: T) =>
  z.strictObject({ cell: schema.optional(), lane: schema.optional(), region: schema.optional() }, 'it has the keys cell, lane and region');

export const groupsEntrySchema = z.strictObject(
  {
    only: ofKinds(amongSchema).optional().describe('The hosts that it is published to, by their labels'),
    by: ofKinds(ruleSchema).optional().describe('What of a request says which group it is for'),
    missing: z
      .enum(missingGroupRules, `it is ${missingGroupRules.join(' or ')}`)
      .optional()
      .describe('A request for a group that has no host for it goes to any (default), or is refused'),
  },
  'it has the keys only, by and missing',
);

/** As far as it was said. */
export const planGroups = ({ only = {}, by = {}, missing = 'any' }: z.output<typeof groupsEntrySchema>): GroupsConfig => ({
  only,
  by,
  missing,
});
