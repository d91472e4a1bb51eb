/** What a function is protected by, from its callers and from itself. */
import { z } from 'zod';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';
import { isPlatformHeader } from './platform-headers.ts';

const whole = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);
const headerName = z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'a header is named in lower case');

/** So many requests a second, and so many at once after a pause. */
export const rateSchema = z.strictObject({
  perSecond: z.number().min(limits.ratePerSecond.min).max(limits.ratePerSecond.max),
  burst: whole(limits.rateBurst),
  /** Counted apart for each value of a header, or for each address that callers come from; absent: together. */
  key: z.union([z.strictObject({ header: headerName }), z.strictObject({ source: z.literal(true) })]).optional(),
});
export type Rate = z.output<typeof rateSchema>;

/** When a version that fails is left alone. */
const breakerSchema = z.strictObject({
  /** Of the requests of the window, so many per cent. */
  errorPercent: whole(limits.breakerErrorPercent).default(limits.breakerErrorPercent.default),
  /** Of fewer requests nothing is said. */
  leastRequests: whole(limits.breakerLeastRequests).default(limits.breakerLeastRequests.default),
  windowMs: whole(limits.breakerWindowMs).default(limits.breakerWindowMs.default),
  /** For so long no request goes to it; then one does, to see. */
  openMs: whole(limits.breakerOpenMs).default(limits.breakerOpenMs.default),
});
export type BreakerConfig = z.output<typeof breakerSchema>;

/** What makes a fallback answer: the function failed, took too long, is left alone since it failed, or has more to do than it can. */
export const fallbackCauses = ['error', 'timeout', 'open', 'overload'] as const;
export type FallbackCause = (typeof fallbackCauses)[number];

const on = z
  .array(z.enum(fallbackCauses))
  .min(1)
  .default([...fallbackCauses]);
const fieldValue = z
  .string()
  .max(limits.maxFallbackHeader)
  .regex(/^[\t\x20-\x7e]*$/, 'a header’s value is printable ASCII');
const answerHeaders = z
  .record(headerName, fieldValue)
  .refine(
    (headers) => !Object.keys(headers).some(isPlatformHeader),
    'how an answer is framed (content-length, transfer-encoding, connection and the like), server-timing and x-swiftlet-… are the platform’s to say',
  );
const fallbackSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answer'),
    on,
    status: z.int().min(200).max(599).default(200),
    headers: answerHeaders.default({}),
    body: z.string().max(limits.maxFallbackBody).default(''),
  }),
  z.strictObject({ kind: z.literal('function'), on, function: nameSchema }),
  z.strictObject({ kind: z.literal('last-good'), on, maximumAgeMs: whole(limits.lastGoodAgeMs).default(limits.lastGoodAgeMs.default) }),
]);
export type FallbackConfig = z.output<typeof fallbackSchema>;

export const protectionSchema = z.strictObject({
  rates: z.array(rateSchema).max(limits.maxRates).default([]),
  /** Requests at once: never more, and set aside from what the tenant's other functions may have. */
  reservedConcurrency: whole(limits.reservedConcurrency).optional(),
  breaker: breakerSchema.optional(),
  fallback: fallbackSchema.optional(),
  /** What becomes of an instance that fails, or is slow, against its siblings. */
  outliers: z.enum(['replace', 'keep']).default('replace'),
});
export type ProtectionConfig = z.output<typeof protectionSchema>;
