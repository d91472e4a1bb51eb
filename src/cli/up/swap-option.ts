/** What `--swap` says: how much, and of which kind. */
import { z } from 'zod';
import { memorySchema } from '../../build/quantities.ts';
import type { RoleConfig } from '../../role/role-config.ts';

export type SwapWish = NonNullable<RoleConfig['agent']['swap']>;

const mebibyte = 1024 * 1024;
/** In MiB. */
const sizeSchema = memorySchema({ min: 16, max: 1_048_576 });

/** `2GiB`: zram, and where there is none a file; `zram:2GiB` or `file:2GiB`: just that. */
export function swapOf(text: string, context: z.RefinementCtx): SwapWish {
  const [, kind = 'auto', size = ''] = /^(?:(zram|file):)?(.*)$/.exec(text.trim()) ?? [];
  const parsed = sizeSchema.safeParse(size);
  if (parsed.success) return { kind: kind as SwapWish['kind'], sizeBytes: parsed.data * mebibyte };
  context.addIssue(`${parsed.error.issues[0]?.message ?? 'it is no size'}; before it may stand zram: or file:, as in file:2GiB`);
  return z.NEVER;
}
