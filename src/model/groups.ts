/**
 * Groups are parts of the fleet: a host has labels, a function may be published to some groups only, and a request may be for one. Pure: it
 * is decided for any number of hosts.
 */
import { z } from 'zod';
import { nameSchema } from './names.ts';

export const groupKinds = ['cell', 'lane', 'region'] as const;
export type GroupKind = (typeof groupKinds)[number];

const ofKinds = <T extends z.ZodType>(schema: T) =>
  z.strictObject({ cell: schema.optional(), lane: schema.optional(), region: schema.optional() });

/** What a host is, or a request is for: one group of a kind at most. */
export const labelsSchema = ofKinds(nameSchema);
export type Labels = Readonly<z.output<typeof labelsSchema>>;
/** Of a host that is part of no group, and of a request that is for none. */
export const noLabels: Labels = {};

/** What becomes of a request for a group that has no host for it. */
export const missingGroupRules = ['any', 'refuse'] as const;

const maxGroups = 100;
const amongSchema = z
  .array(nameSchema)
  .min(1, 'it is one group at least')
  .max(maxGroups, `it is ${maxGroups} groups at most`)
  .refine((groups) => new Set(groups).size === groups.length, 'a group is named twice');

/** What of a request says its group: the value of a header or cookie is its name, or with `among` draws one of these. */
export const groupRuleSchema = z
  .strictObject({
    header: z
      .string()
      .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'a header is named in lower case')
      .optional(),
    cookie: z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, 'that is no name of a cookie')
      .optional(),
    among: amongSchema.optional(),
  })
  .refine(({ header, cookie }) => (header === undefined) !== (cookie === undefined), 'it has one of header and cookie');
export type GroupRule = Readonly<z.output<typeof groupRuleSchema>>;

export const groupsSchema = z
  .strictObject({
    /** The hosts that it is published to: for each kind that is named, those with one of these labels. */
    only: ofKinds(amongSchema).default({}),
    by: ofKinds(groupRuleSchema).default({}),
    missing: z.enum(missingGroupRules).default('any'),
  })
  .refine(({ only, by }) => Object.keys(only).length + Object.keys(by).length > 0, 'it has only, by, or both');
export type GroupsConfig = Readonly<z.output<typeof groupsSchema>>;

/** Whether a host is one of those that a function is published to. @param groups absent: to all */
export const isPublishedTo = (groups: Pick<GroupsConfig, 'only'> | undefined, labels: Labels): boolean =>
  groups === undefined ||
  groupKinds.every((kind) => {
    const named = groups.only[kind];
    const own = labels[kind];
    return named === undefined || (own !== undefined && named.includes(own));
  });

/**
 * The hosts that may have a request, as they were given: those of the groups that it is for; where there is none, by rule, none, or the others
 * – before them those that are no lane's, as what is tried in a lane is for nobody else.
 * @param wanted what the request is for; a kind that it does not name is any
 */
export function placesFor<Host extends { readonly labels: Labels }>(
  hosts: readonly Host[],
  groups: Pick<GroupsConfig, 'only' | 'missing'>,
  wanted: Labels,
): readonly Host[] {
  const open = hosts.filter(({ labels }) => isPublishedTo(groups, labels));
  const own = open.filter(({ labels }) => groupKinds.every((kind) => wanted[kind] === undefined || wanted[kind] === labels[kind]));
  if (own.length > 0 || groups.missing === 'refuse') return own;
  const main = open.filter(({ labels }) => labels.lane === undefined);
  return main.length > 0 ? main : open;
}

/** `cell a, region eu`; empty for none. */
export const labelsText = (labels: Labels): string =>
  groupKinds.flatMap((kind) => (labels[kind] === undefined ? [] : [`${kind} ${labels[kind]}`])).join(', ');

/** `cell a or b, region eu`; empty for all. */
export const onlyText = ({ only }: Pick<GroupsConfig, 'only'>): string =>
  groupKinds.flatMap((kind) => (only[kind] === undefined ? [] : [`${kind} ${only[kind].join(' or ')}`])).join(', ');
