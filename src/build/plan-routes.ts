/** A function's routes, from how the manifest writes them to how its configuration has them. */
import type { z } from 'zod';
import type { routeSchema } from '../model/http-route.ts';
import { planRates } from './plan-protection.ts';
import type { RouteEntry } from './route-entry-schema.ts';

type Long = Extract<RouteEntry, { rates?: unknown }>;

export function planRoute(entry: RouteEntry): z.input<typeof routeSchema> {
  const { body, headers, timeout, rates, ...rest }: Long = entry;
  return { ...rest, maxBodyBytes: body, maxHeaderBytes: headers, timeoutMs: timeout, rates: planRates(rates ?? []) };
}

/** Where the manifest has what the configuration has there: a route may be a line. */
export const routePlace = (path: readonly string[]): readonly string[] => path.slice(0, 2);
