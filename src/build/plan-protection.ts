/** What protects a function, from how the manifest writes it to how its configuration has it. */
import type { z } from 'zod';
import type { protectionSchema } from '../model/protection.ts';
import type { protectSchema } from './protect-entry-schema.ts';

type ProtectEntry = Partial<z.output<typeof protectSchema>>;
type Planned = z.input<typeof protectionSchema>;

export function planProtection({ rates = [], reserved, breaker, fallback, outliers }: ProtectEntry): Planned {
  return {
    rates: planRates(rates),
    reservedConcurrency: reserved,
    breaker:
      breaker === undefined
        ? undefined
        : { errorPercent: breaker.errors, leastRequests: breaker.requests, windowMs: breaker.window, openMs: breaker.open },
    fallback: fallback === undefined ? undefined : planFallback(fallback),
    outliers,
  };
}

export const planRates = (rates: NonNullable<ProtectEntry['rates']>): NonNullable<Planned['rates']> =>
  rates.map(({ perSecond, burst, key }) => ({
    perSecond,
    burst: burst ?? Math.max(1, Math.ceil(perSecond)),
    ...(key === undefined ? {} : { key: key === 'source' ? { source: true as const } : key }),
  }));

function planFallback({ on, answer, function: name, lastGood }: NonNullable<ProtectEntry['fallback']>): Planned['fallback'] {
  if (name !== undefined) return { kind: 'function', on, function: name };
  if (lastGood !== undefined) return { kind: 'last-good', on, maximumAgeMs: lastGood };
  const headers = Object.fromEntries(Object.entries(answer?.headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]));
  return { kind: 'answer', on, status: answer?.status, headers, body: answer?.body };
}

/** Where the manifest has what the configuration has there: its parts have other names, so that the part as a whole is pointed to. */
export const protectPlace = (path: readonly string[]): readonly string[] => path.slice(0, 2);
