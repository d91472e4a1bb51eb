/** The policies that a simulation compares, from how a command line writes them: `idle=10m,scale=off`. */
import { z } from 'zod';
import { durationSchema } from '../build/quantities.ts';
import { SwiftletError } from '../model/errors.ts';
import { functionConfigSchema } from '../model/function.ts';
import * as limits from '../model/limits.ts';
import type { Policy } from '../simulate/policy.ts';

const count = z.coerce.number().int().min(0);
const policySchema = z.strictObject({
  idle: durationSchema(limits.idleMs).optional(),
  freeze: durationSchema(limits.freezeMs).optional(),
  minimum: count.optional(),
  maximum: count.optional(),
  concurrency: count.optional(),
  scale: z.enum(['on', 'off']).default('on'),
  outAt: z.coerce.number().optional(),
  window: durationSchema(limits.scaleWindowMs).optional(),
  burstWindow: durationSchema(limits.scaleBurstWindowMs).optional(),
  factor: z.coerce.number().optional(),
  delay: durationSchema(limits.scaleDelayMs).optional(),
});

/** What is compared when nobody says what: Swiftlet's defaults, and instances that are only kept for a fixed time. */
export const usualPolicies: readonly string[] = ['default', 'idle=1m,scale=off', 'idle=10m,scale=off', 'idle=60m,scale=off'];

/**
 * @param assumed of all policies that do not say otherwise
 * @throws SwiftletError BadRequest with what is wrong, and what there is
 */
export function policyOf(text: string, assumed: { readonly concurrency: number }): Policy {
  const entries = text === 'default' ? [] : text.split(',').map((part) => part.split('=', 2).map((side) => side.trim()));
  const parsed = policySchema.safeParse(Object.fromEntries(entries));
  if (!parsed.success) throw wrong(text, parsed.error);
  const { idle, freeze, scale, outAt, window, burstWindow, factor, delay, ...numbers } = parsed.data;
  const config = functionConfigSchema.safeParse({
    maximum: limits.instances.max,
    queueLength: limits.queueLength.max,
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
    idleMs: idle,
    freezeMs: freeze,
    scale: { outAtPercent: outAt, windowMs: window, burstWindowMs: burstWindow, factor, delayMs: delay },
  });
  if (!config.success) throw wrong(text, config.error);
  // Other simulators have instances that take whatever comes: more than the platform allows.
  const concurrency = numbers.concurrency ?? assumed.concurrency;
  return { name: text, isScaled: scale === 'on', config: { ...config.data, concurrency } };
}

function wrong(text: string, { issues }: z.ZodError): SwiftletError {
  const [issue] = issues;
  const keys = Object.keys(policySchema.shape).join(', ');
  return new SwiftletError(
    'BadRequest',
    `--policy ${text}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}; a policy is "default", or some of ${keys}, such as "idle=10m,scale=off"`,
    { place: '--policy' },
  );
}
