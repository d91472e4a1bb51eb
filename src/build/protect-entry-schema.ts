/** What a function is protected by, in `swiftlet.yaml`. */
import { z } from 'zod';
import * as limits from '../model/limits.ts';
import { nameSchema } from '../model/names.ts';
import { fallbackCauses } from '../model/protection.ts';
import { countSchema, durationSchema, numberSchema } from './quantities.ts';

export const rateEntrySchema = z.strictObject(
  {
    perSecond: numberSchema(limits.ratePerSecond).describe('Requests a second'),
    burst: countSchema(limits.rateBurst)
      .optional()
      .describe('So many at once after a pause; default: what comes in a second, one at least'),
    key: z
      .union(
        [z.strictObject({ header: z.string().transform((name) => name.toLowerCase()) }), z.literal('source')],
        'it is "header: x-api-key", or source: the caller’s address',
      )
      .optional()
      .describe('Counted apart for each value of a header, or for each address; default: all together'),
  },
  'a rate has perSecond, and may have burst and key',
);

const breakerEntrySchema = z.strictObject(
  {
    errors: countSchema(limits.breakerErrorPercent).optional().describe('It opens when so many per cent of the requests fail; default 50'),
    requests: countSchema(limits.breakerLeastRequests).optional().describe('Of so many requests at least; default 20'),
    window: durationSchema(limits.breakerWindowMs).optional().describe('Within this time; default 10 s'),
    open: durationSchema(limits.breakerOpenMs).optional().describe('How long no request goes through, before one tries; default 5 s'),
  },
  'it has the keys errors, requests, window and open',
);

const fallbackEntrySchema = z
  .strictObject(
    {
      on: z
        .array(z.enum(fallbackCauses, `it is ${fallbackCauses.join(', ')}`))
        .optional()
        .describe('For what; default: all of them'),
      answer: z
        .strictObject(
          {
            status: countSchema({ min: 200, max: 599 }).optional().describe('Default 200'),
            headers: z.record(z.string(), z.string()).optional(),
            body: z.string().max(limits.maxFallbackBody).optional(),
          },
          'it has the keys status, headers and body',
        )
        .optional()
        .describe('This answer'),
      function: nameSchema.optional().describe('This function answers'),
      lastGood: durationSchema(limits.lastGoodAgeMs).optional().describe('The last good answer to the same GET, if it is no older'),
    },
    'it has one of answer, function and lastGood, and may have on',
  )
  .refine(
    (one) => [one.answer, one.function, one.lastGood].filter((each) => each !== undefined).length === 1,
    'it has one of answer, function and lastGood',
  );

export const protectSchema = z.strictObject(
  {
    rates: z
      .array(rateEntrySchema, 'it is a list of rates, such as "- { perSecond: 100 }"')
      .optional()
      .describe('Requests a second; more get 429'),
    reserved: countSchema(limits.reservedConcurrency)
      .optional()
      .describe('Requests at once: never more, and set aside from what the tenant’s other functions may have'),
    breaker: breakerEntrySchema.optional().describe('A version that fails is left alone for a while'),
    fallback: fallbackEntrySchema.optional().describe('What callers get in the place of an error'),
    outliers: z
      .enum(['replace', 'keep'], 'it is replace or keep')
      .optional()
      .describe('Instances that do worse than their siblings; default replace'),
  },
  'it has the keys rates, reserved, breaker, fallback and outliers',
);
