/** The labels of this host's agents, as they are written: `cell=a,region=eu`, and with several agents `cell=a; cell=b`. */
import { z } from 'zod';
import { type Labels, labelsSchema } from '../../model/groups.ts';

const rule =
  'it is like cell=a,region=eu: of cell, lane and region each at most once; of several agents, each one’s after a semicolon: cell=a; cell=b';

/** Of each agent; one for all of them. */
export const labelsText = z
  .string()
  .default('')
  .transform((text, context) => text.split(';').map((one) => labelsOf(one, context)));

function labelsOf(text: string, context: z.RefinementCtx): Labels {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('=', 2).map((part) => part.trim()));
  const isTwice = new Set(pairs.map(([kind]) => kind)).size < pairs.length;
  const parsed = labelsSchema.safeParse(Object.fromEntries(pairs.map(([kind = '', name = '']) => [kind, name])));
  if (parsed.success && !isTwice) return parsed.data;
  const [issue] = parsed.error?.issues ?? [];
  context.addIssue(issue === undefined || issue.path.length === 0 ? rule : `${issue.path.join('.')}: ${issue.message}; ${rule}`);
  return z.NEVER;
}
