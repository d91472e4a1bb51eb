/** How parts of what is limited for all agents go from one to another, where there are several: who lacks says so to control, which asks the others. */
import { z } from 'zod';

/** What a part is of. One that is of another whole, or of other agents, is another budget: nothing that was moved of it holds. */
export const budgetSchema = z.object({
  /** A function's key, for its instances; `memory <tenant>`, for a tenant's memory in MiB. */
  key: z.string(),
  whole: z.int().min(0),
  /** The agents that have a part. */
  agents: z.array(z.int().min(0)).min(1),
  /** Whether an agent keeps half of its own part, also when it does not need it: else one cell could take all from another. */
  keepsHalf: z.boolean(),
});
export type Budget = Readonly<z.output<typeof budgetSchema>>;

/** Notice `lacks`, from an agent to control: its part is used up. */
export const lacksSchema = budgetSchema.extend({ agent: z.int().min(0), wanted: z.int().min(1) });
export type Lacks = Readonly<z.output<typeof lacksSchema>>;

/** Ask `part`, from control to an agent: what it has of a budget now, and how much of it nobody there needs. */
export const partSchema = z.object({ part: z.int().min(0), spare: z.int().min(0) });
export type Part = Readonly<z.output<typeof partSchema>>;

/** Ask `yield`: it gives up so much of its part, or less; it has given it up when it answers. Ask `grant`: it gets so much more. */
export const moveSchema = budgetSchema.extend({ amount: z.int().min(1) });
export const yieldedSchema = z.object({ amount: z.int().min(0) });
